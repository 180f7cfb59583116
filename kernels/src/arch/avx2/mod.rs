//! AVX2 with FMA and half-precision conversion (`Isa::Avx2`).

mod bits;
mod float;
mod panel;
mod panel_blocks;
mod panel_k;
mod quantize;
mod stream;
mod stream_blocks;
mod stream_halves;
mod stream_k;
mod stream_split;
mod tile;
mod transpose;

use super::products::Products;

pub(super) static PRODUCTS: Products = Products {
    quantize: quantize::quantize,
    stream: stream::kernel,
    panel: panel::kernel,
    float: float::function,
};

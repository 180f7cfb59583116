//! AVX2 with FMA and half-precision conversion (`Isa::Avx2`).

mod bits;
pub(super) mod eight;
pub(super) mod eight_codes;
pub(super) mod eight_grids;
mod float;
mod panel;
mod panel_blocks;
mod panel_eight;
mod panel_k;
mod quantize;
pub(super) mod stream;
mod stream_blocks;
mod stream_eight;
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

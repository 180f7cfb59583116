//! AVX-512 with byte permutes and integer dot products (`Isa::Avx512`).

mod arrange;
mod float;
mod panel;
mod panel_blocks;
mod quantize;
mod stream;
mod stream_blocks;
mod tile;
mod transpose;

use super::products::Products;

pub(super) static PRODUCTS: Products = Products {
    quantize: quantize::quantize,
    stream: stream::kernel,
    panel: panel::kernel,
    float: float::function,
};

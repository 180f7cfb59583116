//! AVX-512 with byte permutes and integer dot products (`Isa::Avx512`).

mod block_loads;
mod float;
mod panel;
mod panel_blocks;
mod panel_eight;
mod panel_k;
mod quantize;
mod stream;
mod stream_blocks;
mod stream_eight;
mod stream_halves;
mod stream_six_bits;
mod stream_split;
mod tile;
mod transpose;
mod wide;

use super::products::Products;

pub(super) static PRODUCTS: Products = Products {
    quantize: quantize::quantize,
    stream: stream::kernel,
    panel: panel::kernel,
    float: float::function,
};

//! AVX2 with FMA and half-precision conversion (`Isa::Avx2`).

mod bits;
mod float;
mod panel;
mod panel_blocks;
mod panel_k;
mod quantize;
mod tile;
mod transpose;

use super::products::Products;

pub(super) static PRODUCTS: Products = Products {
    quantize: quantize::quantize,
    stream: |_| None,
    panel: panel::kernel,
    float: float::function,
};

//! AVX2 with FMA and half-precision conversion (`Isa::Avx2`).

mod float;
mod panel;
mod quantize;
mod tile;

use super::products::Products;

pub(super) static PRODUCTS: Products = Products {
    quantize: quantize::quantize,
    stream: |_| None,
    panel: panel::kernel,
    float: float::function,
};

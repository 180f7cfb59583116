//! The reference that the kernels of every instruction set are tested against; also what runs where none fits.

mod float;
mod panel;
mod quantize;

use super::products::Products;

pub(super) static PRODUCTS: Products = Products {
    quantize: quantize::quantize,
    stream: |_| None,
    panel: panel::kernel,
    float: float::function,
};

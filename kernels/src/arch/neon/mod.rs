//! Advanced SIMD of ARM64 with dot products of bytes (`Isa::Neon`), and with 8-bit matrix products too
//! (`Isa::NeonI8mm`). Loops over units of four or eight groups; see `unit`.

mod blocks;
mod codebook;
mod dot;
mod few_bits;
mod float;
mod four_bits;
mod grids;
mod numbers;
mod panel;
mod quantize;
mod stream;
mod tile;
mod tile_pairs;
mod two_bits;
mod unit;

use super::products::Products;

pub(super) static PRODUCTS: Products = Products {
    quantize: quantize::quantize,
    stream: stream::kernel,
    panel: panel::kernel::<tile::Rows>,
    float: float::function,
};

pub(super) static PRODUCTS_I8MM: Products = Products {
    panel: panel::kernel::<tile_pairs::Pairs>,
    ..PRODUCTS
};

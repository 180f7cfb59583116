//! Blocks of every format as they lie in files. Layouts: ggml-common.h; values: `dequantize_row_*` of ggml-quants.c.

mod basic;
pub(crate) mod codebook;
pub(crate) mod float;
mod grid;
pub(crate) mod grid_tables;
mod k;
mod ternary;

use half::f16;

use crate::format::Format;
use crate::unpack::{GROUP, Unpacked};

/// Unpacks group `group` of one block of a quantized format.
pub(crate) fn unpack_in_block(format: Format, block: &[u8], group: usize) -> Unpacked {
    match format {
        Format::Q4_0 => basic::q4_0(block),
        Format::Q4_1 => basic::q4_1(block),
        Format::Q5_0 => basic::q5_0(block),
        Format::Q5_1 => basic::q5_1(block),
        Format::Q8_0 => basic::q8_0(block),
        Format::Q1_0 => basic::q1_0(block, group),
        Format::Q2_0 => basic::q2_0(block, group),
        Format::Q2_K => k::q2_k(block, group),
        Format::Q3_K => k::q3_k(block, group),
        Format::Q4_K => k::q4_k(block, group),
        Format::Q5_K => k::q5_k(block, group),
        Format::Q6_K => k::q6_k(block, group),
        Format::IQ4_NL => codebook::iq4_nl(block),
        Format::IQ4_XS => codebook::iq4_xs(block, group),
        Format::MXFP4 => codebook::mxfp4(block),
        Format::NVFP4 => codebook::nvfp4(block, group),
        Format::IQ1_S => grid::iq1_s(block, group),
        Format::IQ1_M => grid::iq1_m(block, group),
        Format::IQ2_XXS => grid::iq2_xxs(block, group),
        Format::IQ2_XS => grid::iq2_xs(block, group),
        Format::IQ2_S => grid::iq2_s(block, group),
        Format::IQ3_XXS => grid::iq3_xxs(block, group),
        Format::IQ3_S => grid::iq3_s(block, group),
        Format::TQ1_0 => ternary::tq1_0(block, group),
        Format::TQ2_0 => ternary::tq2_0(block, group),
        Format::F32 | Format::F16 | Format::BF16 => panic!("{} has no groups", format.name()),
    }
}

/// The half-precision number at byte `at`.
fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// The low halves of 16 bytes, then their high halves.
fn nibbles(bytes: &[u8], value: impl Fn(u8) -> i8) -> [i8; GROUP] {
    std::array::from_fn(|i| value(bytes[i % 16] >> (i / 16 * 4) & 15))
}

/// Group `group` of 256 codes in 64 bytes: per 128 weights 32 bytes, whose lowest two bits come first.
fn two_bits(bytes: &[u8], group: usize) -> [i8; GROUP] {
    let part = &bytes[group / 4 * 32..][..32];
    std::array::from_fn(|i| (part[i] >> (group % 4 * 2) & 3) as i8)
}

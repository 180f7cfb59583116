//! Panels of the formats whose blocks are 32 weights.

use std::arch::x86_64::*;

use super::block_loads::{add_bits, halves_of_exponents, look_up, nibbles};
use super::panel::{PanelGroup, unpack_any};
use super::tile::group_bytes;
use super::transpose::{load_columns, load_dwords, load_halves, pairs_of_halves};
use crate::arch::products::PANEL_ROWS;
use crate::formats::codebook::{FLOAT4, NON_LINEAR};
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Calls a function for every block of 16 rows: (first byte of the block in the first row, first group in the panel).
macro_rules! for_each_block {
    ($matrix:ident, $panel:ident, $body:expr) => {
        if $matrix.rows() < PANEL_ROWS {
            return unpack_any($matrix, $panel);
        }
        let format = $matrix.format();
        let (bytes, groups) = (format.block_bytes(), format.block_elements() / GROUP);
        for block in 0..$matrix.row_bytes() / bytes {
            // SAFETY: the matrix has 16 rows of so many blocks, the panel their groups.
            unsafe {
                let first = $matrix.bytes().as_ptr().add(block * bytes);
                let group = PanelGroup::new($panel, block * groups, group_bytes(format.scaling()));
                $body(first, group);
            }
        }
    };
}
pub(super) use for_each_block;

/// # Safety
/// 16 rows of a matrix of the format at most, and its panel.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn q4_0(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let stride = matrix.row_bytes();
    for_each_block!(matrix, panel, |first: *const u8, group: PanelGroup| {
        store_nibbles(group, load_columns(first.add(2), stride));
        group.numbers(0, load_halves(first, stride));
    });
}

/// # Safety
/// As above.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn q4_1(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let stride = matrix.row_bytes();
    for_each_block!(matrix, panel, |first: *const u8, group: PanelGroup| {
        store_nibbles(group, load_columns(first.add(4), stride));
        let (scale, minimum) = pairs_of_halves(load_dwords(first, stride));
        group.numbers(0, scale);
        group.numbers(1, minimum);
    });
}

/// # Safety
/// As above.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn q8_0(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let stride = matrix.row_bytes();
    let flip = _mm512_set1_epi8(i8::MIN);
    for_each_block!(matrix, panel, |first: *const u8, group: PanelGroup| {
        for half in 0..2 {
            let columns = load_columns(first.add(2 + 16 * half), stride);
            for (step, x) in columns.into_iter().enumerate() {
                group.weights(4 * half + step, _mm512_xor_si512(x, flip));
            }
        }
        group.numbers(0, load_halves(first, stride));
    });
}

/// # Safety
/// As above.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn q5_0(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let stride = matrix.row_bytes();
    for_each_block!(matrix, panel, |first: *const u8, group: PanelGroup| {
        store_five_bits(
            group,
            load_dwords(first.add(2), stride),
            load_columns(first.add(6), stride),
        );
        group.numbers(0, load_halves(first, stride));
    });
}

/// # Safety
/// As above.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn q5_1(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let stride = matrix.row_bytes();
    for_each_block!(matrix, panel, |first: *const u8, group: PanelGroup| {
        store_five_bits(
            group,
            load_dwords(first.add(4), stride),
            load_columns(first.add(8), stride),
        );
        let (scale, minimum) = pairs_of_halves(load_dwords(first, stride));
        group.numbers(0, scale);
        group.numbers(1, minimum);
    });
}

/// # Safety
/// As above.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn iq4_nl(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let stride = matrix.row_bytes();
    for_each_block!(matrix, panel, |first: *const u8, group: PanelGroup| {
        store_looked_up(group, &NON_LINEAR, load_columns(first.add(2), stride));
        group.numbers(0, load_halves(first, stride));
    });
}

/// # Safety
/// As above.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn mxfp4(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let stride = matrix.row_bytes();
    for_each_block!(matrix, panel, |first: *const u8, group: PanelGroup| {
        store_looked_up(group, &FLOAT4, load_columns(first.add(1), stride));
        // The exponent and the first three bytes of codes.
        let exponents = _mm512_and_si512(load_dwords(first, stride), _mm512_set1_epi32(255));
        group.numbers(0, halves_of_exponents(exponents));
    });
}

/// 16 bytes whose low halves are the first 16 weights, the high halves the others.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn store_nibbles(group: PanelGroup, columns: [__m512i; 4]) {
    for (step, x) in columns.into_iter().enumerate() {
        let [first, second] = nibbles(x);
        group.weights(step, first);
        group.weights(4 + step, second);
    }
}

/// The same, with the fifth bits of 32 weights.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn store_five_bits(group: PanelGroup, bits: __m512i, columns: [__m512i; 4]) {
    // Bits 0..4 of each dword to bit 4 of its bytes; a qword has two.
    let shifts = _mm512_set1_epi64(0x1f1e_1d1c_3f3e_3d3c);
    for (step, x) in columns.into_iter().enumerate() {
        let add = |weights, step: usize| {
            let shifts = _mm512_add_epi8(shifts, _mm512_set1_epi8(4 * step as i8));
            add_bits(weights, _mm512_multishift_epi64_epi8(shifts, bits), 0x10)
        };
        let [first, second] = nibbles(x);
        group.weights(step, add(first, step));
        group.weights(4 + step, add(second, 4 + step));
    }
}

/// The same as indices into a table.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn store_looked_up(group: PanelGroup, table: &[i8; 16], columns: [__m512i; 4]) {
    for (step, x) in columns.into_iter().enumerate() {
        let [first, second] = nibbles(x).map(|codes| look_up(table, codes));
        group.weights(step, first);
        group.weights(4 + step, second);
    }
}

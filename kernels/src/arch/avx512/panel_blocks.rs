//! Panels of the formats whose blocks are 32 weights.

use std::arch::x86_64::*;

use super::panel::{PanelGroup, unpack_any};
use super::tile::group_bytes;
use super::transpose::{load_columns, load_halves, load_pairs_of_halves};
use crate::arch::products::PANEL_ROWS;
use crate::matrix::Matrix;

/// Calls a function for every block of 16 rows: (first byte of the block in the first row, the group in the panel).
macro_rules! for_each_block {
    ($matrix:ident, $panel:ident, $body:expr) => {
        if $matrix.rows() < PANEL_ROWS {
            return unpack_any($matrix, $panel);
        }
        let bytes = $matrix.format().block_bytes();
        for block in 0..$matrix.row_bytes() / bytes {
            // SAFETY: the matrix has 16 rows of so many blocks, the panel as many groups.
            unsafe {
                let first = $matrix.bytes().as_ptr().add(block * bytes);
                let group = PanelGroup::new($panel, block, group_bytes($matrix.format().scaling()));
                $body(first, group);
            }
        }
    };
}

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
        let (scale, minimum) = load_pairs_of_halves(first, stride);
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

/// 16 bytes whose low halves are the first 16 weights, the high halves the others.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn store_nibbles(group: PanelGroup, columns: [__m512i; 4]) {
    let low = _mm512_set1_epi8(15);
    for (step, x) in columns.into_iter().enumerate() {
        group.weights(step, _mm512_and_si512(x, low));
        group.weights(4 + step, _mm512_and_si512(_mm512_srli_epi16(x, 4), low));
    }
}

//! Panels of formats whose groups are unpacked one after the other.

use std::arch::x86_64::*;

use super::eight::{EIGHT, Eight, Unpacked};
use super::panel::{range, unpack_any};
use super::tile::{group_bytes, weight_lines};
use super::transpose::load_columns;
use crate::arch::buffer::LINE;
use crate::arch::products::PANEL_ROWS;
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Rows of a vector.
const ROWS: usize = 8;

/// # Safety
/// 16 rows of a matrix of the format at most, and its panel.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn unpack_eights<E: Eight>(matrix: &Matrix<'_>, panel: &mut [u8]) {
    if matrix.rows() < PANEL_ROWS {
        return unpack_any(matrix, panel);
    }
    let (width, offset) = const { range(E::FORMAT) };
    let bytes = group_bytes(width, E::FORMAT.scaling());
    let groups = matrix.columns() / GROUP;
    let mut rows = [const { Unpacked::ZEROS }; ROWS];
    for first in (0..groups).step_by(EIGHT) {
        let count = EIGHT.min(groups - first);
        for vector in 0..PANEL_ROWS / ROWS {
            for (row, unpacked) in rows.iter_mut().enumerate() {
                let row = matrix.row(vector * ROWS + row);
                unpacked.fill::<E>(&row[first / EIGHT * E::BYTES..], offset as i8);
            }
            let panel = &mut panel[first * bytes..][..count * bytes];
            for (group, to) in panel.chunks_exact_mut(bytes).enumerate() {
                let from = rows[0].values[group].as_ptr();
                let mut store = |line: usize, lanes: __m256i| {
                    let to = to[line * LINE + vector * 32..][..32].as_mut_ptr();
                    // SAFETY: 32 bytes.
                    unsafe { _mm256_storeu_si256(to.cast(), lanes) };
                };
                for half in 0..2 {
                    // SAFETY: every row has 32 bytes of the group.
                    let columns = unsafe { load_columns(from.add(half * 16), size_of::<Unpacked>()) };
                    for (step, column) in columns.into_iter().enumerate() {
                        store(half * 4 + step, column);
                    }
                }
                for part in 0..E::PARTS {
                    let scales = std::array::from_fn(|row| rows[row].scales[group * E::PARTS + part]);
                    let [a, b, c, d, e, f, g, h]: [f32; ROWS] = scales;
                    let scales = _mm256_setr_ps(a, b, c, d, e, f, g, h);
                    store(weight_lines(width) + part, _mm256_castps_si256(scales));
                }
            }
        }
    }
}

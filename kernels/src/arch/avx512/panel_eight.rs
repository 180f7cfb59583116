//! Panels of formats whose groups are unpacked one after the other.

use std::arch::x86_64::*;

use super::panel::{PanelGroup, group_bytes, offset, unpack_any};
use super::transpose::load_columns;
use crate::arch::avx2::eight::{EIGHT, Eight, Unpacked};
use crate::arch::products::PANEL_ROWS;
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// # Safety
/// As [`PanelKernel::unpack`](crate::arch::products::PanelKernel) checks, for a matrix of the format.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn unpack_eights<E: Eight>(matrix: &Matrix<'_>, panel: &mut [u8]) {
    if matrix.rows() < PANEL_ROWS {
        return unpack_any(matrix, panel);
    }
    let offset = offset(E::FORMAT) as i8;
    let bytes = group_bytes(E::FORMAT.scaling());
    let groups = matrix.columns() / GROUP;
    let mut rows = [const { Unpacked::ZEROS }; PANEL_ROWS];
    for first in (0..groups).step_by(EIGHT) {
        let count = EIGHT.min(groups - first);
        for (row, unpacked) in rows.iter_mut().enumerate() {
            unpacked.fill::<E>(&matrix.row(row)[first / EIGHT * E::BYTES..], offset);
        }
        let panel = PanelGroup::new(panel[first * bytes..][..count * bytes].as_mut_ptr(), bytes);
        for group in 0..count {
            // SAFETY: every row has 32 bytes of the group, the panel has the group.
            unsafe {
                for half in 0..2 {
                    let from = rows[0].values[group].as_ptr().add(half * 16);
                    for (step, column) in load_columns(from, size_of::<Unpacked>()).into_iter().enumerate() {
                        panel.weights(group, half * 4 + step, column);
                    }
                }
                for part in 0..E::PARTS {
                    let scales: [f32; PANEL_ROWS] =
                        std::array::from_fn(|row| rows[row].scales[group * E::PARTS + part]);
                    panel.numbers(group, part, _mm512_loadu_ps(scales.as_ptr()));
                }
            }
        }
    }
}

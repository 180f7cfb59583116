use super::products::PANEL_ROWS;
use crate::matrix::Matrix;
use crate::unpack::{GROUP, Unpacked, unpack_group};

/// Hands every group of up to 16 rows to `store(group, row, weights)`, group after group.
/// A missing row repeats the last.
pub(super) fn unpack_rows(matrix: &Matrix<'_>, mut store: impl FnMut(usize, usize, &Unpacked)) {
    for group in 0..matrix.columns() / GROUP {
        for row in 0..PANEL_ROWS {
            let bytes = matrix.row(row.min(matrix.rows() - 1));
            store(group, row, &unpack_group(matrix.format(), bytes, group));
        }
    }
}

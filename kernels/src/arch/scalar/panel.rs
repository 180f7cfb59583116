use crate::arch::generic::unpack_rows;
use crate::arch::products::{PANEL_ROWS, PanelKernel, TILE_TOKENS, Tile, TileSums};
use crate::format::{Format, Scaling};
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// A row of a group: 32 values, scales of the halves, minimums of the halves.
const ROW_BYTES: usize = GROUP + 4 * size_of::<f32>();
const GROUP_BYTES: usize = PANEL_ROWS * ROW_BYTES;

pub(super) fn kernel(format: Format) -> PanelKernel {
    PanelKernel {
        offset: 0,
        group_bytes: GROUP_BYTES,
        unpack,
        start: None,
        multiply: match format.scaling() {
            Scaling::Float => panic!("{} has no panels", format.name()),
            Scaling::Whole => multiply::<1, false>,
            Scaling::WholeMinimum => multiply::<1, true>,
            Scaling::Halves => multiply::<2, false>,
            Scaling::HalvesMinimum => multiply::<2, true>,
        },
    }
}

fn unpack(matrix: &Matrix<'_>, panel: &mut [u8]) {
    unpack_rows(matrix, |group, row, weights| {
        let (values, numbers) = panel[group * GROUP_BYTES + row * ROW_BYTES..][..ROW_BYTES].split_at_mut(GROUP);
        for (byte, value) in values.iter_mut().zip(weights.values) {
            *byte = value.cast_unsigned();
        }
        for (bytes, number) in numbers
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip([weights.scales, weights.minimums].as_flattened())
        {
            *bytes = number.to_ne_bytes();
        }
    });
}

fn multiply<const PARTS: usize, const MINIMUM: bool>(
    panel: &[u8],
    tile: &Tile<'_>,
    _ahead: &[u8],
    sums: &mut TileSums,
) {
    sums[..tile.tokens].fill([0.0; PANEL_ROWS]);
    for (group, rows) in panel.chunks_exact(GROUP_BYTES).enumerate() {
        for (row, weights) in rows.chunks_exact(ROW_BYTES).enumerate() {
            let (values, numbers) = weights.split_at(GROUP);
            let number = |index: usize| f32::from_ne_bytes(numbers.as_chunks().0[index]);
            for (token, sums) in sums[..tile.tokens].iter_mut().enumerate() {
                let slot = group * TILE_TOKENS + token;
                let x = &tile.values[slot * GROUP..][..GROUP];
                for part in 0..PARTS {
                    let columns = part * GROUP / PARTS..(part + 1) * GROUP / PARTS;
                    let sum: i32 = values[columns.clone()]
                        .iter()
                        .zip(&x[columns])
                        .map(|(value, x)| i32::from(value.cast_signed()) * i32::from(*x))
                        .sum();
                    let mut product = sum as f32 * (number(part) * tile.scales[slot]);
                    if MINIMUM {
                        let weighted = tile.weighted[(group * PARTS + part) * TILE_TOKENS + token];
                        product = number(2 + part).mul_add(weighted, product);
                    }
                    sums[row] += product;
                }
            }
        }
    }
}

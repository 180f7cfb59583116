//! Panels: per group two blocks of 8 rows, 256 bytes of weights each, then scales and minimums of the parts.
//!
//! The weights of a block lie as the instruction reads them, see `tile` and `tile_pairs`.

use std::arch::aarch64::*;

use super::blocks::*;
use super::codebook::*;
use super::few_bits::*;
use super::four_bits::*;
use super::grids::*;
use super::two_bits::*;
use super::unit::{End, Unit};
use crate::arch::generic::unpack_rows;
use crate::arch::products::{PANEL_ROWS, PanelKernel, Tile, TileSums, UnpackFunction};
use crate::format::{Format, Scaling};
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Rows and tokens that are multiplied together: their sums fit the registers.
pub(super) const BLOCK_ROWS: usize = 8;
pub(super) const BLOCK_TOKENS: usize = 4;
pub(super) const BLOCK_BYTES: usize = BLOCK_ROWS * GROUP;
/// Of all weights of a group; numbers follow.
pub(super) const WEIGHT_BYTES: usize = PANEL_ROWS * GROUP;
const NUMBERS_BYTES: usize = PANEL_ROWS * size_of::<f32>();

/// Bytes of a panel's group with `parts` scales and, perhaps, minimums of a row.
pub(super) const fn group_bytes(parts: usize, minimum: bool) -> usize {
    WEIGHT_BYTES + parts * (1 + minimum as usize) * NUMBERS_BYTES
}

/// Where the numbers of a part begin in a group: scales of the parts, then minimums.
pub(super) const fn numbers_at(index: usize) -> usize {
    WEIGHT_BYTES + index * NUMBERS_BYTES
}

pub(super) fn kernel<L: Layout>(format: Format) -> PanelKernel {
    let scaling = format.scaling();
    PanelKernel {
        offset: 0,
        group_bytes: group_bytes(1 + usize::from(scaling.has_halves()), scaling.has_minimum()),
        unpack: unpack_function::<L>(format),
        start: None,
        multiply: match scaling {
            Scaling::Float => panic!("{} has no panels", format.name()),
            Scaling::Whole => multiply::<L, 1, false>,
            Scaling::WholeMinimum => multiply::<L, 1, true>,
            Scaling::Halves => multiply::<L, 2, false>,
            Scaling::HalvesMinimum => multiply::<L, 2, true>,
        },
    }
}

fn unpack_function<L: Layout>(format: Format) -> UnpackFunction {
    match format {
        Format::Q4_0 => unpack::<Q4_0, L>,
        Format::Q4_1 => unpack::<Q4_1, L>,
        Format::Q5_0 => unpack::<Q5_0, L>,
        Format::Q5_1 => unpack::<Q5_1, L>,
        Format::Q8_0 => unpack::<Q8_0, L>,
        Format::Q2_K => unpack::<Q2K, L>,
        Format::Q3_K => unpack::<Q3K, L>,
        Format::Q4_K => unpack::<Q4K, L>,
        Format::Q5_K => unpack::<Q5K, L>,
        Format::Q6_K => unpack::<Q6K, L>,
        Format::IQ4_NL => unpack::<Iq4Nl, L>,
        Format::IQ4_XS => unpack::<Iq4Xs, L>,
        Format::MXFP4 => unpack::<Mxfp4, L>,
        Format::IQ1_S => unpack::<Iq1S, L>,
        Format::IQ1_M => unpack::<Iq1M, L>,
        Format::IQ2_XXS => unpack::<Iq2Xxs, L>,
        Format::IQ2_XS => unpack::<Iq2Xs, L>,
        Format::IQ2_S => unpack::<Iq2S, L>,
        Format::IQ3_XXS => unpack::<Iq3Xxs, L>,
        Format::IQ3_S => unpack::<Iq3S, L>,
        Format::TQ1_0 => unpack::<Tq1, L>,
        Format::TQ2_0 => unpack::<Tq2, L>,
        Format::NVFP4 => unpack::<Nvfp4, L>,
        Format::Q1_0 => unpack::<Q1_0, L>,
        Format::Q2_0 => unpack::<Q2_0, L>,
        Format::F32 | Format::F16 | Format::BF16 => unpack_any::<L>,
    }
}

/// The order of weights, and the instruction that it is for.
pub(super) trait Layout {
    /// Where a weight lies in its group.
    fn place(row: usize, column: usize) -> usize;

    /// Stores 32 weights of each of four rows from `row`, a multiple of 4, on.
    ///
    /// # Safety
    /// The weights of the group can be written.
    unsafe fn store(group: *mut u8, row: usize, values: [[int8x16_t; 2]; 4]);

    /// Sums of a block of 8 rows with up to 4 tokens.
    ///
    /// # Safety
    /// As [`PanelKernel::multiply`] checks; the panel has the block, `first` is 0 or 4 and below the tile's tokens.
    /// The processor has the instruction.
    unsafe fn multiply_block<const PARTS: usize, const MINIMUM: bool>(
        panel: &[u8],
        block: usize,
        tile: &Tile<'_>,
        first: usize,
        sums: &mut TileSums,
    );
}

/// # Safety
/// As [`PanelKernel::multiply`] checks.
unsafe fn multiply<L: Layout, const PARTS: usize, const MINIMUM: bool>(
    panel: &[u8],
    tile: &Tile<'_>,
    _ahead: &[u8],
    sums: &mut TileSums,
) {
    for block in 0..PANEL_ROWS / BLOCK_ROWS {
        for first in (0..tile.tokens).step_by(BLOCK_TOKENS) {
            // SAFETY: as the caller promises.
            unsafe { L::multiply_block::<PARTS, MINIMUM>(panel, block, tile, first, sums) };
        }
    }
}

/// # Safety
/// As [`PanelKernel::unpack`] checks; the matrix has the unit's format.
unsafe fn unpack<U: Unit, L: Layout>(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let groups = matrix.columns() / GROUP;
    let group_bytes = group_bytes(U::PARTS, U::MINIMUM);
    let mut ends = [const { End::new() }; 4];
    for first in (0..PANEL_ROWS).step_by(4) {
        let rows: [&[u8]; 4] = std::array::from_fn(|row| matrix.row((first + row).min(matrix.rows() - 1)));
        for index in 0..groups.div_ceil(U::GROUPS) {
            let mut units = rows
                .iter()
                .zip(&mut ends)
                .map(|(row, end)| end.unit::<U>(row, index).as_ptr());
            let units: [*const u8; 4] = std::array::from_fn(|_| units.next().unwrap_or_default());
            let group = index * U::GROUPS;
            let count = U::GROUPS.min(groups - group);
            let panel = &mut panel[group * group_bytes..][..count * group_bytes];
            for (group, to) in panel.chunks_exact_mut(group_bytes).enumerate() {
                // SAFETY: the units can be read and have the group; the chunk is a group of a panel.
                unsafe { L::store(to.as_mut_ptr(), first, units.map(|unit| U::values(unit, group))) };
            }
            for (row, unit) in units.into_iter().enumerate() {
                // SAFETY: the unit can be read.
                let numbers = unsafe { U::numbers(unit) };
                store_numbers::<U>(panel, first + row, numbers.scales, 0);
                if U::MINIMUM {
                    store_numbers::<U>(panel, first + row, numbers.minimums, U::PARTS);
                }
            }
        }
    }
}

/// Stores scales or minimums of a row in each group of a part of a panel.
#[inline(always)]
fn store_numbers<U: Unit>(panel: &mut [u8], row: usize, numbers: [float32x4_t; 4], index: usize) {
    let mut all = [0.0f32; 16];
    for (to, numbers) in all.as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
        // SAFETY: four floats.
        unsafe { vst1q_f32(to.as_mut_ptr(), numbers) };
    }
    let groups = panel.chunks_exact_mut(group_bytes(U::PARTS, U::MINIMUM));
    for (group, numbers) in groups.zip(all.chunks_exact(U::PARTS)) {
        for (part, number) in numbers.iter().enumerate() {
            group[numbers_at(index + part) + 4 * row..][..4].copy_from_slice(&number.to_ne_bytes());
        }
    }
}

/// Unpacks any format through the reference.
fn unpack_any<L: Layout>(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let scaling = matrix.format().scaling();
    let parts = 1 + usize::from(scaling.has_halves());
    let group_bytes = group_bytes(parts, scaling.has_minimum());
    unpack_rows(matrix, |group, row, weights| {
        let group = &mut panel[group * group_bytes..][..group_bytes];
        for (column, value) in weights.values.into_iter().enumerate() {
            group[L::place(row, column)] = value.cast_unsigned();
        }
        let numbers = weights.scales[..parts].iter().chain(&weights.minimums[..parts]);
        for (to, number) in group[WEIGHT_BYTES..].chunks_exact_mut(NUMBERS_BYTES).zip(numbers) {
            to[4 * row..][..4].copy_from_slice(&number.to_ne_bytes());
        }
    });
}

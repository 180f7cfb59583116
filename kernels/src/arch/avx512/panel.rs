use std::arch::x86_64::*;

use super::panel_blocks::*;
use super::panel_eight::unpack_eights;
use super::panel_k::*;
use super::tile::{self, STEPS};
use crate::arch::avx2::eight::Eight;
use crate::arch::avx2::{eight_codes, eight_grids};
use crate::arch::buffer::LINE;
use crate::arch::generic::unpack_rows;
use crate::arch::products::{PANEL_ROWS, PanelKernel};
use crate::format::{Format, Scaling};
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Panels: weights as unsigned bytes, four columns of 16 rows in a vector, lane = row; see `group_bytes`.
pub(super) fn kernel(format: Format) -> PanelKernel {
    fn of<B: PanelBlock>(format: Format) -> PanelKernel {
        PanelKernel {
            unpack: unpack::<B>,
            start: Some(tile::start_function::<B>()),
            ..any(format)
        }
    }
    fn eights<E: Eight>() -> PanelKernel {
        PanelKernel {
            unpack: unpack_eights::<E>,
            ..any(E::FORMAT)
        }
    }
    match format {
        Format::Q4_0 => of::<Q4_0>(format),
        Format::Q4_1 => of::<Q4_1>(format),
        Format::Q5_0 => of::<Q5_0>(format),
        Format::Q5_1 => of::<Q5_1>(format),
        Format::Q8_0 => of::<Q8_0>(format),
        Format::IQ4_NL => of::<Iq4Nl>(format),
        Format::MXFP4 => of::<Mxfp4>(format),
        Format::Q2_K => of::<Q2K>(format),
        Format::Q3_K => of::<Q3K>(format),
        Format::Q4_K => of::<Q4K>(format),
        Format::Q5_K => of::<Q5K>(format),
        Format::Q6_K => of::<Q6K>(format),
        Format::IQ4_XS => of::<Iq4Xs>(format),
        Format::IQ1_S => eights::<eight_grids::Iq1S>(),
        Format::IQ1_M => eights::<eight_grids::Iq1M>(),
        Format::IQ2_XXS => eights::<eight_grids::Iq2Xxs>(),
        Format::IQ2_XS => eights::<eight_grids::Iq2Xs>(),
        Format::IQ2_S => eights::<eight_grids::Iq2S>(),
        Format::IQ3_XXS => eights::<eight_grids::Iq3Xxs>(),
        Format::IQ3_S => eights::<eight_grids::Iq3S>(),
        Format::TQ1_0 => eights::<eight_codes::Tq1>(),
        Format::TQ2_0 => eights::<eight_codes::Tq2>(),
        Format::NVFP4 => eights::<eight_codes::Nvfp4>(),
        Format::Q1_0 => eights::<eight_codes::Q1_0>(),
        Format::Q2_0 => eights::<eight_codes::Q2_0>(),
        Format::F32 | Format::F16 | Format::BF16 => any(format),
    }
}

fn any(format: Format) -> PanelKernel {
    PanelKernel {
        offset: offset(format),
        group_bytes: group_bytes(format.scaling()),
        unpack: unpack_any,
        start: None,
        multiply: tile::function(format),
    }
}

/// What is added to the values of a format.
pub(super) fn offset(format: Format) -> i32 {
    match format {
        Format::Q4_0 => 8,
        Format::Q5_0 => 16,
        Format::Q3_K => 4,
        Format::Q6_K => 32,
        _ if format.scaling().has_minimum() => 0,
        _ => 128,
    }
}

/// Bytes of a panel's group: 8 vectors of weights, one of scales for each part, one of minimums for each part.
pub(super) const fn group_bytes(scaling: Scaling) -> usize {
    let parts = if scaling.has_halves() { 2 } else { 1 };
    let numbers = if scaling.has_minimum() { 2 } else { 1 };
    (STEPS + parts * numbers) * LINE
}

/// A block of a format in 16 rows.
pub(super) trait PanelBlock {
    const BYTES: usize;
    const GROUPS: usize;
    const SCALING: Scaling;

    /// `first`: the block in the first row.
    ///
    /// # Safety
    /// The block of every row, `stride` bytes after that of the row before, can be read, and its groups written. The
    /// processor has the instructions.
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup);
}

/// Groups of a panel that are written.
#[derive(Clone, Copy)]
pub(super) struct PanelGroup {
    first: *mut u8,
    bytes: usize,
}

impl PanelGroup {
    /// Where groups of so many bytes are.
    #[inline]
    pub fn new(first: *mut u8, bytes: usize) -> Self {
        Self { first, bytes }
    }

    /// # Safety
    /// The panel has the group.
    #[inline]
    unsafe fn line(self, group: usize, line: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { self.first.add(group * self.bytes + line * LINE) }
    }

    /// Weights of columns 4 * step.. of a group.
    ///
    /// # Safety
    /// The panel has the group.
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    pub unsafe fn weights(self, group: usize, step: usize, weights: __m512i) {
        // SAFETY: as the caller promises; the first 8 lines of a group are weights.
        unsafe { _mm512_store_si512(self.line(group, step).cast(), weights) }
    }

    /// Scales of a group, then minimums.
    ///
    /// # Safety
    /// The panel has the group, and it has so many numbers.
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    pub unsafe fn numbers(self, group: usize, index: usize, numbers: __m512) {
        // SAFETY: as the caller promises.
        unsafe { _mm512_store_ps(self.line(group, STEPS + index).cast(), numbers) }
    }
}

/// # Safety
/// As [`PanelKernel::unpack`] checks, for a matrix of the block's format.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn unpack<B: PanelBlock>(matrix: &Matrix<'_>, panel: &mut [u8]) {
    if matrix.rows() < PANEL_ROWS {
        return unpack_any(matrix, panel);
    }
    let bytes = group_bytes(B::SCALING);
    for block in 0..matrix.row_bytes() / B::BYTES {
        // SAFETY: the matrix has 16 rows of so many blocks, the panel their groups.
        unsafe {
            let first = matrix.bytes().as_ptr().add(block * B::BYTES);
            let groups = panel.as_mut_ptr().add(block * B::GROUPS * bytes);
            B::unpack(first, matrix.row_bytes(), PanelGroup::new(groups, bytes));
        }
    }
}

/// Unpacks any format, and any number of rows, through the reference.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn unpack_any(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let format = matrix.format();
    let group_bytes = group_bytes(format.scaling());
    let offset = offset(format) as u8;
    unpack_rows(matrix, |group, row, weights| {
        let group = &mut panel[group * group_bytes..][..group_bytes];
        for (step, values) in weights.values.as_chunks::<4>().0.iter().enumerate() {
            let bytes = values.map(|value| value.cast_unsigned().wrapping_add(offset));
            group[step * LINE + row * 4..][..4].copy_from_slice(&bytes);
        }
        let parts = if format.scaling().has_halves() { 2 } else { 1 };
        let numbers = weights.scales[..parts].iter().chain(&weights.minimums[..parts]);
        for (line, number) in group[GROUP / 4 * LINE..].chunks_exact_mut(LINE).zip(numbers) {
            line[row * 4..][..4].copy_from_slice(&number.to_ne_bytes());
        }
    });
    const { assert!(PANEL_ROWS * 4 == LINE) };
}

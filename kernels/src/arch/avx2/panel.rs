use std::arch::x86_64::*;

use super::eight_codes::*;
use super::eight_grids::*;
use super::panel_blocks::*;
use super::panel_eight::unpack_eights;
use super::panel_k::*;
use super::tile::{self, STEPS, Width, group_bytes, weight_lines};
use crate::arch::buffer::LINE;
use crate::arch::generic::unpack_rows;
use crate::arch::products::{PANEL_ROWS, PanelKernel, UnpackFunction};
use crate::format::{Format, Scaling};
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Panels: weights as unsigned bytes, four columns of 16 rows in a line, dword = row; see `tile::group_bytes`.
pub(super) fn kernel(format: Format) -> PanelKernel {
    let (width, offset) = range(format);
    PanelKernel {
        offset,
        group_bytes: group_bytes(width, format.scaling()),
        unpack: unpack_function(format),
        start: None,
        multiply: tile::function(width, format.scaling(), offset != 0),
    }
}

/// The width of the values of a format, and what is added to make them unsigned.
pub(super) const fn range(format: Format) -> (Width, i32) {
    use Format::*;
    match format {
        Q4_1 | Q2_K | Q4_K => (Width::UpTo15, 0),
        Q1_0 | Q2_0 | TQ1_0 | TQ2_0 => (Width::UpTo15, 1),
        Q3_K => (Width::UpTo15, 4),
        Q4_0 => (Width::UpTo15, 8),
        Q5_1 | Q5_K => (Width::UpTo31, 0),
        MXFP4 | NVFP4 => (Width::UpTo31, 12),
        Q5_0 | IQ1_S | IQ1_M | IQ3_S => (Width::UpTo31, 16),
        Q6_K => (Width::UpTo63, 32),
        IQ2_XXS | IQ2_XS | IQ2_S | IQ3_XXS => (Width::UpTo127, 64),
        Q8_0 | IQ4_NL | IQ4_XS => (Width::Split, 128),
        F32 | F16 | BF16 => panic!("no panels of floats"),
    }
}

fn unpack_function(format: Format) -> UnpackFunction {
    match format {
        Format::Q4_0 => unpack::<Q4_0>,
        Format::Q4_1 => unpack::<Q4_1>,
        Format::Q5_0 => unpack::<Q5_0>,
        Format::Q5_1 => unpack::<Q5_1>,
        Format::Q8_0 => unpack::<Q8_0>,
        Format::IQ4_NL => unpack::<Iq4Nl>,
        Format::MXFP4 => unpack::<Mxfp4>,
        Format::Q2_K => unpack::<Q2K>,
        Format::Q3_K => unpack::<Q3K>,
        Format::Q4_K => unpack::<Q4K>,
        Format::Q5_K => unpack::<Q5K>,
        Format::Q6_K => unpack::<Q6K>,
        Format::IQ4_XS => unpack::<Iq4Xs>,
        Format::IQ1_S => unpack_eights::<Iq1S>,
        Format::IQ1_M => unpack_eights::<Iq1M>,
        Format::IQ2_XXS => unpack_eights::<Iq2Xxs>,
        Format::IQ2_XS => unpack_eights::<Iq2Xs>,
        Format::IQ2_S => unpack_eights::<Iq2S>,
        Format::IQ3_XXS => unpack_eights::<Iq3Xxs>,
        Format::IQ3_S => unpack_eights::<Iq3S>,
        Format::TQ1_0 => unpack_eights::<Tq1>,
        Format::TQ2_0 => unpack_eights::<Tq2>,
        Format::NVFP4 => unpack_eights::<Nvfp4>,
        Format::Q1_0 => unpack_eights::<Q1_0>,
        Format::Q2_0 => unpack_eights::<Q2_0>,
        Format::F32 | Format::F16 | Format::BF16 => unpack_any,
    }
}

/// A format whose blocks of 8 rows are unpacked at once.
pub(super) trait Rows {
    const FORMAT: Format;
    const SCALING: Scaling;
    const BYTES: usize;
    const GROUPS: usize;

    /// Unpacks one block of 8 rows that lie `stride` bytes apart.
    ///
    /// # Safety
    /// The blocks can be read, the panel has their groups; the processor has the instructions.
    unsafe fn unpack(first: *const u8, stride: usize, groups: Groups);
}

/// # Safety
/// 16 rows of a matrix of the format at most, and its panel.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn unpack<R: Rows>(matrix: &Matrix<'_>, panel: &mut [u8]) {
    if matrix.rows() < PANEL_ROWS {
        return unpack_any(matrix, panel);
    }
    let stride = matrix.row_bytes();
    for block in 0..stride / R::BYTES {
        for vector in 0..PANEL_ROWS / 8 {
            // SAFETY: the matrix has 16 rows of so many blocks, the panel their groups.
            unsafe {
                let first = matrix.bytes().as_ptr().add(vector * 8 * stride + block * R::BYTES);
                R::unpack(first, stride, Groups::new::<R>(panel, block, vector));
            }
        }
    }
}

/// 8 rows of groups of a panel that are written.
#[derive(Clone, Copy)]
pub(super) struct Groups {
    first: *mut u8,
    bytes: usize,
    weight_lines: usize,
}

impl Groups {
    /// # Safety
    /// The panel has the groups of the block.
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn new<R: Rows>(panel: &mut [u8], block: usize, vector: usize) -> Self {
        let width = const { range(R::FORMAT).0 };
        let bytes = const { group_bytes(range(R::FORMAT).0, R::SCALING) };
        Self {
            // SAFETY: as the caller promises.
            first: unsafe { panel.as_mut_ptr().add(block * R::GROUPS * bytes + vector * 32) },
            bytes,
            weight_lines: weight_lines(width),
        }
    }

    /// Weights of columns 4 * step.. of a group.
    ///
    /// # Safety
    /// The block has the group.
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn weights(self, group: usize, step: usize, weights: __m256i) {
        // SAFETY: the first lines of a group are weights.
        unsafe { _mm256_store_si256(self.first.add(group * self.bytes + step * LINE).cast(), weights) }
    }

    /// The same of split weights.
    ///
    /// # Safety
    /// As above, of a format with split weights.
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn split_weights(self, group: usize, step: usize, [low, high]: [__m256i; 2]) {
        // SAFETY: as the caller promises.
        unsafe {
            self.weights(group, step, low);
            self.weights(group, STEPS + step, high);
        }
    }

    /// Scales, then minimums.
    ///
    /// # Safety
    /// The block has the group, the format so many numbers.
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn numbers(self, group: usize, index: usize, numbers: __m256) {
        let line = self.weight_lines + index;
        // SAFETY: they follow the weights.
        unsafe { _mm256_store_ps(self.first.add(group * self.bytes + line * LINE).cast(), numbers) }
    }
}

/// Unpacks any format, and any number of rows, through the reference.
pub(super) fn unpack_any(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let format = matrix.format();
    let (width, offset) = range(format);
    let group_bytes = group_bytes(width, format.scaling());
    unpack_rows(matrix, |group, row, weights| {
        let group = &mut panel[group * group_bytes..][..group_bytes];
        for (step, values) in weights.values.as_chunks::<4>().0.iter().enumerate() {
            let bytes = values.map(|value| value.cast_unsigned().wrapping_add(offset as u8));
            let mut write = |line: usize, bytes: [u8; 4]| {
                group[line * LINE + row * 4..][..4].copy_from_slice(&bytes);
            };
            if width == Width::Split {
                write(step, bytes.map(|byte| byte & 15));
                write(STEPS + step, bytes.map(|byte| byte >> 4));
            } else {
                write(step, bytes);
            }
        }
        let parts = if format.scaling().has_halves() { 2 } else { 1 };
        let numbers = weights.scales[..parts].iter().chain(&weights.minimums[..parts]);
        for (line, number) in group[weight_lines(width) * LINE..].chunks_exact_mut(LINE).zip(numbers) {
            line[row * 4..][..4].copy_from_slice(&number.to_ne_bytes());
        }
    });
    const { assert!(PANEL_ROWS * 4 == LINE && GROUP == STEPS * 4) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unpack::unpack_group;

    #[test]
    fn values_fit_their_width() {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for format in Format::all().filter(|format| format.scaling() != Scaling::Float) {
            let (width, offset) = range(format);
            let most = match width {
                Width::UpTo15 => 15,
                Width::UpTo31 => 31,
                Width::UpTo63 => 63,
                Width::UpTo127 => 127,
                Width::Split => 255,
            };
            for _ in 0..1000 {
                let block: Vec<u8> = (0..format.block_bytes()).map(|_| random()).collect();
                for group in 0..format.block_elements() / GROUP {
                    for value in unpack_group(format, &block, group).values {
                        let unsigned = i32::from(value) + offset;
                        assert!((0..=most).contains(&unsigned), "{}: {value}", format.name());
                    }
                }
            }
        }
    }
}

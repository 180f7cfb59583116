use std::arch::x86_64::*;

use super::{panel_blocks, panel_k, tile};
use crate::arch::buffer::LINE;
use crate::arch::generic::unpack_rows;
use crate::arch::products::{PANEL_ROWS, PanelKernel, UnpackFunction};
use crate::format::Format;
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Panels: weights as unsigned bytes, four columns of 16 rows in a vector, lane = row; see `tile::group_bytes`.
pub(super) fn kernel(format: Format) -> PanelKernel {
    PanelKernel {
        offset: offset(format),
        group_bytes: tile::group_bytes(format.scaling()),
        unpack: unpack_function(format),
        multiply: tile::function(format),
    }
}

/// What is added to the values of a format.
fn offset(format: Format) -> i32 {
    match format {
        Format::Q4_0 => 8,
        Format::Q5_0 => 16,
        Format::Q3_K => 4,
        Format::Q6_K => 32,
        _ if format.scaling().has_minimum() => 0,
        _ => 128,
    }
}

fn unpack_function(format: Format) -> UnpackFunction {
    match format {
        Format::Q4_0 => panel_blocks::q4_0,
        Format::Q4_1 => panel_blocks::q4_1,
        Format::Q5_0 => panel_blocks::q5_0,
        Format::Q5_1 => panel_blocks::q5_1,
        Format::Q8_0 => panel_blocks::q8_0,
        Format::IQ4_NL => panel_blocks::iq4_nl,
        Format::MXFP4 => panel_blocks::mxfp4,
        Format::Q2_K => panel_k::q2_k,
        Format::Q3_K => panel_k::q3_k,
        Format::Q4_K => panel_k::q4_k,
        Format::Q5_K => panel_k::q5_k,
        Format::Q6_K => panel_k::q6_k,
        Format::IQ4_XS => panel_k::iq4_xs,
        _ => unpack_any,
    }
}

/// A group of a panel that is written.
#[derive(Clone, Copy)]
pub(super) struct PanelGroup(*mut u8);

impl PanelGroup {
    /// # Safety
    /// The panel has the group, of `bytes` bytes.
    #[inline]
    pub unsafe fn new(panel: &mut [u8], group: usize, bytes: usize) -> Self {
        // SAFETY: as the caller promises.
        Self(unsafe { panel.as_mut_ptr().add(group * bytes) })
    }

    /// The group `index` groups after this one.
    ///
    /// # Safety
    /// The panel has it.
    #[inline]
    pub unsafe fn after(self, index: usize, bytes: usize) -> Self {
        // SAFETY: as the caller promises.
        Self(unsafe { self.0.add(index * bytes) })
    }

    /// Weights of columns 4 * step.. of the group.
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    pub fn weights(self, step: usize, weights: __m512i) {
        // SAFETY: the first 8 lines of a group are weights.
        unsafe { _mm512_store_si512(self.0.add(step * LINE).cast(), weights) }
    }

    /// Scales, then minimums.
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    pub fn numbers(self, index: usize, numbers: __m512) {
        // SAFETY: the caller writes those that the format has.
        unsafe { _mm512_store_ps(self.0.add((GROUP / 4 + index) * LINE).cast(), numbers) }
    }
}

/// Unpacks any format, and any number of rows, through the reference.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn unpack_any(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let format = matrix.format();
    let group_bytes = tile::group_bytes(format.scaling());
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

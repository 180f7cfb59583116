//! Few tokens: four rows at a time, each read from its begin to its end. Units become one product per group (or half
//! of a group) and token, lane = group, stored in the first-level cache; then the products of the rows are added in
//! their order, lane = row.

use std::arch::aarch64::*;

use super::blocks::*;
use super::codebook::*;
use super::dot::dot;
use super::few_bits::*;
use super::four_bits::*;
use super::grids::*;
use super::numbers::zero;
use super::two_bits::*;
use super::unit::{End, Numbers, Unit};
use crate::arch::buffer::Buffer;
use crate::arch::products::{Arrangement, StreamKernel};
use crate::format::Format;
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Tokens of one pass over the weights: their sums of four groups fill half of the registers.
const MOST_TOKENS: usize = 4;
/// Rows whose products are added together.
const ROWS: usize = 4;

pub(super) fn kernel(format: Format) -> Option<StreamKernel> {
    fn of<U: Unit>() -> Option<StreamKernel> {
        Some(StreamKernel {
            arrangement: &ARRANGEMENT,
            tokens: MOST_TOKENS,
            function: multiply::<U>,
        })
    }
    match format {
        Format::Q4_0 => of::<Q4_0>(),
        Format::Q4_1 => of::<Q4_1>(),
        Format::Q5_0 => of::<Q5_0>(),
        Format::Q5_1 => of::<Q5_1>(),
        Format::Q8_0 => of::<Q8_0>(),
        Format::Q2_K => of::<Q2K>(),
        Format::Q3_K => of::<Q3K>(),
        Format::Q4_K => of::<Q4K>(),
        Format::Q5_K => of::<Q5K>(),
        Format::Q6_K => of::<Q6K>(),
        Format::IQ4_NL => of::<Iq4Nl>(),
        Format::IQ4_XS => of::<Iq4Xs>(),
        Format::MXFP4 => of::<Mxfp4>(),
        Format::IQ1_S => of::<Iq1S>(),
        Format::IQ1_M => of::<Iq1M>(),
        Format::IQ2_XXS => of::<Iq2Xxs>(),
        Format::IQ2_XS => of::<Iq2Xs>(),
        Format::IQ2_S => of::<Iq2S>(),
        Format::IQ3_XXS => of::<Iq3Xxs>(),
        Format::IQ3_S => of::<Iq3S>(),
        Format::TQ1_0 => of::<Tq1>(),
        Format::TQ2_0 => of::<Tq2>(),
        Format::NVFP4 => of::<Nvfp4>(),
        Format::Q1_0 => of::<Q1_0>(),
        Format::Q2_0 => of::<Q2_0>(),
        Format::F32 | Format::F16 | Format::BF16 => None,
    }
}

/// Values, scales, scales times sums of groups, scales times sums of halves; zeros up to a multiple of four groups.
static ARRANGEMENT: Arrangement = Arrangement {
    bytes: |columns| padded(columns / GROUP) * (GROUP + 4 * size_of::<f32>()),
    arrange: |row, output| {
        let groups = padded(row.scales.len());
        let (values, numbers) = output.split_at_mut(groups * GROUP);
        values.fill(0);
        for (output, value) in values.iter_mut().zip(row.values) {
            *output = value.cast_unsigned();
        }
        let (scales, weighted) = numbers.split_at_mut(groups * size_of::<f32>());
        let (of_groups, of_halves) = weighted.split_at_mut(groups * size_of::<f32>());
        write(scales, row.scales.iter().copied());
        let of_row = row.scales.iter().zip(row.sums);
        write(
            of_groups,
            of_row
                .clone()
                .map(|(scale, [first, second])| scale * (first + second) as f32),
        );
        let halves = of_row.flat_map(|(scale, sums)| sums.iter().map(move |sum| scale * *sum as f32));
        write(of_halves, halves);
    },
};

fn write(output: &mut [u8], numbers: impl Iterator<Item = f32>) {
    let zeros = std::iter::repeat(0.0);
    for (output, number) in output.as_chunks_mut().0.iter_mut().zip(numbers.chain(zeros)) {
        *output = number.to_ne_bytes();
    }
}

const fn padded(groups: usize) -> usize {
    groups.next_multiple_of(4)
}

/// An arranged row.
#[derive(Clone, Copy)]
struct Activations {
    values: *const i8,
    scales: *const f32,
    /// Of groups or of halves.
    weighted: *const f32,
}

impl Activations {
    fn new(arranged: &[u8], columns: usize, parts: usize) -> Self {
        assert_eq!(arranged.len(), (ARRANGEMENT.bytes)(columns));
        let groups = padded(columns / GROUP);
        let numbers = arranged[groups * GROUP..].as_ptr().cast::<f32>();
        Self {
            values: arranged.as_ptr().cast(),
            scales: numbers,
            weighted: numbers.wrapping_add(parts * groups),
        }
    }

    /// # Safety
    /// The row has the group.
    #[inline(always)]
    unsafe fn from(self, group: usize, parts: usize) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            Self {
                values: self.values.add(group * GROUP),
                scales: self.scales.add(group),
                weighted: self.weighted.add(group * parts),
            }
        }
    }
}

/// # Safety
/// As [`StreamKernel::multiply`] checks; the matrix has the unit's format.
#[target_feature(enable = "neon,dotprod")]
unsafe fn multiply<U: Unit>(matrix: &Matrix<'_>, arranged: &[&[u8]], memory: &mut Buffer, sums: &mut [f32]) {
    // SAFETY: as the caller promises; there are as many tokens.
    unsafe {
        match arranged.len() {
            1 => multiply_tokens::<U, 1>(matrix, arranged, memory, sums),
            2 => multiply_tokens::<U, 2>(matrix, arranged, memory, sums),
            3 => multiply_tokens::<U, 3>(matrix, arranged, memory, sums),
            _ => multiply_tokens::<U, 4>(matrix, arranged, memory, sums),
        }
    }
}

/// # Safety
/// As above, with `TOKENS` tokens.
#[target_feature(enable = "neon,dotprod")]
unsafe fn multiply_tokens<U: Unit, const TOKENS: usize>(
    matrix: &Matrix<'_>,
    arranged: &[&[u8]],
    memory: &mut Buffer,
    sums: &mut [f32],
) {
    let columns = matrix.columns();
    let activations: [Activations; TOKENS] =
        std::array::from_fn(|token| Activations::new(arranged[token], columns, U::PARTS));
    let groups = columns / GROUP;
    let (count, stride) = (groups * U::PARTS, padded(groups) * U::PARTS);
    // (TOKENS, ROWS, stride)
    let products = memory.floats(TOKENS * ROWS * stride);
    let mut end = End::new();
    for first in (0..matrix.rows()).step_by(ROWS) {
        let rows = (matrix.rows() - first).min(ROWS);
        for row in 0..rows {
            let weights = matrix.row(first + row);
            let to: [*mut f32; TOKENS] =
                std::array::from_fn(|token| products[(token * ROWS + row) * stride..].as_mut_ptr());
            for index in 0..groups.div_ceil(U::GROUPS) {
                let unit = end.unit::<U>(weights, index).as_ptr();
                let group = index * U::GROUPS;
                // SAFETY: activations and products have the groups of the unit.
                unsafe {
                    let x = activations.map(|x| x.from(group, U::PARTS));
                    let to = to.map(|to| to.add(group * U::PARTS));
                    if U::PARTS == 1 {
                        multiply_groups::<U, TOKENS>(unit, &x, to);
                    } else {
                        multiply_halves::<U, TOKENS>(unit, &x, to);
                    }
                }
            }
        }
        for (token, products) in products.chunks_exact(ROWS * stride).enumerate() {
            let row_sums = sum_rows(products, stride, count);
            sums[token * matrix.rows() + first..][..rows].copy_from_slice(&row_sums[..rows]);
        }
    }
}

/// Products of the groups of a unit with each token.
///
/// # Safety
/// The unit, as many groups of activations can be read, as many products written.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn multiply_groups<U: Unit, const TOKENS: usize>(
    unit: *const u8,
    activations: &[Activations; TOKENS],
    products: [*mut f32; TOKENS],
) {
    // SAFETY: as the caller promises.
    unsafe {
        let numbers = U::numbers(unit);
        for four in 0..U::GROUPS / 4 {
            let mut dots = [[vdupq_n_s32(0); 4]; TOKENS];
            for index in 0..4 {
                let group = four * 4 + index;
                let [first, last] = U::values(unit, group);
                for (x, dots) in activations.iter().zip(&mut dots) {
                    let x = x.values.add(group * GROUP);
                    dots[index] = dot(dots[index], first, vld1q_s8(x));
                    dots[index] = dot(dots[index], last, vld1q_s8(x.add(16)));
                }
            }
            for ((x, dots), to) in activations.iter().zip(dots).zip(products) {
                let dx = vld1q_f32(x.scales.add(four * 4));
                let product = scaled::<U>(&numbers, four, add_lanes(dots), dx, x.weighted);
                vst1q_f32(to.add(four * 4), product);
            }
        }
    }
}

/// The same for formats with halves.
///
/// # Safety
/// As above.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn multiply_halves<U: Unit, const TOKENS: usize>(
    unit: *const u8,
    activations: &[Activations; TOKENS],
    products: [*mut f32; TOKENS],
) {
    // SAFETY: as the caller promises.
    unsafe {
        let numbers = U::numbers(unit);
        for pair in 0..U::GROUPS / 2 {
            let mut dots = [[vdupq_n_s32(0); 4]; TOKENS];
            for index in 0..2 {
                let group = pair * 2 + index;
                let [first, last] = U::values(unit, group);
                for (x, dots) in activations.iter().zip(&mut dots) {
                    let x = x.values.add(group * GROUP);
                    dots[index * 2] = dot(dots[index * 2], first, vld1q_s8(x));
                    dots[index * 2 + 1] = dot(dots[index * 2 + 1], last, vld1q_s8(x.add(16)));
                }
            }
            for ((x, dots), to) in activations.iter().zip(dots).zip(products) {
                let dx = vld1_f32(x.scales.add(pair * 2));
                let dx = vcombine_f32(vdup_lane_f32::<0>(dx), vdup_lane_f32::<1>(dx));
                let product = scaled::<U>(&numbers, pair, add_lanes(dots), dx, x.weighted);
                vst1q_f32(to.add(pair * 4), product);
            }
        }
    }
}

/// Products `index * 4..` of a unit.
///
/// # Safety
/// They have weighted sums.
#[inline(always)]
unsafe fn scaled<U: Unit>(
    numbers: &Numbers,
    index: usize,
    dots: int32x4_t,
    dx: float32x4_t,
    weighted: *const f32,
) -> float32x4_t {
    // SAFETY: as the caller promises.
    unsafe {
        let product = vmulq_f32(vcvtq_f32_s32(dots), vmulq_f32(numbers.scales[index], dx));
        if U::MINIMUM {
            vfmaq_f32(product, numbers.minimums[index], vld1q_f32(weighted.add(index * 4)))
        } else {
            product
        }
    }
}

/// The sum of the lanes of each.
#[inline(always)]
fn add_lanes(x: [int32x4_t; 4]) -> int32x4_t {
    // SAFETY: part of the target.
    unsafe { vpaddq_s32(vpaddq_s32(x[0], x[1]), vpaddq_s32(x[2], x[3])) }
}

/// Sums of `count` products of each row, in their order from +0; rows lie `stride` apart, a multiple of four.
#[inline(always)]
fn sum_rows(products: &[f32], stride: usize, count: usize) -> [f32; ROWS] {
    assert!(count <= stride && stride.is_multiple_of(4) && products.len() >= ROWS * stride);
    let mut sums = zero();
    for column in (0..count).step_by(4) {
        // SAFETY: four products from here on are inside every row.
        let [a, b, c, d] = [0, 1, 2, 3].map(|row| unsafe { vld1q_f32(products.as_ptr().add(row * stride + column)) });
        for column in transpose([a, b, c, d]).into_iter().take(count - column) {
            // SAFETY: part of the target.
            sums = unsafe { vaddq_f32(sums, column) };
        }
    }
    let mut output = [0.0; ROWS];
    // SAFETY: four floats.
    unsafe { vst1q_f32(output.as_mut_ptr(), sums) };
    output
}

/// Lane l of vector k becomes lane k of vector l.
#[inline(always)]
fn transpose([a, b, c, d]: [float32x4_t; 4]) -> [float32x4_t; 4] {
    // SAFETY: part of the target.
    unsafe {
        let (even, odd) = (vzip1q_f32(a, c), vzip1q_f32(b, d));
        let (even_last, odd_last) = (vzip2q_f32(a, c), vzip2q_f32(b, d));
        [
            vzip1q_f32(even, odd),
            vzip2q_f32(even, odd),
            vzip1q_f32(even_last, odd_last),
            vzip2q_f32(even_last, odd_last),
        ]
    }
}

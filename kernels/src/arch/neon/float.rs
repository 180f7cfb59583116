use std::arch::aarch64::*;

use super::numbers::zero;
use crate::arch::products::{FloatFunction, TileSums};
use crate::format::Format;
use crate::matrix::Matrix;

/// Partial sums of a product: four vectors.
const LANES: usize = 16;
const VECTORS: usize = LANES / 4;
/// Tokens of one pass over the weights.
const MOST_TOKENS: usize = 4;

type Vectors = [float32x4_t; VECTORS];

pub(super) fn function(format: Format) -> FloatFunction {
    match format {
        Format::F32 => multiply::<F32>,
        Format::F16 => multiply::<F16>,
        Format::BF16 => multiply::<BF16>,
        _ => panic!("{} is quantized", format.name()),
    }
}

trait Number {
    const BYTES: usize;

    fn one(bytes: &[u8]) -> f32;

    /// # Safety
    /// 16 numbers can be read.
    unsafe fn sixteen(from: *const u8) -> Vectors;
}

enum F32 {}
enum F16 {}
enum BF16 {}

impl Number for F32 {
    const BYTES: usize = 4;

    fn one(bytes: &[u8]) -> f32 {
        bytes
            .as_chunks()
            .0
            .first()
            .map_or(0.0, |bytes| f32::from_le_bytes(*bytes))
    }

    #[inline(always)]
    unsafe fn sixteen(from: *const u8) -> Vectors {
        // SAFETY: as the caller promises; bytes need no alignment.
        std::array::from_fn(|i| unsafe { vreinterpretq_f32_u8(vld1q_u8(from.add(16 * i))) })
    }
}

impl Number for F16 {
    const BYTES: usize = 2;

    fn one(bytes: &[u8]) -> f32 {
        half::f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
    }

    #[inline(always)]
    unsafe fn sixteen(from: *const u8) -> Vectors {
        // SAFETY: as the caller promises.
        unsafe {
            let (first, last) = (vld1q_u8(from), vld1q_u8(from.add(16)));
            let [first, last] = [first, last].map(|x| vreinterpretq_f16_u8(x));
            [
                vcvt_f32_f16(vget_low_f16(first)),
                vcvt_high_f32_f16(first),
                vcvt_f32_f16(vget_low_f16(last)),
                vcvt_high_f32_f16(last),
            ]
        }
    }
}

impl Number for BF16 {
    const BYTES: usize = 2;

    fn one(bytes: &[u8]) -> f32 {
        half::bf16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
    }

    #[inline(always)]
    unsafe fn sixteen(from: *const u8) -> Vectors {
        // SAFETY: as the caller promises.
        unsafe {
            let none = vdupq_n_u16(0);
            let first = vreinterpretq_u16_u8(vld1q_u8(from));
            let last = vreinterpretq_u16_u8(vld1q_u8(from.add(16)));
            [
                vreinterpretq_f32_u16(vzip1q_u16(none, first)),
                vreinterpretq_f32_u16(vzip2q_u16(none, first)),
                vreinterpretq_f32_u16(vzip1q_u16(none, last)),
                vreinterpretq_f32_u16(vzip2q_u16(none, last)),
            ]
        }
    }
}

/// # Safety
/// As [`Products::multiply_floats`](crate::arch::products::Products::multiply_floats) checks; the matrix holds such
/// numbers.
unsafe fn multiply<N: Number>(matrix: &Matrix<'_>, input: &[f32], sums: &mut TileSums) {
    let chunks = input.chunks(MOST_TOKENS * matrix.columns());
    for (input, sums) in chunks.zip(sums.chunks_mut(MOST_TOKENS)) {
        // SAFETY: as the caller promises; the input has as many tokens.
        unsafe {
            match input.len() / matrix.columns() {
                1 => rows::<N, 1, 2>(matrix, input, sums),
                2 => rows::<N, 2, 2>(matrix, input, sums),
                3 => rows::<N, 3, 1>(matrix, input, sums),
                _ => rows::<N, 4, 1>(matrix, input, sums),
            }
        }
    }
}

/// # Safety
/// As above, with `TOKENS` tokens.
unsafe fn rows<N: Number, const TOKENS: usize, const ROWS: usize>(
    matrix: &Matrix<'_>,
    input: &[f32],
    sums: &mut [[f32; 16]],
) {
    let mut row = 0;
    while row + ROWS <= matrix.rows() {
        // SAFETY: as the caller promises; the rows are inside the matrix.
        unsafe { dots::<N, TOKENS, ROWS>(matrix, row, input, sums) };
        row += ROWS;
    }
    while row < matrix.rows() {
        // SAFETY: as above.
        unsafe { dots::<N, TOKENS, 1>(matrix, row, input, sums) };
        row += 1;
    }
}

/// # Safety
/// As above, with `ROWS` rows from `first` on inside the matrix.
#[inline]
unsafe fn dots<N: Number, const TOKENS: usize, const ROWS: usize>(
    matrix: &Matrix<'_>,
    first: usize,
    input: &[f32],
    sums: &mut [[f32; 16]],
) {
    let columns = matrix.columns();
    let whole = columns / LANES * LANES;
    let weights: [&[u8]; ROWS] = std::array::from_fn(|row| matrix.row(first + row));
    let x: [&[f32]; TOKENS] = std::array::from_fn(|token| &input[token * columns..][..columns]);
    let mut accumulators = [[[zero(); VECTORS]; TOKENS]; ROWS];
    for column in (0..whole).step_by(LANES) {
        // SAFETY: 16 columns from here on are inside every row.
        let x = x.map(|x| -> Vectors { std::array::from_fn(|i| unsafe { vld1q_f32(x.as_ptr().add(column + 4 * i)) }) });
        for (row, accumulators) in weights.iter().zip(&mut accumulators) {
            // SAFETY: as above.
            let weights = unsafe { N::sixteen(row.as_ptr().add(column * N::BYTES)) };
            for (x, accumulators) in x.iter().zip(accumulators) {
                for ((accumulator, weight), x) in accumulators.iter_mut().zip(weights).zip(x) {
                    // SAFETY: part of the target.
                    *accumulator = unsafe { vfmaq_f32(*accumulator, weight, *x) };
                }
            }
        }
    }
    for (row, accumulators) in accumulators.into_iter().enumerate() {
        let rest = weights[row][whole * N::BYTES..].chunks_exact(N::BYTES);
        for (token, accumulators) in accumulators.into_iter().enumerate() {
            let mut lanes = [0.0f32; LANES];
            for (lanes, accumulator) in lanes.chunks_exact_mut(4).zip(accumulators) {
                // SAFETY: four lanes.
                unsafe { vst1q_f32(lanes.as_mut_ptr(), accumulator) };
            }
            for ((lane, weight), x) in lanes.iter_mut().zip(rest.clone()).zip(&x[token][whole..]) {
                *lane = N::one(weight).mul_add(*x, *lane);
            }
            sums[token][first + row] = sum(lanes);
        }
    }
}

/// Pairwise: (l, l+8), then (l, l+4), (l, l+2), (l, l+1).
#[inline(always)]
fn sum(mut lanes: [f32; LANES]) -> f32 {
    for width in [8, 4, 2, 1] {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
    }
    lanes[0]
}

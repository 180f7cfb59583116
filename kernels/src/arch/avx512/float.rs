use std::arch::x86_64::*;

use crate::arch::products::{FloatFunction, PANEL_ROWS, TileSums};
use crate::format::Format;
use crate::matrix::Matrix;

const LANES: usize = 16;
/// How far ahead of the multiplication weights are fetched into the second-level cache.
const AHEAD: usize = 8192;

pub(super) fn function(format: Format) -> FloatFunction {
    match format {
        Format::F32 => multiply::<4, false>,
        Format::F16 => multiply::<2, false>,
        Format::BF16 => multiply::<2, true>,
        _ => panic!("{} is quantized", format.name()),
    }
}

/// # Safety
/// As [`Products::multiply_floats`](crate::arch::products::Products::multiply_floats) checks; `BYTES` and `BRAIN`
/// are the matrix's format.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn multiply<const BYTES: usize, const BRAIN: bool>(matrix: &Matrix<'_>, input: &[f32], sums: &mut TileSums) {
    // Four rows of weights and of activations may lie in one set of the first-level cache: more do not fit.
    let four = 4 * matrix.columns();
    for (input, sums) in input.chunks(four).zip(sums.chunks_mut(4)) {
        // SAFETY: as the caller promises; the input has as many tokens.
        unsafe {
            match input.len() / matrix.columns() {
                1 => rows::<1, 1, BYTES, BRAIN>(matrix, input, sums),
                2 => rows::<2, 2, BYTES, BRAIN>(matrix, input, sums),
                3 => rows::<3, 4, BYTES, BRAIN>(matrix, input, sums),
                _ => rows::<4, 4, BYTES, BRAIN>(matrix, input, sums),
            }
        }
    }
}

/// # Safety
/// As above.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn rows<const TOKENS: usize, const ROWS: usize, const BYTES: usize, const BRAIN: bool>(
    matrix: &Matrix<'_>,
    input: &[f32],
    sums: &mut [[f32; PANEL_ROWS]],
) {
    let mut row = 0;
    while row + ROWS <= matrix.rows() {
        // SAFETY: as the caller promises; the rows are inside the matrix.
        unsafe { dots::<TOKENS, ROWS, BYTES, BRAIN>(matrix, row, input, sums) };
        row += ROWS;
    }
    while row < matrix.rows() {
        // SAFETY: as above.
        unsafe { dots::<TOKENS, 1, BYTES, BRAIN>(matrix, row, input, sums) };
        row += 1;
    }
}

/// # Safety
/// As above, with `ROWS` rows from `first` on inside the matrix.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn dots<const TOKENS: usize, const ROWS: usize, const BYTES: usize, const BRAIN: bool>(
    matrix: &Matrix<'_>,
    first: usize,
    input: &[f32],
    sums: &mut [[f32; PANEL_ROWS]],
) {
    let columns = matrix.columns();
    let weights = matrix.row(first).as_ptr();
    let mut accumulators = [[_mm512_setzero_ps(); TOKENS]; ROWS];
    let whole = columns / LANES * LANES;
    for column in (0..whole).step_by(LANES) {
        if TOKENS == 1 {
            _mm_prefetch(weights.wrapping_add(column * BYTES + AHEAD).cast(), _MM_HINT_T1);
        }
        // SAFETY: 16 columns from here on are inside every row.
        let x: [__m512; TOKENS] =
            std::array::from_fn(|token| unsafe { _mm512_loadu_ps(input.as_ptr().add(token * columns + column)) });
        for (row, accumulators) in accumulators.iter_mut().enumerate() {
            // SAFETY: as above.
            let weight = unsafe { load::<BYTES, BRAIN>(weights.add((row * columns + column) * BYTES), !0) };
            for (accumulator, x) in accumulators.iter_mut().zip(x) {
                *accumulator = _mm512_fmadd_ps(weight, x, *accumulator);
            }
        }
    }
    if whole < columns {
        let mask = (1u16 << (columns - whole)) - 1;
        for (row, accumulators) in accumulators.iter_mut().enumerate() {
            // SAFETY: the mask keeps to the columns.
            let weight = unsafe { load::<BYTES, BRAIN>(weights.add((row * columns + whole) * BYTES), mask) };
            for (token, accumulator) in accumulators.iter_mut().enumerate() {
                // SAFETY: as above.
                let x = unsafe { _mm512_maskz_loadu_ps(mask, input.as_ptr().add(token * columns + whole)) };
                *accumulator = _mm512_mask3_fmadd_ps(weight, x, *accumulator, mask);
            }
        }
    }
    for (row, accumulators) in accumulators.into_iter().enumerate() {
        for (token, accumulator) in accumulators.into_iter().enumerate() {
            sums[token][first + row] = sum(accumulator);
        }
    }
}

/// # Safety
/// The numbers that the mask has can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn load<const BYTES: usize, const BRAIN: bool>(from: *const u8, mask: u16) -> __m512 {
    if BYTES == 4 {
        // SAFETY: as the caller promises.
        return unsafe { _mm512_maskz_loadu_ps(mask, from.cast()) };
    }
    // SAFETY: as the caller promises.
    let words = unsafe { _mm256_maskz_loadu_epi16(mask, from.cast()) };
    if BRAIN {
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(words), 16));
    }
    _mm512_cvtph_ps(words)
}

/// Pairwise: (l, l+8), then (l, l+4), (l, l+2), (l, l+1).
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn sum(x: __m512) -> f32 {
    let x = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
}

use std::arch::x86_64::*;

use crate::arch::products::{FloatFunction, TileSums};
use crate::format::Format;
use crate::matrix::Matrix;

/// Lanes of a sum, two vectors.
const LANES: usize = 16;
/// How far ahead of the multiplication weights are fetched into the second-level cache.
const AHEAD: usize = 8192;

pub(super) fn function(format: Format) -> FloatFunction {
    match format {
        Format::F32 => multiply::<F32>,
        Format::F16 => multiply::<F16>,
        Format::BF16 => multiply::<BF16>,
        _ => panic!("{} is quantized", format.name()),
    }
}

/// Numbers of a format.
trait Number {
    const BYTES: usize;

    /// Eight of them.
    ///
    /// # Safety
    /// They can be read, and the processor has the instructions.
    unsafe fn load(from: *const u8) -> __m256;
}

enum F32 {}
impl Number for F32 {
    const BYTES: usize = 4;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn load(from: *const u8) -> __m256 {
        // SAFETY: as the caller promises.
        unsafe { _mm256_loadu_ps(from.cast()) }
    }
}

enum F16 {}
impl Number for F16 {
    const BYTES: usize = 2;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn load(from: *const u8) -> __m256 {
        // SAFETY: as the caller promises.
        _mm256_cvtph_ps(unsafe { _mm_loadu_si128(from.cast()) })
    }
}

enum BF16 {}
impl Number for BF16 {
    const BYTES: usize = 2;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn load(from: *const u8) -> __m256 {
        // SAFETY: as the caller promises.
        let words = _mm256_cvtepu16_epi32(unsafe { _mm_loadu_si128(from.cast()) });
        _mm256_castsi256_ps(_mm256_slli_epi32(words, 16))
    }
}

/// # Safety
/// As [`Products::multiply_floats`](crate::arch::products::Products::multiply_floats) checks; the matrix has
/// numbers `N`.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn multiply<N: Number>(matrix: &Matrix<'_>, input: &[f32], sums: &mut TileSums) {
    // SAFETY: as the caller promises; the input has as many tokens.
    unsafe {
        match input.len() / matrix.columns() {
            1 => rows::<N, 1, 1>(matrix, 0, input, sums),
            2 => rows::<N, 2, 2>(matrix, 0, input, sums),
            3 => rows::<N, 2, 3>(matrix, 0, input, sums),
            4 => {
                rows::<N, 2, 2>(matrix, 0, input, sums);
                rows::<N, 2, 2>(matrix, 2, input, sums);
            }
            5 => {
                rows::<N, 2, 3>(matrix, 0, input, sums);
                rows::<N, 2, 2>(matrix, 3, input, sums);
            }
            6 => {
                rows::<N, 2, 3>(matrix, 0, input, sums);
                rows::<N, 2, 3>(matrix, 3, input, sums);
            }
            7 => {
                rows::<N, 2, 3>(matrix, 0, input, sums);
                rows::<N, 2, 2>(matrix, 3, input, sums);
                rows::<N, 2, 2>(matrix, 5, input, sums);
            }
            _ => {
                rows::<N, 2, 3>(matrix, 0, input, sums);
                rows::<N, 2, 3>(matrix, 3, input, sums);
                rows::<N, 2, 2>(matrix, 6, input, sums);
            }
        }
    }
}

/// All rows, `ROWS` at once, with `TOKENS` tokens from `token` on.
///
/// # Safety
/// As above.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn rows<N: Number, const ROWS: usize, const TOKENS: usize>(
    matrix: &Matrix<'_>,
    token: usize,
    input: &[f32],
    sums: &mut TileSums,
) {
    let input = &input[token * matrix.columns()..][..TOKENS * matrix.columns()];
    let sums = &mut sums[token..][..TOKENS];
    let mut row = 0;
    while row + ROWS <= matrix.rows() {
        // SAFETY: as the caller promises; the rows are inside the matrix.
        unsafe { dots::<N, ROWS, TOKENS>(matrix, row, input, sums) };
        row += ROWS;
    }
    while row < matrix.rows() {
        // SAFETY: as above.
        unsafe { dots::<N, 1, TOKENS>(matrix, row, input, sums) };
        row += 1;
    }
}

/// # Safety
/// As above, with `ROWS` rows from `first` on inside the matrix; the input has `TOKENS` tokens.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn dots<N: Number, const ROWS: usize, const TOKENS: usize>(
    matrix: &Matrix<'_>,
    first: usize,
    input: &[f32],
    sums: &mut [[f32; 16]],
) {
    let columns = matrix.columns();
    let weights = matrix.row(first).as_ptr();
    let mut lanes = [[[_mm256_setzero_ps(); 2]; TOKENS]; ROWS];
    let whole = columns / LANES * LANES;
    for column in (0..whole).step_by(LANES) {
        if TOKENS == 1 {
            _mm_prefetch(weights.wrapping_add(column * N::BYTES + AHEAD).cast(), _MM_HINT_T1);
        }
        for half in 0..2 {
            let column = column + half * 8;
            // SAFETY: 8 columns from here on are inside every row.
            let weights: [__m256; ROWS] =
                std::array::from_fn(|row| unsafe { N::load(weights.add((row * columns + column) * N::BYTES)) });
            for token in 0..TOKENS {
                // SAFETY: and inside every token.
                let x = unsafe { _mm256_loadu_ps(input.as_ptr().add(token * columns + column)) };
                for (lanes, weight) in lanes.iter_mut().zip(weights) {
                    lanes[token][half] = _mm256_fmadd_ps(weight, x, lanes[token][half]);
                }
            }
        }
    }
    if whole < columns {
        let rest = columns - whole;
        for (row, lanes) in lanes.iter_mut().enumerate() {
            let mut last = [0u8; LANES * 4];
            let from = matrix.row(first + row);
            last[..rest * N::BYTES].copy_from_slice(&from[whole * N::BYTES..]);
            for (token, lanes) in lanes.iter_mut().enumerate() {
                let mut x = [0.0; LANES];
                x[..rest].copy_from_slice(&input[token * columns + whole..][..rest]);
                for (half, lanes) in lanes.iter_mut().enumerate() {
                    // SAFETY: both are 16 numbers.
                    let (weight, x) = unsafe {
                        (
                            N::load(last.as_ptr().add(half * 8 * N::BYTES)),
                            _mm256_loadu_ps(x.as_ptr().add(half * 8)),
                        )
                    };
                    let index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
                    let is_column = _mm256_cmpgt_epi32(_mm256_set1_epi32(rest as i32 - half as i32 * 8), index);
                    // Lanes without a column stay as they are: adding zero would lose the sign of -0.
                    let added = _mm256_fmadd_ps(weight, x, *lanes);
                    *lanes = _mm256_blendv_ps(*lanes, added, _mm256_castsi256_ps(is_column));
                }
            }
        }
    }
    for (row, lanes) in lanes.into_iter().enumerate() {
        for (sums, lanes) in sums.iter_mut().zip(lanes) {
            sums[first + row] = sum(lanes);
        }
    }
}

/// Pairwise: (l, l+8), then (l, l+4), (l, l+2), (l, l+1).
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn sum([low, high]: [__m256; 2]) -> f32 {
    let x = _mm256_add_ps(low, high);
    let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
}

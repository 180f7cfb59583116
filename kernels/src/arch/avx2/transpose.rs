use std::arch::x86_64::*;

/// Dword k of both 128-bit lanes of the four vectors, as vector k: lane l holds x[0..4] at 4 * l + k.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn transpose(x: [__m256i; 4]) -> [__m256i; 4] {
    let low = [_mm256_unpacklo_epi32(x[0], x[1]), _mm256_unpacklo_epi32(x[2], x[3])];
    let high = [_mm256_unpackhi_epi32(x[0], x[1]), _mm256_unpackhi_epi32(x[2], x[3])];
    [
        _mm256_unpacklo_epi64(low[0], low[1]),
        _mm256_unpackhi_epi64(low[0], low[1]),
        _mm256_unpacklo_epi64(high[0], high[1]),
        _mm256_unpackhi_epi64(high[0], high[1]),
    ]
}

/// Two times 16 bytes as the lanes of a vector.
///
/// # Safety
/// Both can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn load_lanes(low: *const u8, high: *const u8) -> __m256i {
    // SAFETY: as the caller promises.
    unsafe { _mm256_loadu2_m128i(high.cast(), low.cast()) }
}

/// 16 bytes of each of 8 rows that lie `stride` bytes apart: dword k of every row, in the order of rows, as vector k.
///
/// # Safety
/// The 16 bytes from `first + row * stride` on can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn load_columns(first: *const u8, stride: usize) -> [__m256i; 4] {
    // SAFETY: as the caller promises.
    transpose(std::array::from_fn(|row| unsafe {
        load_lanes(first.add(row * stride), first.add((row + 4) * stride))
    }))
}

/// The 4 bytes at `first` of each of 8 rows.
///
/// # Safety
/// The 4 bytes from `first + row * stride` on can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn load_dwords(first: *const u8, stride: usize) -> __m256i {
    // SAFETY: as the caller promises.
    let row = |index: usize| unsafe { first.add(index * stride).cast::<i32>().read_unaligned() };
    _mm256_setr_epi32(row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7))
}

/// The half-precision number at `first` of each of 8 rows.
///
/// # Safety
/// The 2 bytes from `first + row * stride` on can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn load_halves(first: *const u8, stride: usize) -> __m256 {
    // SAFETY: as the caller promises.
    let row = |index: usize| unsafe { first.add(index * stride).cast::<i16>().read_unaligned() };
    let (low, high) = ([row(0), row(1), row(2), row(3)], [row(4), row(5), row(6), row(7)]);
    _mm256_cvtph_ps(_mm_setr_epi16(
        low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3],
    ))
}

/// Low and high words as half-precision numbers.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn pairs_of_halves(x: __m256i) -> [__m256; 2] {
    // Words 0 2 4 6 of each lane, then 1 3 5 7.
    let order = _mm256_setr_epi8(
        0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15,
    );
    let words = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(x, order), 0b11_01_10_00);
    [
        _mm256_cvtph_ps(_mm256_castsi256_si128(words)),
        _mm256_cvtph_ps(_mm256_extracti128_si256(words, 1)),
    ]
}

/// Sums of the words of each 128-bit lane of the four vectors, those of x[k] as dword k of the lane. A word is at most
/// 16382 in absolute value.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn add_words(x: [__m256i; 4]) -> __m256i {
    let [a, b, c, d] = x.map(|x| _mm256_madd_epi16(x, _mm256_set1_epi16(1)));
    // Sums of two words fit a word.
    let pairs = |x, y| _mm256_madd_epi16(_mm256_packs_epi32(x, y), _mm256_set1_epi16(1));
    add_pairs(pairs(a, b), pairs(c, d))
}

/// Sums of the dwords of each 128-bit lane of the four vectors, those of x[k] as dword k of the lane.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn add_dwords([a, b, c, d]: [__m256i; 4]) -> __m256i {
    add_pairs(add_pairs(a, b), add_pairs(c, d))
}

/// In each 128-bit lane: x0 + x1, x2 + x3, y0 + y1, y2 + y3.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn add_pairs(x: __m256i, y: __m256i) -> __m256i {
    let (x, y) = (_mm256_castsi256_ps(x), _mm256_castsi256_ps(y));
    _mm256_add_epi32(
        _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0b10_00_10_00)),
        _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0b11_01_11_01)),
    )
}

/// Dwords 0 4 1 5 2 6 3 7.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn interleave_lanes(x: __m256i) -> __m256i {
    _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
}

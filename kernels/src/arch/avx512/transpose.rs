use std::arch::x86_64::*;

/// Dword k of every 128-bit lane of the four vectors, as vector k: lane l holds x[0..4] at 4 * l + k.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn transpose(x: [__m512i; 4]) -> [__m512i; 4] {
    let low = [_mm512_unpacklo_epi32(x[0], x[1]), _mm512_unpacklo_epi32(x[2], x[3])];
    let high = [_mm512_unpackhi_epi32(x[0], x[1]), _mm512_unpackhi_epi32(x[2], x[3])];
    [
        _mm512_unpacklo_epi64(low[0], low[1]),
        _mm512_unpackhi_epi64(low[0], low[1]),
        _mm512_unpacklo_epi64(high[0], high[1]),
        _mm512_unpackhi_epi64(high[0], high[1]),
    ]
}

/// Sums of the dwords of each 128-bit lane: those of x[0..4] side by side in the lane.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn add_lanes(x: [__m512i; 4]) -> __m512i {
    let pairs = |a, b| _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let (first, second) = (pairs(x[0], x[1]), pairs(x[2], x[3]));
    _mm512_add_epi32(
        _mm512_unpacklo_epi64(first, second),
        _mm512_unpackhi_epi64(first, second),
    )
}

/// As above, in the order of the dwords' lanes: 4 * i + lane is of lane `lane` of x[i].
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn sums_in_order(x: [__m512i; 4]) -> __m512i {
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_permutexvar_epi32(order, add_lanes(x))
}

/// 16 bytes of each of 16 rows that lie `stride` bytes apart: dword k of every row, in the order of rows, as vector k.
///
/// # Safety
/// The 16 bytes from `first + row * stride` on can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn load_columns(first: *const u8, stride: usize) -> [__m512i; 4] {
    // SAFETY: as the caller promises.
    let row = |index: usize| unsafe { _mm_loadu_si128(first.add(index * stride).cast()) };
    let four = |index: usize| {
        let x = _mm512_castsi128_si512(row(index));
        let x = _mm512_inserti32x4(x, row(index + 4), 1);
        let x = _mm512_inserti32x4(x, row(index + 8), 2);
        _mm512_inserti32x4(x, row(index + 12), 3)
    };
    transpose([four(0), four(1), four(2), four(3)])
}

/// The half-precision number at `first` of each of 16 rows.
///
/// # Safety
/// The 2 bytes from `first + row * stride` on can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn load_halves(first: *const u8, stride: usize) -> __m512 {
    // SAFETY: as the caller promises.
    let row = |index: usize| i16::from_le_bytes(unsafe { first.add(index * stride).cast::<[u8; 2]>().read() });
    let eight = |index: usize| {
        _mm_setr_epi16(
            row(index),
            row(index + 1),
            row(index + 2),
            row(index + 3),
            row(index + 4),
            row(index + 5),
            row(index + 6),
            row(index + 7),
        )
    };
    _mm512_cvtph_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(eight(0)), eight(8), 1))
}

/// 4 bytes of each of 16 rows.
///
/// # Safety
/// The 4 bytes from `first + row * stride` on can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn load_dwords(first: *const u8, stride: usize) -> __m512i {
    // SAFETY: as the caller promises.
    let row = |index: usize| i32::from_le_bytes(unsafe { first.add(index * stride).cast::<[u8; 4]>().read() });
    let four = |index: usize| _mm_setr_epi32(row(index), row(index + 1), row(index + 2), row(index + 3));
    let x = _mm512_castsi128_si512(four(0));
    let x = _mm512_inserti32x4(x, four(4), 1);
    let x = _mm512_inserti32x4(x, four(8), 2);
    _mm512_inserti32x4(x, four(12), 3)
}

/// Low and high words as half-precision numbers.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn pairs_of_halves(x: __m512i) -> (__m512, __m512) {
    let low = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(x));
    (low, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(x, 16))))
}

//! Codes of a few bits, 32 bytes at once.

use std::arch::x86_64::*;

/// The low halves of bytes, and the high ones.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn nibbles(x: __m256i) -> [__m256i; 2] {
    [masked(x, 15), masked(_mm256_srli_epi16(x, 4), 15)]
}

/// The bits of every byte that the mask has.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn masked(x: __m256i, mask: i8) -> __m256i {
    _mm256_and_si256(x, _mm256_set1_epi8(mask))
}

/// Adds bits `from..` of every byte as bits `to..`, those that the mask has after the move.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn add_bits(codes: __m256i, bits: __m256i, from: usize, to: usize, mask: i8) -> __m256i {
    let moved = if from > to {
        shifted_right(bits, from - to)
    } else {
        _mm256_sll_epi32(bits, _mm_cvtsi32_si128((to - from) as i32))
    };
    _mm256_or_si256(codes, masked(moved, mask))
}

/// Every dword.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn shifted_right(x: __m256i, bits: usize) -> __m256i {
    _mm256_srl_epi32(x, _mm_cvtsi32_si128(bits as i32))
}

/// 16 where a byte has all bits of the mask's byte, else 0.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn sixteen_where(x: __m256i, mask: __m256i) -> __m256i {
    masked(_mm256_cmpeq_epi8(_mm256_and_si256(x, mask), mask), 16)
}

/// The entry of a table of 16 for every byte below 16.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn look_up(table: &[i8; 16], codes: __m256i) -> __m256i {
    // SAFETY: 16 bytes.
    let table = unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())) };
    _mm256_shuffle_epi8(table, codes)
}

/// 2^(exponent - 128) of exponents below 256.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn halves_of_exponents(exponents: __m256i) -> __m256 {
    let normal = _mm256_slli_epi32(_mm256_sub_epi32(exponents, _mm256_set1_epi32(1)), 23);
    let subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(1 << 21), exponents);
    let is_normal = _mm256_cmpgt_epi32(exponents, _mm256_set1_epi32(1));
    _mm256_castsi256_ps(_mm256_blendv_epi8(subnormal, normal, is_normal))
}

//! Units of the formats whose blocks are 256 weights with one scale per group (`formats::k`, `formats::codebook`).

use std::arch::x86_64::*;

use super::bits::{look_up, masked, nibbles, shifted_right};
use super::stream_blocks::scales;
use super::stream_split::{Block, Values};
use super::transpose::load_lanes;
use crate::formats::codebook::NON_LINEAR;

/// Scale, minimum, 12 bytes of scales, 128 bytes of codes.
pub(super) enum Q4K {}
impl Block for Q4K {
    const UNIT_BYTES: usize = 144;
    const VALUES: Values = Values::Unsigned(0);
    const MINIMUM: bool = true;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn pair(block: *const u8, pair: usize) -> [__m256i; 2] {
        // SAFETY: as the caller promises.
        unsafe { four_bits(block.add(16 + pair * 32)) }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        unsafe { six_bit_numbers(block) }
    }
}

/// Scale, minimum, 12 bytes of scales, 32 bytes of fifth bits, 128 bytes of codes.
pub(super) enum Q5K {}
impl Block for Q5K {
    const UNIT_BYTES: usize = 176;
    const VALUES: Values = Values::Unsigned(0);
    const MINIMUM: bool = true;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn pair(block: *const u8, pair: usize) -> [__m256i; 2] {
        // SAFETY: as the caller promises.
        let (codes, bits) = unsafe {
            let bits = |half: usize| _mm256_broadcastsi128_si256(_mm_loadu_si128(block.add(16 + half * 16).cast()));
            (four_bits(block.add(48 + pair * 32)), [bits(0), bits(1)])
        };
        // Bit 2 * pair of every byte of the low lane, the next one of the high lane, to bit 4.
        let mask = _mm256_set_epi64x(
            0x0202_0202_0202_0202,
            0x0202_0202_0202_0202,
            0x0101_0101_0101_0101,
            0x0101_0101_0101_0101,
        );
        let add = |codes, bits| {
            let is_set = _mm256_cmpeq_epi8(_mm256_and_si256(shifted_right(bits, pair * 2), mask), mask);
            _mm256_or_si256(codes, masked(is_set, 16))
        };
        [add(codes[0], bits[0]), add(codes[1], bits[1])]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        unsafe { six_bit_numbers(block) }
    }
}

/// Scale, 2 bytes of high bits and 4 bytes of low bits of eight scales, 8 times 16 bytes of codes.
pub(super) enum Iq4Xs {}
impl Block for Iq4Xs {
    const UNIT_BYTES: usize = 136;
    const VALUES: Values = Values::Signed;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn pair(block: *const u8, pair: usize) -> [__m256i; 2] {
        // SAFETY: as the caller promises.
        let codes = unsafe { load_lanes(block.add(8 + pair * 32), block.add(24 + pair * 32)) };
        nibbles(codes).map(|codes| look_up(&NON_LINEAR, codes))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let (scale, high, low) = unsafe {
            (
                half_everywhere(block),
                block.add(2).cast::<u16>().read_unaligned(),
                block.add(4).cast::<i32>().read_unaligned(),
            )
        };
        let high = _mm256_srlv_epi32(
            _mm256_set1_epi32(i32::from(high)),
            _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14),
        );
        let low = _mm256_srlv_epi32(_mm256_set1_epi32(low), _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
        let high = _mm256_slli_epi32(_mm256_and_si256(high, _mm256_set1_epi32(3)), 4);
        let whole = _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi32(15)), high);
        let whole = _mm256_sub_epi32(whole, _mm256_set1_epi32(32));
        scales(_mm256_mul_ps(scale, _mm256_cvtepi32_ps(whole)))
    }
}

/// Codes of two groups in 32 bytes, whose low halves are the first group.
///
/// # Safety
/// They can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn four_bits(bytes: *const u8) -> [__m256i; 2] {
    let shifts = _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4);
    [0, 16].map(|at| {
        // SAFETY: as the caller promises.
        let bytes = unsafe { _mm_loadu_si128(bytes.add(at).cast()) };
        masked(_mm256_srlv_epi32(_mm256_broadcastsi128_si256(bytes), shifts), 15)
    })
}

/// Scales and minimums of 8 groups from scale, minimum and 12 bytes.
///
/// # Safety
/// The 16 bytes can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn six_bit_numbers(block: *const u8) -> [__m256; 2] {
    // SAFETY: as the caller promises.
    let (scale, minimum, [x, y, z]) = unsafe {
        let word = |index: usize| block.add(4 + index * 4).cast::<u32>().read_unaligned();
        (
            half_everywhere(block),
            half_everywhere(block.add(2)),
            [word(0), word(1), word(2)],
        )
    };
    let numbers = |first: u32, low: u32, factor: __m256| {
        let second = low & 0x0f0f_0f0f | first >> 2 & 0x3030_3030;
        let bytes = u64::from(first & 0x3f3f_3f3f) | u64::from(second) << 32;
        let whole = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(bytes.cast_signed()));
        _mm256_mul_ps(factor, _mm256_cvtepi32_ps(whole))
    };
    let minimum = _mm256_xor_ps(minimum, _mm256_set1_ps(-0.0));
    [numbers(x, z, scale), numbers(y, z >> 4, minimum)]
}

/// The half-precision number in two bytes.
///
/// # Safety
/// They can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn half_everywhere(bytes: *const u8) -> __m256 {
    // SAFETY: as the caller promises.
    _mm256_cvtph_ps(_mm_set1_epi16(unsafe { bytes.cast::<i16>().read_unaligned() }))
}

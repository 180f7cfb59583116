//! Codes of one and two bits, of three to the power of five, and of four bits with small scales (`formats::basic`,
//! `formats::ternary`, `formats::codebook`).

use std::arch::x86_64::*;

use super::bits::{look_up, masked, shifted_right};
use super::eight::{Bytes, Eight};
use super::panel_blocks::UNSIGNED_FLOAT4;
use super::stream_k::half_everywhere;
use crate::format::Format;

/// Twice: scale, 16 bytes of bits for 128 signs.
pub(in crate::arch) enum Q1_0 {}
impl Eight for Q1_0 {
    const FORMAT: Format = Format::Q1_0;
    const BYTES: usize = 2 * 18;
    const HAS: Bytes = Bytes::Magnitudes;
    const PARTS: usize = 1;

    type Shared = ();

    #[inline]
    unsafe fn shared(_blocks: *const u8) {}

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(_blocks: *const u8, _shared: &(), _group: usize) -> __m256i {
        _mm256_set1_epi8(1)
    }

    #[inline]
    unsafe fn signs(blocks: *const u8, _shared: &(), group: usize) -> u32 {
        let at = group / 4 * 18 + 2 + group % 4 * 4;
        // SAFETY: as the caller promises.
        !unsafe { blocks.add(at).cast::<u32>().read_unaligned() }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(blocks: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let (first, second) = unsafe { (half_everywhere(blocks), half_everywhere(blocks.add(18))) };
        [_mm256_blend_ps(first, second, 0xf0), _mm256_setzero_ps()]
    }
}

/// Four times: scale, 16 bytes of 64 codes of two bits.
pub(in crate::arch) enum Q2_0 {}
impl Eight for Q2_0 {
    const FORMAT: Format = Format::Q2_0;
    const BYTES: usize = 4 * 18;
    const HAS: Bytes = Bytes::Offset(1);
    const PARTS: usize = 1;

    type Shared = ();

    #[inline]
    unsafe fn shared(_blocks: *const u8) {}

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(blocks: *const u8, _shared: &(), group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        let bytes = unsafe { _mm_loadu_si64(blocks.add(group / 2 * 18 + 2 + group % 2 * 8)) };
        let bytes = _mm256_cvtepu8_epi32(bytes);
        // Every second half-byte to the upper word of its dword, then the upper two bits of each to the next byte.
        let fours = _mm256_or_si256(bytes, _mm256_slli_epi32(bytes, 12));
        let fours = _mm256_and_si256(fours, _mm256_set1_epi32(0x000f_000f));
        masked(_mm256_or_si256(fours, _mm256_slli_epi32(fours, 6)), 3)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(blocks: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let half = |block: usize| unsafe { blocks.add(block * 18).cast::<i16>().read_unaligned() };
        let (a, b, c, d) = (half(0), half(1), half(2), half(3));
        let scales = _mm256_cvtph_ps(_mm_setr_epi16(a, a, b, b, c, c, d, d));
        [scales, _mm256_setzero_ps()]
    }
}

/// 64 bytes of codes of two bits: per 128 weights 32 bytes, whose lowest two bits come first; scale.
pub(in crate::arch) enum Tq2 {}
impl Eight for Tq2 {
    const FORMAT: Format = Format::TQ2_0;
    const BYTES: usize = 66;
    const HAS: Bytes = Bytes::Offset(1);
    const PARTS: usize = 1;

    type Shared = ();

    #[inline]
    unsafe fn shared(_block: *const u8) {}

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(block: *const u8, _shared: &(), group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        let bytes = unsafe { _mm256_loadu_si256(block.add(group / 4 * 32).cast()) };
        masked(shifted_right(bytes, group % 4 * 2), 3)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        [unsafe { half_everywhere(block.add(64)) }, _mm256_setzero_ps()]
    }
}

/// 48 bytes of five digits, 4 bytes of four digits, scale (`formats::ternary`).
pub(in crate::arch) enum Tq1 {}
impl Eight for Tq1 {
    const FORMAT: Format = Format::TQ1_0;
    const BYTES: usize = 54;
    const HAS: Bytes = Bytes::Offset(1);
    const PARTS: usize = 1;

    /// Of every weight the fraction whose first digit it is.
    type Shared = [__m256i; 8];

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn shared(block: *const u8) -> Self::Shared {
        // SAFETY: as the caller promises.
        let (a, b, c) = unsafe {
            (
                _mm256_loadu_si256(block.cast()),
                _mm_loadu_si128(block.add(32).cast()),
                _mm_cvtsi32_si128(block.add(48).cast::<i32>().read_unaligned()),
            )
        };
        // Without their first digit.
        let next = |x| _mm256_add_epi8(_mm256_add_epi8(x, x), x);
        let short = |x| _mm_add_epi8(_mm_add_epi8(x, x), x);
        let (a1, b1, c1) = (next(a), short(b), short(c));
        let (a2, b2, c2) = (next(a1), short(b1), short(c1));
        let (a3, b3, c3) = (next(a2), short(b2), short(c2));
        let (a4, b4) = (next(a3), short(b3));
        let last = _mm_unpacklo_epi64(_mm_unpacklo_epi32(c, c1), _mm_unpacklo_epi32(c2, c3));
        let both = |low, high| _mm256_set_m128i(high, low);
        [a, a1, a2, a3, a4, both(b, b1), both(b2, b3), both(b4, last)]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(_block: *const u8, shared: &Self::Shared, group: usize) -> __m256i {
        let fractions = shared[group];
        // A third of 256 is more than 85, two thirds are more than 170.
        let at_least = |number: u8| {
            let larger = _mm256_max_epu8(fractions, _mm256_set1_epi8(number.cast_signed()));
            _mm256_cmpeq_epi8(larger, fractions)
        };
        _mm256_sub_epi8(_mm256_setzero_si256(), _mm256_add_epi8(at_least(86), at_least(171)))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        [unsafe { half_everywhere(block.add(52)) }, _mm256_setzero_ps()]
    }
}

/// Four times: 4 scales of 16 weights each, 4 times 8 bytes of codes.
pub(in crate::arch) enum Nvfp4 {}
impl Eight for Nvfp4 {
    const FORMAT: Format = Format::NVFP4;
    const BYTES: usize = 4 * 36;
    const HAS: Bytes = Bytes::Offset(12);
    const PARTS: usize = 2;

    type Shared = ();

    #[inline]
    unsafe fn shared(_blocks: *const u8) {}

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(blocks: *const u8, _shared: &(), group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        let codes = unsafe { _mm_loadu_si128(blocks.add(group / 2 * 36 + 4 + group % 2 * 16).cast()) };
        let high = _mm_srli_epi16(codes, 4);
        let both = _mm256_set_m128i(_mm_unpackhi_epi64(codes, high), _mm_unpacklo_epi64(codes, high));
        look_up(&UNSIGNED_FLOAT4, masked(both, 15))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(blocks: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let four = |block: usize| unsafe { blocks.add(block * 36).cast::<i32>().read_unaligned() };
        [0, 2].map(|block| {
            let bytes = _mm_setr_epi32(four(block), four(block + 1), 0, 0);
            halves_of_floats8(_mm256_cvtepu8_epi32(bytes))
        })
    }
}

/// `codebook::half_of_float8` of bytes in dwords.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn halves_of_floats8(bytes: __m256i) -> __m256 {
    let bits = _mm256_and_si256(bytes, _mm256_set1_epi32(0x7f));
    // An exponent that is 119 larger, and 3 bits of fraction.
    let normal = _mm256_add_epi32(_mm256_slli_epi32(bits, 20), _mm256_set1_epi32(119 << 23));
    // Without exponent the fraction counts multiples of 2^-10.
    let small = _mm256_mul_ps(_mm256_cvtepi32_ps(bits), _mm256_set1_ps(f32::from_bits(117 << 23)));
    let is_small = _mm256_cmpgt_epi32(_mm256_set1_epi32(8), bits);
    let number = _mm256_blendv_ps(_mm256_castsi256_ps(normal), small, _mm256_castsi256_ps(is_small));
    let is_zero = _mm256_cmpeq_epi32(bits, _mm256_set1_epi32(0x7f));
    _mm256_andnot_ps(_mm256_castsi256_ps(is_zero), number)
}

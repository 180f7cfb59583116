//! Codes that stand for 8 or 4 weights at once (`formats::grid`).

use std::arch::x86_64::*;

use super::bits::masked;
use super::eight::{Bytes, Eight};
use super::stream_k::half_everywhere;
use crate::format::Format;
use crate::formats::grid_tables::{IQ1, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS};

/// Scale, then per group 4 codes and 32 bits: 4 times 7 of signs, the group's scale in the highest 4.
pub(in crate::arch) enum Iq2Xxs {}
impl Iq2Xxs {
    /// The 32 bits of all groups.
    ///
    /// # Safety
    /// The block can be read; the processor has the instructions.
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn words(block: *const u8) -> __m256i {
        // SAFETY: as the caller promises.
        let [a, b] = [2, 34].map(|at| unsafe { _mm256_loadu_ps(block.add(at).cast()) });
        let odd = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0b11_01_11_01));
        _mm256_permute4x64_epi64(odd, 0b11_01_10_00)
    }
}
impl Eight for Iq2Xxs {
    const FORMAT: Format = Format::IQ2_XXS;
    const BYTES: usize = 66;
    const HAS: Bytes = Bytes::Magnitudes;
    const PARTS: usize = 1;

    type Shared = [u32; 8];

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn shared(block: *const u8) -> Self::Shared {
        // SAFETY: as the caller promises.
        stored(packed_signs(unsafe { Self::words(block) }))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(block: *const u8, _signs: &Self::Shared, group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        eights(|eight| IQ2_XXS[usize::from(unsafe { *block.add(2 + group * 8 + eight) })])
    }

    #[inline]
    unsafe fn signs(_block: *const u8, signs: &Self::Shared, group: usize) -> u32 {
        signs[group]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let (scale, words) = unsafe { (half_everywhere(block), Self::words(block)) };
        let scales = half_more(scale, _mm256_srli_epi32(words, 28), 0.25);
        [scales, _mm256_setzero_ps()]
    }
}

/// Scale, per group 4 times 9 bits of code and 7 of signs, 8 bytes of the scales of halves.
pub(in crate::arch) enum Iq2Xs {}
impl Eight for Iq2Xs {
    const FORMAT: Format = Format::IQ2_XS;
    const BYTES: usize = 74;
    const HAS: Bytes = Bytes::Magnitudes;
    const PARTS: usize = 2;

    type Shared = [u32; 8];

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn shared(block: *const u8) -> Self::Shared {
        // SAFETY: as the caller promises.
        let [a, b] = [2, 34].map(|at| unsafe { _mm256_loadu_si256(block.add(at).cast()) });
        let bytes = _mm256_packus_epi16(_mm256_srli_epi16(a, 9), _mm256_srli_epi16(b, 9));
        stored(even_signs(_mm256_permute4x64_epi64(bytes, 0b11_01_10_00)))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(block: *const u8, _signs: &Self::Shared, group: usize) -> __m256i {
        eights(|eight| {
            // SAFETY: as the caller promises.
            let code = unsafe { u16_at(block, 2 + (group * 4 + eight) * 2) };
            IQ2_XS[usize::from(code & 511)]
        })
    }

    #[inline]
    unsafe fn signs(_block: *const u8, signs: &Self::Shared, group: usize) -> u32 {
        signs[group]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        unsafe { iq2_scales(block, 66) }
    }
}

/// Scale, 32 codes, 32 bytes of signs, 8 bytes of the codes' bits 8 and 9, 8 bytes of the scales of halves.
pub(in crate::arch) enum Iq2S {}
impl Eight for Iq2S {
    const FORMAT: Format = Format::IQ2_S;
    const BYTES: usize = 82;
    const HAS: Bytes = Bytes::Magnitudes;
    const PARTS: usize = 2;

    type Shared = ();

    #[inline]
    unsafe fn shared(_block: *const u8) {}

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(block: *const u8, _shared: &(), group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        let high = usize::from(unsafe { *block.add(66 + group) });
        eights(|eight| {
            // SAFETY: as the caller promises.
            let low = usize::from(unsafe { *block.add(2 + group * 4 + eight) });
            IQ2_S[low | (high >> (2 * eight) & 3) << 8]
        })
    }

    #[inline]
    unsafe fn signs(block: *const u8, _shared: &(), group: usize) -> u32 {
        // SAFETY: as the caller promises.
        unsafe { block.add(34 + group * 4).cast::<u32>().read_unaligned() }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        unsafe { iq2_scales(block, 74) }
    }
}

/// Scale, 64 codes of 4 weights, then per group 32 bits as of IQ2_XXS.
pub(in crate::arch) enum Iq3Xxs {}
impl Eight for Iq3Xxs {
    const FORMAT: Format = Format::IQ3_XXS;
    const BYTES: usize = 98;
    const HAS: Bytes = Bytes::Magnitudes;
    const PARTS: usize = 1;

    type Shared = [u32; 8];

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn shared(block: *const u8) -> Self::Shared {
        // SAFETY: as the caller promises.
        stored(packed_signs(unsafe { _mm256_loadu_si256(block.add(66).cast()) }))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(block: *const u8, _signs: &Self::Shared, group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        fours(|four| IQ3_XXS[usize::from(unsafe { *block.add(2 + group * 8 + four) })])
    }

    #[inline]
    unsafe fn signs(_block: *const u8, signs: &Self::Shared, group: usize) -> u32 {
        signs[group]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let (scale, words) = unsafe { (half_everywhere(block), _mm256_loadu_si256(block.add(66).cast())) };
        let scales = half_more(scale, _mm256_srli_epi32(words, 28), 0.5);
        [scales, _mm256_setzero_ps()]
    }
}

/// Scale, 64 codes of 4 weights, 8 bytes of their ninth bits, 32 bytes of signs, 4 bytes of scales.
pub(in crate::arch) enum Iq3S {}
impl Eight for Iq3S {
    const FORMAT: Format = Format::IQ3_S;
    const BYTES: usize = 110;
    const HAS: Bytes = Bytes::Magnitudes;
    const PARTS: usize = 1;

    type Shared = ();

    #[inline]
    unsafe fn shared(_block: *const u8) {}

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(block: *const u8, _shared: &(), group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        let high = usize::from(unsafe { *block.add(66 + group) });
        fours(|four| {
            // SAFETY: as the caller promises.
            let low = usize::from(unsafe { *block.add(2 + group * 8 + four) });
            IQ3_S[low | (high << (8 - four) & 0x100)]
        })
    }

    #[inline]
    unsafe fn signs(block: *const u8, _shared: &(), group: usize) -> u32 {
        // SAFETY: as the caller promises.
        unsafe { block.add(74 + group * 4).cast::<u32>().read_unaligned() }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let (scale, bytes) = unsafe { (half_everywhere(block), block.add(106).cast::<i32>().read_unaligned()) };
        let whole = _mm256_cvtepu8_epi32(half_bytes(_mm_cvtsi32_si128(bytes)));
        [_mm256_mul_ps(scale, odd(whole)), _mm256_setzero_ps()]
    }
}

/// Scale, 32 codes, then per group 16 bits: 4 times the high 3 of the codes, 3 of scale, the sign of the shift.
pub(in crate::arch) enum Iq1S {}
impl Eight for Iq1S {
    const FORMAT: Format = Format::IQ1_S;
    const BYTES: usize = 50;
    const HAS: Bytes = Bytes::Offset(IQ1_OFFSET);
    const PARTS: usize = 1;

    type Shared = ();

    #[inline]
    unsafe fn shared(_block: *const u8) {}

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(block: *const u8, _shared: &(), group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        let bits = unsafe { u16_at(block, 34 + group * 2) };
        let codes = eights(|eight| {
            // SAFETY: as the caller promises.
            let low = usize::from(unsafe { *block.add(2 + group * 4 + eight) });
            IQ1[low | usize::from(bits >> (3 * eight) & 7) << 8]
        });
        let shift = IQ1_OFFSET + 1 - 2 * (bits >> 15) as i8;
        _mm256_add_epi8(codes, _mm256_set1_epi8(shift))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let (scale, words) = unsafe { (half_everywhere(block), _mm_loadu_si128(block.add(34).cast())) };
        let whole = _mm256_and_si256(
            _mm256_srli_epi32(_mm256_cvtepu16_epi32(words), 12),
            _mm256_set1_epi32(7),
        );
        [eighth(_mm256_mul_ps(scale, odd(whole))), _mm256_setzero_ps()]
    }
}

/// 32 codes, 16 bytes of their high 3 bits and the sign of the shift, four times 16 bits: 4 times 3 of the scales of
/// halves, and 4 of the block's scale.
pub(in crate::arch) enum Iq1M {}
impl Eight for Iq1M {
    const FORMAT: Format = Format::IQ1_M;
    const BYTES: usize = 56;
    const HAS: Bytes = Bytes::Offset(IQ1_OFFSET);
    const PARTS: usize = 2;

    type Shared = ();

    #[inline]
    unsafe fn shared(_block: *const u8) {}

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn group(block: *const u8, _shared: &(), group: usize) -> __m256i {
        // SAFETY: as the caller promises.
        let bits = unsafe { u16_at(block, 32 + group * 2) };
        let codes = eights(|eight| {
            // SAFETY: as the caller promises.
            let low = usize::from(unsafe { *block.add(group * 4 + eight) });
            IQ1[low | usize::from(bits >> (4 * eight) & 7) << 8]
        });
        let masks = _mm256_setr_epi64x(
            0x0008_0008_0008_0008,
            0x0080_0080_0080_0080,
            0x0800_0800_0800_0800,
            0x8000_8000_8000_8000u64.cast_signed(),
        );
        let own = _mm256_and_si256(_mm256_set1_epi16(bits.cast_signed()), masks);
        // -2 where the shift is negative.
        let less = masked(_mm256_cmpeq_epi16(own, masks), -2);
        _mm256_add_epi8(_mm256_add_epi8(codes, _mm256_set1_epi8(IQ1_OFFSET + 1)), less)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let words = [0, 1, 2, 3].map(|index| unsafe { u16_at(block, 48 + index * 2) });
        let scale = words[0] >> 12 | words[1] >> 12 << 4 | words[2] >> 12 << 8 | words[3] >> 12 << 12;
        let scale = _mm256_cvtph_ps(_mm_set1_epi16(scale.cast_signed()));
        [0, 2].map(|word| {
            let (first, second) = (i32::from(words[word]), i32::from(words[word + 1]));
            let both = _mm256_set_m128i(_mm_set1_epi32(second), _mm_set1_epi32(first));
            let whole = _mm256_srlv_epi32(both, _mm256_setr_epi32(0, 3, 6, 9, 0, 3, 6, 9));
            let whole = _mm256_and_si256(whole, _mm256_set1_epi32(7));
            eighth(_mm256_mul_ps(scale, odd(whole)))
        })
    }
}

/// Makes -9..=9 unsigned.
const IQ1_OFFSET: i8 = 16;

/// # Safety
/// The two bytes can be read.
#[inline]
unsafe fn u16_at(block: *const u8, at: usize) -> u16 {
    // SAFETY: as the caller promises.
    unsafe { block.add(at).cast::<u16>().read_unaligned() }
}

/// Four times 8 bytes.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn eights(entry: impl Fn(usize) -> u64) -> __m256i {
    let [a, b, c, d] = [entry(0), entry(1), entry(2), entry(3)].map(u64::cast_signed);
    _mm256_setr_epi64x(a, b, c, d)
}

/// Eight times 4 bytes.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn fours(entry: impl Fn(usize) -> u32) -> __m256i {
    eights(|eight| u64::from(entry(2 * eight)) | u64::from(entry(2 * eight + 1)) << 32)
}

/// Four times 7 bits of signs of each dword, as bytes with all eight.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn packed_signs(words: __m256i) -> __m256i {
    let byte = |moved, mask| _mm256_and_si256(moved, _mm256_set1_epi32(mask));
    let low = _mm256_or_si256(byte(words, 0x7f), byte(_mm256_slli_epi32(words, 1), 0x7f00));
    let high = _mm256_or_si256(
        byte(_mm256_slli_epi32(words, 2), 0x7f_0000),
        byte(_mm256_slli_epi32(words, 3), 0x7f00_0000),
    );
    even_signs(_mm256_or_si256(low, high))
}

/// `grid_tables::even_signs` of bytes below 128.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn even_signs(bits: __m256i) -> __m256i {
    /// The highest bit for each odd number of bits.
    const PARITIES: [i8; 16] = {
        let mut parities = [0; 16];
        let mut i = 0u8;
        while i < 16 {
            parities[i as usize] = ((i.count_ones() as u8) << 7).cast_signed();
            i += 1;
        }
        parities
    };
    let folded = masked(_mm256_xor_si256(bits, _mm256_srli_epi16(bits, 4)), 15);
    _mm256_or_si256(bits, super::bits::look_up(&PARITIES, folded))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn stored(words: __m256i) -> [u32; 8] {
    let mut stored = [0; 8];
    // SAFETY: 32 bytes.
    unsafe { _mm256_storeu_si256(stored.as_mut_ptr().cast(), words) };
    stored
}

/// The low and high halves of eight bytes, in turns.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn half_bytes(bytes: __m128i) -> __m128i {
    let low = _mm_set1_epi8(15);
    _mm_unpacklo_epi8(_mm_and_si128(bytes, low), _mm_and_si128(_mm_srli_epi16(bytes, 4), low))
}

/// Scales of halves from eight bytes.
///
/// # Safety
/// The block can be read and has the bytes.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn iq2_scales(block: *const u8, at: usize) -> [__m256; 2] {
    // SAFETY: as the caller promises.
    let (scale, bytes) = unsafe { (half_everywhere(block), half_bytes(_mm_loadu_si64(block.add(at)))) };
    [bytes, _mm_unpackhi_epi64(bytes, bytes)].map(|bytes| half_more(scale, _mm256_cvtepu8_epi32(bytes), 0.25))
}

/// scale * (0.5 + whole) * factor
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn half_more(scale: __m256, whole: __m256i, factor: f32) -> __m256 {
    let more = _mm256_add_ps(_mm256_set1_ps(0.5), _mm256_cvtepi32_ps(whole));
    _mm256_mul_ps(_mm256_mul_ps(scale, more), _mm256_set1_ps(factor))
}

/// 2 * whole + 1
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn odd(whole: __m256i) -> __m256 {
    _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_add_epi32(whole, whole), _mm256_set1_epi32(1)))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn eighth(x: __m256) -> __m256 {
    _mm256_mul_ps(x, _mm256_set1_ps(0.125))
}

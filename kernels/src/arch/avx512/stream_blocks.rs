//! Units of the formats whose blocks are 32 weights (`formats::basic`, `formats::codebook`).

use std::arch::x86_64::*;

use super::block_loads::*;
use super::stream_split::Block;
use crate::formats::codebook::{FLOAT4, NON_LINEAR};

/// Scale, 16 bytes of codes.
pub(super) enum Q4_0 {}
impl Block for Q4_0 {
    const UNIT_BYTES: usize = 16 * 18;
    const SHIFT: u32 = 3;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        nibbles(unsafe { sixteen_of_four::<18, 2, 0, 8, 16>(blocks.add(four * 72)) })
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<18, 8>(blocks) }
    }
}

/// Scale, minimum, 16 bytes of codes.
pub(super) enum Q4_1 {}
impl Block for Q4_1 {
    const UNIT_BYTES: usize = 16 * 20;
    const SHIFT: u32 = 0;
    const MINIMUM: bool = true;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        nibbles(unsafe { sixteen_of_four::<20, 4, 0, 16, 16>(blocks.add(four * 80)) })
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<20, 16>(blocks) }
    }
}

/// Scale, 4 bytes of fifth bits, 16 bytes of codes.
pub(super) enum Q5_0 {}
impl Block for Q5_0 {
    const UNIT_BYTES: usize = 16 * 22;
    const SHIFT: u32 = 4;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        unsafe {
            let blocks = blocks.add(four * 88);
            let weights = nibbles(sixteen_of_four::<22, 6, 0, 24, 16>(blocks));
            add_fifth_bits(weights, sixteen_of_four::<22, 2, 0, 24, 4>(blocks))
        }
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<22, 24>(blocks) }
    }
}

/// Scale, minimum, 4 bytes of fifth bits, 16 bytes of codes.
pub(super) enum Q5_1 {}
impl Block for Q5_1 {
    const UNIT_BYTES: usize = 16 * 24;
    const SHIFT: u32 = 0;
    const MINIMUM: bool = true;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        unsafe {
            let blocks = blocks.add(four * 96);
            let weights = nibbles(sixteen_of_four::<24, 8, 0, 32, 16>(blocks));
            add_fifth_bits(weights, sixteen_of_four::<24, 4, 0, 32, 4>(blocks))
        }
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<24, 32>(blocks) }
    }
}

/// Scale, 32 signed bytes.
pub(super) enum Q8_0 {}
impl Block for Q8_0 {
    const UNIT_BYTES: usize = 16 * 34;
    const SHIFT: u32 = 7;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        let halves = unsafe {
            let blocks = blocks.add(four * 136);
            [
                sixteen_of_four::<34, 2, 0, 64, 16>(blocks),
                sixteen_of_four::<34, 18, 8, 72, 16>(blocks),
            ]
        };
        halves.map(|half| _mm512_xor_si512(half, _mm512_set1_epi8(i8::MIN)))
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<34, 64>(blocks) }
    }
}

/// Scale, 16 bytes of codes.
pub(super) enum Iq4Nl {}
impl Block for Iq4Nl {
    const UNIT_BYTES: usize = 16 * 18;
    const SHIFT: u32 = 7;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        nibbles(unsafe { sixteen_of_four::<18, 2, 0, 8, 16>(blocks.add(four * 72)) })
            .map(|codes| look_up(&NON_LINEAR, codes))
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<18, 8>(blocks) }
    }
}

/// Exponent, 16 bytes of codes.
pub(super) enum Mxfp4 {}
impl Block for Mxfp4 {
    const UNIT_BYTES: usize = 16 * 17;
    const SHIFT: u32 = 7;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        nibbles(unsafe { sixteen_of_four::<17, 1, 0, 4, 16>(blocks.add(four * 68)) })
            .map(|codes| look_up(&FLOAT4, codes))
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // The byte at byte 17 * i of 16 blocks.
        static FOURS: [[u8; 16]; 4] = {
            let mut indices = [[0; 16]; 4];
            let mut i = 0;
            while i < 16 {
                indices[i / 4][i] = (i % 4 * 17) as u8;
                i += 1;
            }
            indices
        };
        let mut exponents = _mm_setzero_si128();
        for (four, indices) in FOURS.iter().enumerate() {
            // SAFETY: as the caller promises; 64 bytes are inside four blocks.
            unsafe {
                let bytes = _mm512_loadu_si512(blocks.add(four * 68).cast());
                let indices = _mm512_castsi128_si512(_mm_loadu_si128(indices.as_ptr().cast()));
                let own = _mm512_castsi512_si128(_mm512_permutexvar_epi8(indices, bytes));
                exponents = _mm_mask_mov_epi8(exponents, 0xf << (4 * four), own);
            }
        }
        [
            halves_of_exponents(_mm512_cvtepu8_epi32(exponents)),
            _mm512_setzero_ps(),
        ]
    }
}

/// Scale, 2 bytes of the high 2 bits and 4 bytes of the low 4 bits of eight scales, 8 times 16 bytes of codes.
pub(super) enum Iq4Xs {}
impl Block for Iq4Xs {
    const UNIT_BYTES: usize = 2 * 136;
    const SHIFT: u32 = 7;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        let codes = unsafe { _mm512_loadu_si512(blocks.add(four / 2 * 136 + 8 + four % 2 * 64).cast()) };
        nibbles(codes).map(|codes| look_up(&NON_LINEAR, codes))
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        let (first, second) = unsafe { (_mm_loadu_si64(blocks.cast()), _mm_loadu_si64(blocks.add(136).cast())) };
        let scales = _mm512_cvtph_ps(_mm256_castsi128_si256(_mm_unpacklo_epi16(first, second)));
        let scales = _mm512_permutexvar_ps(
            _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1),
            scales,
        );
        // Dwords 0 and 1 of the first block, then of the second.
        let both = _mm512_broadcast_i32x4(_mm_unpacklo_epi64(first, second));
        let low = _mm512_permutexvar_epi32(_mm512_setr_epi32(1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3), both);
        let high = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2), both);
        let low = _mm512_srlv_epi32(
            low,
            _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28),
        );
        let high = _mm512_srlv_epi32(
            high,
            _mm512_setr_epi32(16, 18, 20, 22, 24, 26, 28, 30, 16, 18, 20, 22, 24, 26, 28, 30),
        );
        let low = _mm512_and_si512(low, _mm512_set1_epi32(15));
        let high = _mm512_slli_epi32(_mm512_and_si512(high, _mm512_set1_epi32(3)), 4);
        let whole = _mm512_sub_epi32(_mm512_or_si512(low, high), _mm512_set1_epi32(32));
        [_mm512_mul_ps(scales, _mm512_cvtepi32_ps(whole)), _mm512_setzero_ps()]
    }
}

//! Streams of Q4_K and Q5_K: 6-bit scales and minimums of 8 groups, codes whose high halves are the next group's.

use std::arch::x86_64::*;

use super::block_loads::{add_bits, nibbles};
use super::stream::{Unit, store_products};
use super::transpose::add_lanes;
use crate::arch::arrange::{Activations, PAIRS};
use crate::arch::products::Arrangement;

/// Four blocks of Q5_K if `FIFTH`, else of Q4_K.
pub(super) enum SixBits<const FIFTH: bool> {}

const BLOCKS: usize = 4;

impl<const FIFTH: bool> SixBits<FIFTH> {
    const BLOCK_BYTES: usize = if FIFTH { 176 } else { 144 };

    /// Codes of groups 0 and 2, 1 and 3, 4 and 6, 5 and 7 of a block.
    ///
    /// # Safety
    /// The block can be read; the processor has the instructions.
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn codes(block: *const u8) -> [__m512i; 4] {
        // SAFETY: as the caller promises.
        let codes = |at: usize| unsafe { _mm512_loadu_si512(block.add(Self::BLOCK_BYTES - 128 + at).cast()) };
        let ([a, b], [c, d]) = (nibbles(codes(0)), nibbles(codes(64)));
        if !FIFTH {
            return [a, b, c, d];
        }
        // SAFETY: as the caller promises.
        let bits = unsafe { _mm512_broadcast_i64x4(_mm256_loadu_si256(block.add(16).cast())) };
        // Bit `group` of every byte to bit 4.
        let add = |codes, [first, second]: [i64; 2]| {
            let counts = _mm512_setr_epi64(first, first, first, first, second, second, second, second);
            add_bits(codes, _mm512_rolv_epi64(bits, counts), 0x10)
        };
        [add(a, [4, 2]), add(b, [3, 1]), add(c, [0, 62]), add(d, [63, 61])]
    }

    /// Scales of blocks 0 and 1, minimums of blocks 0 and 1, scales of 2 and 3, minimums of 2 and 3; negated minimums.
    ///
    /// # Safety
    /// The blocks can be read; the processor has the instructions.
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [[__m512; 2]; 2] {
        // SAFETY: as the caller promises.
        let header = |index: usize| unsafe { _mm_loadu_si128(blocks.add(index * Self::BLOCK_BYTES).cast()) };
        let (a, b, c, d) = (header(0), header(1), header(2), header(3));
        let (low, high) = (_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
        let (halves, x) = (_mm_unpacklo_epi64(low, high), _mm_unpackhi_epi64(low, high));
        let (low, high) = (_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d));
        let (y, z) = (_mm_unpacklo_epi64(low, high), _mm_unpackhi_epi64(low, high));
        // Of each block: 4 bytes of scales 0..4 below the high bits of 4..8, the same of minimums, low halves of 4..8.
        let six = _mm_set1_epi8(63);
        let four = _mm_set1_epi8(15);
        let two = _mm_set1_epi8(48);
        let scales = [
            _mm_and_si128(x, six),
            _mm_or_si128(_mm_and_si128(z, four), _mm_and_si128(_mm_srli_epi32(x, 2), two)),
        ];
        let minimums = [
            _mm_and_si128(y, six),
            _mm_or_si128(
                _mm_and_si128(_mm_srli_epi32(z, 4), four),
                _mm_and_si128(_mm_srli_epi32(y, 2), two),
            ),
        ];
        let scale = _mm_cvtph_ps(_mm_cvtepi32_epi16(halves));
        let minimum = _mm_cvtph_ps(_mm_cvtepi32_epi16(_mm_srli_epi32(halves, 16)));
        let minimum = _mm_xor_ps(minimum, _mm_set1_ps(-0.0));
        let spread = |numbers: __m128, whole: __m128i, pair: i32| {
            let indices = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
            let indices = _mm512_add_epi32(indices, _mm512_set1_epi32(2 * pair));
            let numbers = _mm512_permutexvar_ps(indices, _mm512_castps128_ps512(numbers));
            _mm512_mul_ps(numbers, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(whole)))
        };
        [
            [
                spread(scale, _mm_unpacklo_epi32(scales[0], scales[1]), 0),
                spread(minimum, _mm_unpacklo_epi32(minimums[0], minimums[1]), 0),
            ],
            [
                spread(scale, _mm_unpackhi_epi32(scales[0], scales[1]), 1),
                spread(minimum, _mm_unpackhi_epi32(minimums[0], minimums[1]), 1),
            ],
        ]
    }
}

impl<const FIFTH: bool> Unit for SixBits<FIFTH> {
    const ARRANGEMENT: &'static Arrangement = &PAIRS;
    const GROUPS: usize = 8 * BLOCKS;
    const PARTS: usize = 1;
    const BYTES: usize = BLOCKS * Self::BLOCK_BYTES;

    type Activations = Activations;

    fn activations(arranged: &[u8], columns: usize) -> Self::Activations {
        Activations::pairs(arranged, columns)
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn multiply<const TOKENS: usize>(
        weights: *const u8,
        activations: &[Self::Activations; TOKENS],
        group: usize,
        products: [*mut f32; TOKENS],
    ) {
        // SAFETY: as the caller promises.
        let numbers = unsafe { Self::numbers(weights) };
        for (pair, numbers) in numbers.into_iter().enumerate() {
            let mut sums = [[_mm512_setzero_si512(); 2]; TOKENS];
            for block in 0..2 {
                let index = 2 * pair + block;
                // SAFETY: as the caller promises.
                let codes = unsafe { Self::codes(weights.add(index * Self::BLOCK_BYTES)) };
                for (x, sums) in activations.iter().zip(&mut sums) {
                    // SAFETY: as the caller promises.
                    let x = |part: usize| unsafe {
                        _mm512_loadu_si512(x.values.add((group + index * 8) * 32 + part * 64).cast())
                    };
                    let dot = |part: usize| _mm512_dpbusd_epi32(_mm512_setzero_si512(), codes[part], x(part));
                    sums[block] = add_lanes([dot(0), dot(1), dot(2), dot(3)]);
                }
            }
            for ((x, [first, second]), products) in activations.iter().zip(sums).zip(products) {
                // Lanes 0 and 1 are of groups 0 1 4 5, lanes 2 and 3 of groups 2 3 6 7.
                let sums = _mm512_add_epi32(
                    _mm512_shuffle_i32x4(first, second, 0b10_00_10_00),
                    _mm512_shuffle_i32x4(first, second, 0b11_01_11_01),
                );
                let order = _mm512_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
                let sums = _mm512_permutexvar_epi32(order, sums);
                // SAFETY: as the caller promises.
                unsafe { store_products(sums, x, group + pair * 16, 0, numbers, true, products.add(pair * 16)) };
            }
        }
    }
}

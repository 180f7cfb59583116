//! Units of the formats whose blocks are 32 weights (`formats::basic`, `formats::codebook`).

use std::arch::x86_64::*;

use super::bits::{halves_of_exponents, look_up, nibbles, sixteen_where};
use super::panel_blocks::UNSIGNED_FLOAT4;
use super::stream_split::{Block, Values};
use super::transpose::{load_dwords, load_halves, load_lanes, pairs_of_halves};
use crate::formats::codebook::NON_LINEAR;

/// Implements [`Block`] for eight blocks of so many bytes: `pair` sees two of them, `numbers` all.
macro_rules! blocks {
    ($name:ident, $bytes:literal, $values:expr, $minimum:literal,
     pair: |$pair:ident| $halves:expr, numbers: |$blocks:ident| $numbers:expr $(,)?) => {
        pub(super) enum $name {}
        impl Block for $name {
            const UNIT_BYTES: usize = 8 * $bytes;
            const VALUES: Values = $values;
            const MINIMUM: bool = $minimum;

            #[inline]
            #[target_feature(enable = "avx2,fma,f16c")]
            unsafe fn pair(blocks: *const u8, pair: usize) -> [__m256i; 2] {
                // SAFETY: as the caller promises.
                unsafe {
                    let $pair = blocks.add(pair * 2 * $bytes);
                    $halves
                }
            }

            #[inline]
            #[target_feature(enable = "avx2,fma,f16c")]
            unsafe fn numbers($blocks: *const u8) -> [__m256; 2] {
                // SAFETY: as the caller promises.
                unsafe { $numbers }
            }
        }
    };
}

blocks!(Q4_0, 18, Values::Unsigned(8), false,
    pair: |pair| nibbles(load_lanes(pair.add(2), pair.add(20))),
    numbers: |blocks| scales(load_halves(blocks, 18)),
);

blocks!(Q4_1, 20, Values::Unsigned(0), true,
    pair: |pair| nibbles(load_lanes(pair.add(4), pair.add(24))),
    numbers: |blocks| pairs_of_halves(load_dwords(blocks, 20)),
);

blocks!(Q5_0, 22, Values::Unsigned(16), false,
    pair: |pair| five_bits(load_lanes(pair.add(6), pair.add(28)), pair.add(2), pair.add(24)),
    numbers: |blocks| scales(load_halves(blocks, 22)),
);

blocks!(Q5_1, 24, Values::Unsigned(0), true,
    pair: |pair| five_bits(load_lanes(pair.add(8), pair.add(32)), pair.add(4), pair.add(28)),
    numbers: |blocks| pairs_of_halves(load_dwords(blocks, 24)),
);

blocks!(Q8_0, 34, Values::Signed, false,
    pair: |pair| [load_lanes(pair.add(2), pair.add(36)), load_lanes(pair.add(18), pair.add(52))],
    numbers: |blocks| scales(load_halves(blocks, 34)),
);

blocks!(Iq4Nl, 18, Values::Signed, false,
    pair: |pair| nibbles(load_lanes(pair.add(2), pair.add(20))).map(|codes| look_up(&NON_LINEAR, codes)),
    numbers: |blocks| scales(load_halves(blocks, 18)),
);

blocks!(Mxfp4, 17, Values::Unsigned(12), false,
    pair: |pair| nibbles(load_lanes(pair.add(1), pair.add(18))).map(|codes| look_up(&UNSIGNED_FLOAT4, codes)),
    numbers: |blocks| {
        // The exponent and the first three bytes of codes.
        let exponents = _mm256_and_si256(load_dwords(blocks, 17), _mm256_set1_epi32(255));
        scales(halves_of_exponents(exponents))
    },
);

/// Without minimums.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn scales(scales: __m256) -> [__m256; 2] {
    [scales, _mm256_setzero_ps()]
}

/// Adds the fifth bits of two blocks, each 4 bytes.
///
/// # Safety
/// Both can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn five_bits(codes: __m256i, low: *const u8, high: *const u8) -> [__m256i; 2] {
    // SAFETY: as the caller promises.
    let (low, high) = unsafe { (low.cast::<i32>().read_unaligned(), high.cast::<i32>().read_unaligned()) };
    let bits = _mm256_setr_epi32(low, 0, 0, 0, high, 0, 0, 0);
    // Byte 0 for eight weights, then byte 1; bytes 2 and 3 for the second half.
    let order = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
    let mask = _mm256_set1_epi64x(0x8040_2010_0804_0201u64.cast_signed());
    let add = |codes, order| _mm256_or_si256(codes, sixteen_where(_mm256_shuffle_epi8(bits, order), mask));
    let [first, second] = nibbles(codes);
    [
        add(first, order),
        add(second, _mm256_add_epi8(order, _mm256_set1_epi8(2))),
    ]
}

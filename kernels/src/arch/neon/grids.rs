//! Codes that stand for 8 or 4 weights at once (`formats::grid`).

use std::arch::aarch64::*;

use half::f16;

use super::numbers::half;
use super::unit::{Numbers, Unit};
use crate::formats::grid_tables::{IQ1, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS, even_signs};

/// A format: bytes of its block, scales of a group, what is in the block at `$block`.
macro_rules! grids {
    ($name:ident, $bytes:literal, $parts:literal, |$block:ident, $group:ident| $values:expr,
     scale: $scale:expr, |$part:ident| $number:expr $(,)?) => {
        pub(super) enum $name {}

        impl Unit for $name {
            const BYTES: usize = $bytes;
            const GROUPS: usize = 8;
            const PARTS: usize = $parts;
            const MINIMUM: bool = false;

            #[inline(always)]
            unsafe fn values(unit: *const u8, $group: usize) -> [int8x16_t; 2] {
                let $block = Block(unit);
                // SAFETY: the block can be read, as the caller promises.
                unsafe { $values }
            }

            #[inline(always)]
            unsafe fn numbers(unit: *const u8) -> Numbers {
                let $block = Block(unit);
                let mut numbers = [0.0; 16];
                // SAFETY: the block can be read, as the caller promises.
                unsafe {
                    let scale: f32 = $scale;
                    for ($part, number) in numbers[..8 * $parts].iter_mut().enumerate() {
                        let [whole, added, factor]: [f32; 3] = $number;
                        *number = scale * (whole + added) * factor;
                    }
                }
                Numbers::of_array(&numbers)
            }
        }
    };
}

// Scale, then per group 4 codes and 32 bits: 4 times 7 of signs, the group's scale in the highest 4.
grids!(Iq2Xxs, 66, 1,
    |block, group| {
        let entry = |eight: usize| IQ2_XXS[block.byte(2 + group * 8 + eight)];
        signed([entry(0), entry(1), entry(2), entry(3)], packed_signs(block.word(6 + group * 8)))
    },
    scale: half(block.0), |group| [(block.word(6 + group * 8) >> 28) as f32, 0.5, 0.25],
);

// Scale, per group 4 times 9 bits of code and 7 of signs, 8 bytes of the scales of halves.
grids!(Iq2Xs, 74, 2,
    |block, group| {
        let code = |eight: usize| block.short(2 + (group * 4 + eight) * 2);
        let entry = |eight: usize| IQ2_XS[code(eight) & 511];
        let signs = |eight: usize| even_signs((code(eight) >> 9) as u8);
        signed(
            [entry(0), entry(1), entry(2), entry(3)],
            u32::from_le_bytes([signs(0), signs(1), signs(2), signs(3)]),
        )
    },
    scale: half(block.0), |part| [block.half_byte(66, part) as f32, 0.5, 0.25],
);

// Scale, 32 codes, 32 bytes of signs, 8 bytes of the codes' bits 8 and 9, 8 bytes of the scales of halves.
grids!(Iq2S, 82, 2,
    |block, group| {
        let high = block.byte(66 + group);
        let entry = |eight: usize| IQ2_S[block.byte(2 + group * 4 + eight) | (high >> (2 * eight) & 3) << 8];
        signed([entry(0), entry(1), entry(2), entry(3)], block.word(34 + group * 4))
    },
    scale: half(block.0), |part| [block.half_byte(74, part) as f32, 0.5, 0.25],
);

// Scale, 64 codes of 4 weights, then per group 32 bits as of IQ2_XXS.
grids!(Iq3Xxs, 98, 1,
    |block, group| {
        let entry = |eight: usize| {
            let four = |at: usize| u64::from(IQ3_XXS[block.byte(2 + group * 8 + at)]);
            four(2 * eight) | four(2 * eight + 1) << 32
        };
        signed([entry(0), entry(1), entry(2), entry(3)], packed_signs(block.word(66 + group * 4)))
    },
    scale: half(block.0), |group| [(block.word(66 + group * 4) >> 28) as f32, 0.5, 0.5],
);

// Scale, 64 codes of 4 weights, 8 bytes of their ninth bits, 32 bytes of signs, 4 bytes of scales.
grids!(Iq3S, 110, 1,
    |block, group| {
        let high = block.byte(66 + group);
        let entry = |eight: usize| {
            let four = |at: usize| u64::from(IQ3_S[block.byte(2 + group * 8 + at) | (high >> at & 1) << 8]);
            four(2 * eight) | four(2 * eight + 1) << 32
        };
        signed([entry(0), entry(1), entry(2), entry(3)], block.word(74 + group * 4))
    },
    scale: half(block.0), |group| [(2 * block.half_byte(106, group) + 1) as f32, 0.0, 1.0],
);

// Scale, 32 codes, then per group 16 bits: 4 times the high 3 of the codes, 3 of scale, the sign of the shift.
grids!(Iq1S, 50, 1,
    |block, group| {
        let bits = block.short(34 + group * 2);
        let entry = |eight: usize| IQ1[block.byte(2 + group * 4 + eight) | (bits >> (3 * eight) & 7) << 8];
        let shift = vdupq_n_s8(1 - 2 * (bits >> 15) as i8);
        joined([entry(0), entry(1), entry(2), entry(3)]).map(|values| vaddq_s8(values, shift))
    },
    scale: half(block.0), |group| [(2 * (block.short(34 + group * 2) >> 12 & 7) + 1) as f32, 0.0, 0.125],
);

// 32 codes, 16 bytes of their high 3 bits and the sign of the shift, four times 16 bits: 4 times 3 of the scales of
// halves, and 4 of the block's scale.
grids!(Iq1M, 56, 2,
    |block, group| {
        let bits = block.short(32 + group * 2);
        let entry = |eight: usize| IQ1[block.byte(group * 4 + eight) | (bits >> (4 * eight) & 7) << 8];
        let shift = |eight: usize| vdup_n_s8(1 - 2 * (bits >> (4 * eight + 3) & 1) as i8);
        let [low, high] = joined([entry(0), entry(1), entry(2), entry(3)]);
        [
            vaddq_s8(low, vcombine_s8(shift(0), shift(1))),
            vaddq_s8(high, vcombine_s8(shift(2), shift(3))),
        ]
    },
    scale: {
        let four = |index: usize| (block.short(48 + 2 * index) >> 12 << (4 * index)) as u16;
        f16::from_bits(four(0) | four(1) | four(2) | four(3)).to_f32()
    },
    |part| [(2 * (block.short(48 + part / 4 * 2) >> (part % 4 * 3) & 7) + 1) as f32, 0.0, 0.125],
);

/// A block that can be read.
#[derive(Clone, Copy)]
struct Block(*const u8);

impl Block {
    /// # Safety
    /// The block has the byte.
    #[inline(always)]
    unsafe fn byte(self, at: usize) -> usize {
        // SAFETY: as the caller promises.
        usize::from(unsafe { *self.0.add(at) })
    }

    /// # Safety
    /// The block has the two bytes.
    #[inline(always)]
    unsafe fn short(self, at: usize) -> usize {
        // SAFETY: as the caller promises.
        usize::from(unsafe { self.0.add(at).cast::<u16>().read_unaligned() })
    }

    /// # Safety
    /// The block has the four bytes.
    #[inline(always)]
    unsafe fn word(self, at: usize) -> u32 {
        // SAFETY: as the caller promises.
        unsafe { self.0.add(at).cast::<u32>().read_unaligned() }
    }

    /// Four bits, the low ones of a byte first.
    ///
    /// # Safety
    /// The block has the byte.
    #[inline(always)]
    unsafe fn half_byte(self, at: usize, index: usize) -> usize {
        // SAFETY: as the caller promises.
        unsafe { self.byte(at + index / 2) >> (index % 2 * 4) & 15 }
    }
}

/// Four times 8 values.
#[inline(always)]
fn joined([a, b, c, d]: [u64; 4]) -> [int8x16_t; 2] {
    // SAFETY: part of the target.
    unsafe {
        [
            vcombine_s8(vcreate_s8(a), vcreate_s8(b)),
            vcombine_s8(vcreate_s8(c), vcreate_s8(d)),
        ]
    }
}

/// Four times 8 magnitudes, negative where the bit is set.
#[inline(always)]
pub(super) fn signed(magnitudes: [u64; 4], signs: u32) -> [int8x16_t; 2] {
    const BIT: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    let [a, b, c, d] = signs.to_le_bytes();
    let [low, high] = joined(magnitudes);
    // SAFETY: part of the target; 16 bytes.
    let apply = |values: int8x16_t, first: u8, second: u8| unsafe {
        let bits = vcombine_u8(vdup_n_u8(first), vdup_n_u8(second));
        let negative = vreinterpretq_s8_u8(vtstq_u8(bits, vld1q_u8(BIT.as_ptr())));
        vsubq_s8(veorq_s8(values, negative), negative)
    };
    [apply(low, a, b), apply(high, c, d)]
}

/// Four times 7 bits of signs, as bytes with all eight.
#[inline(always)]
fn packed_signs(word: u32) -> u32 {
    let signs = |eight: usize| even_signs((word >> (7 * eight)) as u8);
    u32::from_le_bytes([signs(0), signs(1), signs(2), signs(3)])
}

//! Formats whose blocks are 32 weights with half-precision numbers: four blocks to a unit.

use std::arch::aarch64::*;

use super::numbers::four_halves;
use super::unit::{Numbers, Unit};

/// The low halves of 16 bytes, and the high halves.
///
/// # Safety
/// 16 bytes can be read.
#[inline(always)]
pub(super) unsafe fn nibbles(from: *const u8) -> [uint8x16_t; 2] {
    // SAFETY: as the caller promises.
    unsafe {
        let bytes = vld1q_u8(from);
        [vandq_u8(bytes, vdupq_n_u8(15)), vshrq_n_u8::<4>(bytes)]
    }
}

/// Codes less an offset, as signed bytes.
#[inline(always)]
pub(super) fn less(codes: [uint8x16_t; 2], offset: u8) -> [int8x16_t; 2] {
    // SAFETY: part of the target.
    codes.map(|codes| unsafe { vreinterpretq_s8_u8(vsubq_u8(codes, vdupq_n_u8(offset))) })
}

/// 32 bits, the lowest first, as 16 in a byte or 0.
///
/// # Safety
/// 4 bytes can be read.
#[inline(always)]
unsafe fn sixteens(from: *const u8) -> [uint8x16_t; 2] {
    const BIT: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: as the caller promises.
    unsafe {
        let bytes = from.cast::<[u8; 4]>().read();
        let bit = vld1q_u8(BIT.as_ptr());
        let sixteen = |first: u8, second: u8| {
            let bits = vcombine_u8(vdup_n_u8(first), vdup_n_u8(second));
            vandq_u8(vtstq_u8(bits, bit), vdupq_n_u8(16))
        };
        [sixteen(bytes[0], bytes[1]), sixteen(bytes[2], bytes[3])]
    }
}

/// Five-bit codes: 4 bytes of fifth bits, 16 bytes of the others.
///
/// # Safety
/// 20 bytes can be read.
#[inline(always)]
unsafe fn five_bits(from: *const u8) -> [uint8x16_t; 2] {
    // SAFETY: as the caller promises.
    unsafe {
        let [low, high] = nibbles(from.add(4));
        let [first, second] = sixteens(from);
        [vorrq_u8(low, first), vorrq_u8(high, second)]
    }
}

/// A format: bytes of its block, whether a minimum follows the scale, its values from a block on.
macro_rules! blocks {
    ($name:ident, $bytes:literal, $minimum:literal, |$block:ident| $values:expr) => {
        pub(super) enum $name {}

        impl Unit for $name {
            const BYTES: usize = 4 * $bytes;
            const GROUPS: usize = 4;
            const PARTS: usize = 1;
            const MINIMUM: bool = $minimum;

            #[inline(always)]
            unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
                // SAFETY: the unit has the block, as the caller promises.
                unsafe {
                    let $block = unit.add(group * $bytes);
                    $values
                }
            }

            #[inline(always)]
            unsafe fn numbers(unit: *const u8) -> Numbers {
                // SAFETY: as the caller promises.
                unsafe {
                    let mut numbers = Numbers::of_four(four_halves::<$bytes>(unit));
                    if $minimum {
                        numbers.minimums[0] = four_halves::<$bytes>(unit.add(2));
                    }
                    numbers
                }
            }
        }
    };
}

blocks!(Q4_0, 18, false, |block| less(nibbles(block.add(2)), 8));
blocks!(Q4_1, 20, true, |block| less(nibbles(block.add(4)), 0));
blocks!(Q5_0, 22, false, |block| less(five_bits(block.add(2)), 16));
blocks!(Q5_1, 24, true, |block| less(five_bits(block.add(4)), 0));
blocks!(Q8_0, 34, false, |block| [
    vld1q_s8(block.add(2).cast()),
    vld1q_s8(block.add(18).cast())
]);
blocks!(Iq4Nl, 18, false, |block| super::codebook::non_linear(block.add(2)));

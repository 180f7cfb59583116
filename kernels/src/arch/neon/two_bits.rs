//! The K formats with two and three bits: a block of 256 weights to a unit.

use std::arch::aarch64::*;

use super::blocks::less;
use super::four_bits::{bits, load, or};
use super::numbers::{half, negated, scaled_bytes, scaled_signed_bytes};
use super::unit::{Numbers, Unit};

/// Two bits of 32 bytes, of which four groups share each.
///
/// # Safety
/// 64 bytes can be read.
#[inline(always)]
unsafe fn two_bits(codes: *const u8, group: usize) -> [uint8x16_t; 2] {
    // SAFETY: as the caller promises.
    bits(unsafe { load(codes.add(group / 4 * 32)) }, group % 4 * 2, 0, 3)
}

/// Sixteen bytes of scale (low half) and minimum (high half), 64 bytes of codes, scale, minimum.
pub(super) enum Q2K {}

impl Unit for Q2K {
    const BYTES: usize = 84;
    const GROUPS: usize = 8;
    const PARTS: usize = 2;
    const MINIMUM: bool = true;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        less(unsafe { two_bits(unit.add(16), group) }, 0)
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe {
            let (scale, minimum) = (half(unit.add(80)), half(unit.add(82)));
            let bytes = vld1q_u8(unit);
            let scaled = |bytes: uint8x16_t, factor: f32| {
                let [a, b] = scaled_bytes(vget_low_u8(bytes), factor);
                let [c, d] = scaled_bytes(vget_high_u8(bytes), factor);
                [a, b, c, d]
            };
            Numbers {
                scales: scaled(vandq_u8(bytes, vdupq_n_u8(15)), scale),
                minimums: negated(scaled(vshrq_n_u8::<4>(bytes), minimum)),
            }
        }
    }
}

/// 32 bytes of third bits, 64 bytes of codes, 12 bytes of sixteen 6-bit scales, scale.
pub(super) enum Q3K {}

impl Unit for Q3K {
    const BYTES: usize = 110;
    const GROUPS: usize = 8;
    const PARTS: usize = 2;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        unsafe {
            let third = bits(load(unit), group, 2, 4);
            less(or(two_bits(unit.add(32), group), third), 4)
        }
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        const HIGH_SHIFTS: [i8; 16] = [4, 4, 4, 4, 2, 2, 2, 2, 0, 0, 0, 0, -2, -2, -2, -2];
        // SAFETY: as the caller promises.
        unsafe {
            let low = vld1_u8(unit.add(96));
            let low = vcombine_u8(vand_u8(low, vdup_n_u8(15)), vshr_n_u8::<4>(low));
            let high = vreinterpretq_u8_u32(vdupq_n_u32(unit.add(104).cast::<u32>().read_unaligned()));
            let high = vandq_u8(vshlq_u8(high, vld1q_s8(HIGH_SHIFTS.as_ptr())), vdupq_n_u8(0x30));
            let scales = vreinterpretq_s8_u8(vsubq_u8(vorrq_u8(low, high), vdupq_n_u8(32)));
            let scale = half(unit.add(108));
            let [a, b] = scaled_signed_bytes(vget_low_s8(scales), scale);
            let [c, d] = scaled_signed_bytes(vget_high_s8(scales), scale);
            Numbers::scales([a, b, c, d])
        }
    }
}

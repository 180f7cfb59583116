//! Codes of one and two bits, of three to the power of five, and of four bits with small scales.

use std::arch::aarch64::*;

use super::blocks::{less, nibbles};
use super::four_bits::{bits, load};
use super::grids::signed;
use super::numbers::half;
use super::unit::{Numbers, Unit};
use crate::formats::codebook::{FLOAT4, half_of_float8};

/// Scale, 16 bytes of bits for 128 signs.
pub(super) enum Q1_0 {}

impl Unit for Q1_0 {
    const BYTES: usize = 18;
    const GROUPS: usize = 4;
    const PARTS: usize = 1;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        let positive = unsafe { unit.add(2 + group * 4).cast::<u32>().read_unaligned() };
        signed([0x0101_0101_0101_0101; 4], !positive)
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe { Numbers::of_four(vdupq_n_f32(half(unit))) }
    }
}

/// Twice: scale, 16 bytes of 64 codes of two bits.
pub(super) enum Q2_0 {}

impl Unit for Q2_0 {
    const BYTES: usize = 2 * 18;
    const GROUPS: usize = 4;
    const PARTS: usize = 1;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        const FIRST: [u8; 16] = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3];
        const SHIFTS: [i8; 16] = [0, -2, -4, -6, 0, -2, -4, -6, 0, -2, -4, -6, 0, -2, -4, -6];
        // SAFETY: as the caller promises.
        unsafe {
            let codes = vld1_u8(unit.add(group / 2 * 18 + 2 + group % 2 * 8));
            let codes = vcombine_u8(codes, codes);
            let first = vld1q_u8(FIRST.as_ptr());
            let own = |places| {
                let moved = vshlq_u8(vqtbl1q_u8(codes, places), vld1q_s8(SHIFTS.as_ptr()));
                vandq_u8(moved, vdupq_n_u8(3))
            };
            less([own(first), own(vaddq_u8(first, vdupq_n_u8(4)))], 1)
        }
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe {
            let (first, second) = (half(unit), half(unit.add(18)));
            Numbers::of_four(vcombine_f32(vdup_n_f32(first), vdup_n_f32(second)))
        }
    }
}

/// 64 bytes of codes of two bits: per 128 weights 32 bytes, whose lowest two bits come first; scale.
pub(super) enum Tq2 {}

impl Unit for Tq2 {
    const BYTES: usize = 66;
    const GROUPS: usize = 8;
    const PARTS: usize = 1;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        less(bits(unsafe { load(unit.add(group / 4 * 32)) }, group % 4 * 2, 0, 3), 1)
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe { Numbers::of_eight([vdupq_n_f32(half(unit.add(64))); 2]) }
    }
}

/// 48 bytes of five digits, 4 bytes of four digits, scale (`formats::ternary`).
pub(super) enum Tq1 {}

impl Unit for Tq1 {
    const BYTES: usize = 54;
    const GROUPS: usize = 8;
    const PARTS: usize = 1;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        const POWERS: [u8; 5] = [1, 3, 9, 27, 81];
        const LAST: [u8; 16] = [1, 1, 1, 1, 3, 3, 3, 3, 9, 9, 9, 9, 27, 27, 27, 27];
        // SAFETY: as the caller promises.
        unsafe {
            let times = |bytes, digit: usize| vmulq_u8(bytes, vdupq_n_u8(POWERS[digit]));
            let fractions = match group {
                0..5 => load(unit).map(|bytes| times(bytes, group)),
                5 | 6 => {
                    let bytes = vld1q_u8(unit.add(32));
                    [times(bytes, group * 2 - 10), times(bytes, group * 2 - 9)]
                }
                _ => {
                    let last = vdupq_n_u32(unit.add(48).cast::<u32>().read_unaligned());
                    let last = vmulq_u8(vreinterpretq_u8_u32(last), vld1q_u8(LAST.as_ptr()));
                    [times(vld1q_u8(unit.add(32)), 4), last]
                }
            };
            // A third of 256 is more than 85, two thirds are more than 170; a comparison that holds is -1.
            fractions.map(|fractions| {
                let at_least = |number| vreinterpretq_s8_u8(vcgeq_u8(fractions, vdupq_n_u8(number)));
                vsubq_s8(vdupq_n_s8(-1), vaddq_s8(at_least(86), at_least(171)))
            })
        }
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe { Numbers::of_eight([vdupq_n_f32(half(unit.add(52))); 2]) }
    }
}

/// Twice: 4 scales of 16 weights each, 4 times 8 bytes of codes.
pub(super) enum Nvfp4 {}

impl Unit for Nvfp4 {
    const BYTES: usize = 2 * 36;
    const GROUPS: usize = 4;
    const PARTS: usize = 2;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        unsafe {
            let table = vld1q_s8(FLOAT4.as_ptr());
            let [low, high] = nibbles(unit.add(group / 2 * 36 + 4 + group % 2 * 16));
            [
                vqtbl1q_s8(table, vcombine_u8(vget_low_u8(low), vget_low_u8(high))),
                vqtbl1q_s8(table, vcombine_u8(vget_high_u8(low), vget_high_u8(high))),
            ]
        }
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        let scale = |at: usize| half_of_float8(unsafe { *unit.add(at / 4 * 36 + at % 4) });
        let mut scales = [0.0; 16];
        for (at, to) in scales[..8].iter_mut().enumerate() {
            *to = scale(at);
        }
        Numbers::of_array(&scales)
    }
}

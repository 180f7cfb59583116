//! The K formats with four bits and more: a block of 256 weights to a unit.

use std::arch::aarch64::*;

use super::blocks::less;
use super::numbers::{half, negated, scaled_bytes, scaled_signed_bytes};
use super::unit::{Numbers, Unit};

/// 32 bytes.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub(super) unsafe fn load(from: *const u8) -> [uint8x16_t; 2] {
    // SAFETY: as the caller promises.
    unsafe { [vld1q_u8(from), vld1q_u8(from.add(16))] }
}

/// Bits of every byte from `first` on, at their place in `mask` after a shift to the left by `to`.
#[inline(always)]
pub(super) fn bits(bytes: [uint8x16_t; 2], first: usize, to: usize, mask: u8) -> [uint8x16_t; 2] {
    let shift = to as i8 - first as i8;
    // SAFETY: part of the target.
    bytes.map(|bytes| unsafe { vandq_u8(vshlq_u8(bytes, vdupq_n_s8(shift)), vdupq_n_u8(mask)) })
}

#[inline(always)]
pub(super) fn or(a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
    // SAFETY: part of the target.
    unsafe { [vorrq_u8(a[0], b[0]), vorrq_u8(a[1], b[1])] }
}

/// The low or the high halves of 32 bytes, of which two groups share each.
///
/// # Safety
/// 128 bytes can be read.
#[inline(always)]
unsafe fn shared_nibbles(codes: *const u8, group: usize) -> [uint8x16_t; 2] {
    // SAFETY: as the caller promises.
    bits(unsafe { load(codes.add(group / 2 * 32)) }, group % 2 * 4, 0, 15)
}

/// Scale, minimum, and 12 bytes of eight scales and minimums of six bits.
///
/// # Safety
/// 16 bytes can be read.
#[inline(always)]
unsafe fn six_bit_numbers(unit: *const u8) -> Numbers {
    // SAFETY: as the caller promises.
    let word = |index: usize| unsafe { unit.add(4 + 4 * index).cast::<u32>().read_unaligned() };
    let [first, second, rest] = [word(0), word(1), word(2)];
    let scales = [first & 0x3f3f_3f3f, rest & 0x0f0f_0f0f | first >> 2 & 0x3030_3030];
    let minimums = [
        second & 0x3f3f_3f3f,
        rest >> 4 & 0x0f0f_0f0f | second >> 2 & 0x3030_3030,
    ];
    // SAFETY: as the caller promises.
    unsafe {
        let bytes = |words: [u32; 2]| vcreate_u8(u64::from(words[0]) | u64::from(words[1]) << 32);
        let mut numbers = Numbers::of_eight(scaled_bytes(bytes(scales), half(unit)));
        let [first, last] = negated(scaled_bytes(bytes(minimums), half(unit.add(2))));
        numbers.minimums[0] = first;
        numbers.minimums[1] = last;
        numbers
    }
}

/// Scale, minimum, 12 bytes of scales, 128 bytes of codes.
pub(super) enum Q4K {}

impl Unit for Q4K {
    const BYTES: usize = 144;
    const GROUPS: usize = 8;
    const PARTS: usize = 1;
    const MINIMUM: bool = true;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        less(unsafe { shared_nibbles(unit.add(16), group) }, 0)
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe { six_bit_numbers(unit) }
    }
}

/// Scale, minimum, 12 bytes of scales, 32 bytes of fifth bits, 128 bytes of codes.
pub(super) enum Q5K {}

impl Unit for Q5K {
    const BYTES: usize = 176;
    const GROUPS: usize = 8;
    const PARTS: usize = 1;
    const MINIMUM: bool = true;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        unsafe {
            let fifth = bits(load(unit.add(16)), group, 4, 16);
            less(or(shared_nibbles(unit.add(48), group), fifth), 0)
        }
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe { six_bit_numbers(unit) }
    }
}

/// 128 bytes of the low 4 bits, 64 bytes of the high 2 bits, 16 signed scales, scale.
pub(super) enum Q6K {}

impl Unit for Q6K {
    const BYTES: usize = 210;
    const GROUPS: usize = 8;
    const PARTS: usize = 2;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        let (part, row) = (group / 4, group % 4);
        // SAFETY: as the caller promises.
        unsafe {
            let low = bits(load(unit.add(part * 64 + row % 2 * 32)), row / 2 * 4, 0, 15);
            let high = bits(load(unit.add(128 + part * 32)), row * 2, 4, 0x30);
            less(or(low, high), 32)
        }
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe {
            let scale = half(unit.add(208));
            let scales = vld1q_s8(unit.add(192).cast());
            let [a, b] = scaled_signed_bytes(vget_low_s8(scales), scale);
            let [c, d] = scaled_signed_bytes(vget_high_s8(scales), scale);
            Numbers::scales([a, b, c, d])
        }
    }
}

//! Formats whose 4-bit codes are looked up.

use std::arch::aarch64::*;

use super::blocks::nibbles;
use super::numbers::{half, scaled_signed_bytes};
use super::unit::{Numbers, Unit};
use crate::formats::codebook::{FLOAT4, NON_LINEAR};

/// # Safety
/// 16 bytes of codes can be read.
#[inline(always)]
unsafe fn looked_up(codes: *const u8, table: &[i8; 16]) -> [int8x16_t; 2] {
    // SAFETY: as the caller promises.
    unsafe {
        let table = vld1q_s8(table.as_ptr());
        nibbles(codes).map(|codes| vqtbl1q_s8(table, codes))
    }
}

/// # Safety
/// 16 bytes of codes can be read.
#[inline(always)]
pub(super) unsafe fn non_linear(codes: *const u8) -> [int8x16_t; 2] {
    // SAFETY: as the caller promises.
    unsafe { looked_up(codes, &NON_LINEAR) }
}

/// Four blocks of an exponent and 16 bytes of codes.
pub(super) enum Mxfp4 {}

impl Unit for Mxfp4 {
    const BYTES: usize = 4 * 17;
    const GROUPS: usize = 4;
    const PARTS: usize = 1;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        unsafe { looked_up(unit.add(group * 17 + 1), &FLOAT4) }
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        // SAFETY: as the caller promises.
        unsafe {
            let exponent = |block: usize| u32::from(*unit.add(block * 17));
            let exponents = [exponent(0), exponent(1), exponent(2), exponent(3)];
            let exponents = vld1q_u32(exponents.as_ptr());
            // 2^(exponent - 128); the two smallest are subnormal.
            let normal = vshlq_n_u32::<23>(vsubq_u32(exponents, vdupq_n_u32(1)));
            let small = vshlq_u32(vdupq_n_u32(1 << 21), vreinterpretq_s32_u32(exponents));
            let bits = vbslq_u32(vcgtq_u32(exponents, vdupq_n_u32(1)), normal, small);
            Numbers::of_four(vreinterpretq_f32_u32(bits))
        }
    }
}

/// Scale, 2 bytes of the high 2 bits and 4 bytes of the low 4 bits of eight scales, 8 times 16 bytes of codes.
pub(super) enum Iq4Xs {}

impl Unit for Iq4Xs {
    const BYTES: usize = 136;
    const GROUPS: usize = 8;
    const PARTS: usize = 1;
    const MINIMUM: bool = false;

    #[inline(always)]
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: as the caller promises.
        unsafe { non_linear(unit.add(8 + group * 16)) }
    }

    #[inline(always)]
    unsafe fn numbers(unit: *const u8) -> Numbers {
        const HIGH_SHIFTS: [i8; 8] = [0, -2, -4, -6, 0, -2, -4, -6];
        // SAFETY: as the caller promises.
        unsafe {
            let low = vreinterpret_u8_u32(vdup_n_u32(unit.add(4).cast::<u32>().read_unaligned()));
            let low = vzip1_u8(vand_u8(low, vdup_n_u8(15)), vshr_n_u8::<4>(low));
            let high = vreinterpret_u8_u16(vdup_n_u16(unit.add(2).cast::<u16>().read_unaligned()));
            let high = vzip1_u8(high, high);
            let high = vreinterpret_u8_u16(vzip1_u16(vreinterpret_u16_u8(high), vreinterpret_u16_u8(high)));
            let high = vand_u8(vshl_u8(high, vld1_s8(HIGH_SHIFTS.as_ptr())), vdup_n_u8(3));
            let scales = vsub_u8(vorr_u8(low, vshl_n_u8::<4>(high)), vdup_n_u8(32));
            Numbers::of_eight(scaled_signed_bytes(vreinterpret_s8_u8(scales), half(unit)))
        }
    }
}

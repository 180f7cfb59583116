//! Scales of blocks as f32. Advanced SIMD is part of every ARM64 target: what uses it alone is safe to call.

use std::arch::aarch64::*;

use super::unit::Numbers;

impl Numbers {
    #[inline(always)]
    pub fn scales(scales: [float32x4_t; 4]) -> Self {
        Self {
            scales,
            minimums: [zero(); 4],
        }
    }

    #[inline(always)]
    pub fn of_array(scales: &[f32; 16]) -> Self {
        // SAFETY: part of the target; four floats each.
        Self::scales([0, 4, 8, 12].map(|at| unsafe { vld1q_f32(scales[at..at + 4].as_ptr()) }))
    }

    /// Of four groups.
    #[inline(always)]
    pub fn of_four(scales: float32x4_t) -> Self {
        Self::scales([scales, zero(), zero(), zero()])
    }

    /// Of eight groups.
    #[inline(always)]
    pub fn of_eight([first, last]: [float32x4_t; 2]) -> Self {
        Self::scales([first, last, zero(), zero()])
    }
}

#[inline(always)]
pub(super) fn zero() -> float32x4_t {
    vdup(0.0)
}

#[inline(always)]
pub(super) fn vdup(value: f32) -> float32x4_t {
    // SAFETY: part of the target.
    unsafe { vdupq_n_f32(value) }
}

/// Half-precision numbers.
#[inline(always)]
pub(super) fn widen_halves(bits: uint16x4_t) -> float32x4_t {
    // SAFETY: part of the target.
    unsafe { vcvt_f32_f16(vreinterpret_f16_u16(bits)) }
}

/// The half-precision number at an address.
///
/// # Safety
/// Two bytes can be read.
#[inline(always)]
pub(super) unsafe fn half(from: *const u8) -> f32 {
    // SAFETY: as the caller promises.
    unsafe { vgetq_lane_f32::<0>(widen_halves(vdup_n_u16(from.cast::<u16>().read_unaligned()))) }
}

/// The half-precision numbers at `from` and one, two and three times `STRIDE` bytes behind.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub(super) unsafe fn four_halves<const STRIDE: usize>(from: *const u8) -> float32x4_t {
    // SAFETY: as the caller promises.
    let bits = |index: usize| u64::from(unsafe { from.add(index * STRIDE).cast::<u16>().read_unaligned() });
    let bits = bits(0) | bits(1) << 16 | bits(2) << 32 | bits(3) << 48;
    // SAFETY: part of the target.
    widen_halves(unsafe { vcreate_u16(bits) })
}

/// Unsigned bytes as numbers, times a factor.
#[inline(always)]
pub(super) fn scaled_bytes(bytes: uint8x8_t, factor: f32) -> [float32x4_t; 2] {
    // SAFETY: part of the target.
    unsafe {
        let words = vmovl_u8(bytes);
        [
            vmulq_n_f32(vcvtq_f32_u32(vmovl_u16(vget_low_u16(words))), factor),
            vmulq_n_f32(vcvtq_f32_u32(vmovl_high_u16(words)), factor),
        ]
    }
}

/// Signed bytes as numbers, times a factor.
#[inline(always)]
pub(super) fn scaled_signed_bytes(bytes: int8x8_t, factor: f32) -> [float32x4_t; 2] {
    // SAFETY: part of the target.
    unsafe {
        let words = vmovl_s8(bytes);
        [
            vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(words))), factor),
            vmulq_n_f32(vcvtq_f32_s32(vmovl_high_s16(words)), factor),
        ]
    }
}

#[inline(always)]
pub(super) fn negated<const COUNT: usize>(numbers: [float32x4_t; COUNT]) -> [float32x4_t; COUNT] {
    // SAFETY: part of the target.
    numbers.map(|numbers| unsafe { vnegq_f32(numbers) })
}

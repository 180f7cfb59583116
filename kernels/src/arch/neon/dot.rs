//! Instructions that stable Rust 1.95 has no functions for.

use std::arch::aarch64::*;
use std::arch::asm;

/// Adds the products of four bytes with four bytes to every lane.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(super) fn dot(mut sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction is enabled and touches nothing but its registers.
    unsafe {
        asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) sums, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sums
}

/// The same with the four bytes of lane `LANE` of `b` in every lane.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(super) fn dot_lane<const LANE: usize>(mut sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    const { assert!(LANE < 4) };
    // SAFETY: as above.
    unsafe {
        asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.4b[{3}]", inout(vreg) sums, in(vreg) a, in(vreg) b, const LANE,
            options(pure, nomem, nostack, preserves_flags));
    }
    sums
}

/// Adds the products of two rows of eight bytes with two rows of eight bytes: [a0 b0, a0 b1, a1 b0, a1 b1].
#[inline]
#[target_feature(enable = "neon,i8mm")]
pub(super) fn dot_pairs(mut sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: as above.
    unsafe {
        asm!("smmla {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) sums, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sums
}

//! One algorithm for the vectors of every instruction set.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

#[cfg(target_arch = "x86_64")]
use avx2::Avx2Lanes;
#[cfg(target_arch = "x86_64")]
use avx512::Avx512Lanes;
#[cfg(target_arch = "aarch64")]
use neon::NeonLanes;
use scalar::ScalarLanes;

use crate::isa::Isa;

/// f32 values side by side in a vector of any instruction set.
pub const LANES: usize = 16;

/// 16 lanes of f32 and the operations that every instruction set has, each rounded on its own, so that an
/// algorithm written over it gives the same bits everywhere.
///
/// A value of an implementing type proves that this processor has the instructions: it is made only inside
/// `arch`, behind a check. Its methods must be inlined into a function that enables them (see `Kernel`).
pub trait Lanes: Copy {
    type Vector: Copy;
    /// The same lanes in f64.
    type Wide: Copy;

    /// Vectors that fit the registers at once.
    const REGISTERS: usize;

    /// Runs a kernel as a function of its own, compiled for these instructions.
    fn call<K: Kernel>(self, kernel: K) -> K::Output;

    /// Asks for the line of 64 bytes at `offset` of `bytes`, which may lie outside, into the second cache.
    fn prefetch(self, bytes: &[u8], offset: usize);

    fn splat(self, value: f32) -> Self::Vector;
    fn load(self, from: &[f32; LANES]) -> Self::Vector;
    fn store(self, vector: Self::Vector, to: &mut [f32; LANES]);

    /// Little-endian f32.
    fn load_f32(self, from: &[u8; 4 * LANES]) -> Self::Vector;
    /// Little-endian f16.
    fn load_f16(self, from: &[u8; 2 * LANES]) -> Self::Vector;
    /// One little-endian f16 in all lanes.
    fn splat_f16(self, from: &[u8; 2]) -> Self::Vector;
    /// Signed bytes.
    fn load_i8(self, from: &[u8; LANES]) -> Self::Vector;
    /// The low four bits of each byte, less 8.
    fn load_low_nibbles(self, from: &[u8; LANES]) -> Self::Vector;
    /// The high four bits of each byte, less 8.
    fn load_high_nibbles(self, from: &[u8; LANES]) -> Self::Vector;

    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c`, rounded once.
    fn fma(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Lane-wise `a > b ? a : b`: `b` where one of them is not a number.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Lane-wise `a < b ? yes : no`.
    fn select_less(self, a: Self::Vector, b: Self::Vector, yes: Self::Vector, no: Self::Vector) -> Self::Vector;
    /// One bit per lane, the first lowest: 1 where `a >= b`.
    fn at_least(self, a: Self::Vector, b: Self::Vector) -> u16;
    /// `yes` in the lanes whose bit is 1, the first bit lowest.
    fn select_bits(self, bits: u16, yes: Self::Vector, no: Self::Vector) -> Self::Vector;
    /// 2^n of n + 1.5 * 2^23, n a whole number in -126..=127; anything for others.
    fn power_of_two(self, shifted: Self::Vector) -> Self::Vector;
    /// All lanes added pairwise: (l, l+8), then (l, l+4), (l, l+2), (l, l+1).
    fn sum(self, vector: Self::Vector) -> f32;
    fn wide_zeros(self) -> Self::Wide;
    /// `sums + x`, in f64.
    fn add_wide(self, sums: Self::Wide, x: Self::Vector) -> Self::Wide;
    /// `sums + (x - center)^2`, in f64, every operation rounded on its own.
    fn add_squares(self, sums: Self::Wide, x: Self::Vector, center: f64) -> Self::Wide;
    fn store_wide(self, wide: Self::Wide) -> [f64; LANES];
    /// The largest lane, compared pairwise as in `sum`.
    fn largest(self, vector: Self::Vector) -> f32;
}

/// An algorithm over lanes. `run` and all it calls must be `#[inline(always)]`, or go through `Lanes::call`:
/// code that is not inlined there is compiled without the instructions, and is slow.
pub trait Kernel {
    type Output;
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Runs a kernel on the lanes of an instruction set; one that this processor lacks runs as scalar code.
pub fn run<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => match Avx512Lanes::detect() {
            Some(lanes) => lanes.call(kernel),
            None => ScalarLanes.call(kernel),
        },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => match Avx2Lanes::detect() {
            Some(lanes) => lanes.call(kernel),
            None => ScalarLanes.call(kernel),
        },
        #[cfg(target_arch = "aarch64")]
        Isa::Neon | Isa::NeonI8mm => NeonLanes.call(kernel),
        _ => ScalarLanes.call(kernel),
    }
}

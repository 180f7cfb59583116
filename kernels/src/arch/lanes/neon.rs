use std::arch::aarch64::*;

use crate::arch::lanes::{Kernel, LANES, Lanes};

/// Lanes of Advanced SIMD, which every ARM64 target has: no proof is needed.
#[derive(Clone, Copy, Debug)]
pub struct NeonLanes;

/// Lanes 0..4, 4..8, 8..12 and 12..16.
#[derive(Clone, Copy)]
pub struct Quad([float32x4_t; 4]);

#[inline(always)]
fn each(a: Quad, b: Quad, operation: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> Quad {
    Quad([
        operation(a.0[0], b.0[0]),
        operation(a.0[1], b.0[1]),
        operation(a.0[2], b.0[2]),
        operation(a.0[3], b.0[3]),
    ])
}

#[inline(always)]
fn widen(bytes: int8x16_t) -> Quad {
    // SAFETY: part of the target.
    unsafe {
        let (first, last) = (vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes));
        Quad([
            vcvtq_f32_s32(vmovl_s16(vget_low_s16(first))),
            vcvtq_f32_s32(vmovl_high_s16(first)),
            vcvtq_f32_s32(vmovl_s16(vget_low_s16(last))),
            vcvtq_f32_s32(vmovl_high_s16(last)),
        ])
    }
}

/// Four-bit codes less 8.
#[inline(always)]
fn widen_codes(codes: uint8x16_t) -> Quad {
    // SAFETY: part of the target.
    widen(unsafe { vreinterpretq_s8_u8(vsubq_u8(codes, vdupq_n_u8(8))) })
}

/// `a > b ? a : b`: `vmaxq_f32` would give NaN instead of `b`.
#[inline(always)]
fn larger(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: part of the target.
    unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
}

/// Lanes joined pairwise: (l, l+8), then (l, l+4), (l, l+2), (l, l+1).
#[inline(always)]
fn fold(x: Quad, join: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> f32 {
    let four = join(join(x.0[0], x.0[2]), join(x.0[1], x.0[3]));
    // SAFETY: part of the target.
    unsafe {
        let two = join(four, vextq_f32::<2>(four, four));
        vgetq_lane_f32::<0>(join(two, vextq_f32::<1>(two, two)))
    }
}

#[inline(always)]
fn wide(x: Quad) -> [float64x2_t; 8] {
    // SAFETY: part of the target.
    std::array::from_fn(|i| unsafe {
        if i % 2 == 0 {
            vcvt_f64_f32(vget_low_f32(x.0[i / 2]))
        } else {
            vcvt_high_f64_f32(x.0[i / 2])
        }
    })
}

impl Lanes for NeonLanes {
    type Vector = Quad;
    type Wide = [float64x2_t; 8];

    const REGISTERS: usize = 8;

    #[inline(never)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn prefetch(self, bytes: &[u8], offset: usize) {
        let address = bytes.as_ptr().wrapping_add(offset);
        // SAFETY: a hint that any address is allowed for; nothing changes.
        unsafe {
            std::arch::asm!("prfm pldl2keep, [{address}]", address = in(reg) address, options(readonly, nostack, preserves_flags));
        }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Quad {
        // SAFETY: part of the target.
        Quad([unsafe { vdupq_n_f32(value) }; 4])
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Quad {
        // SAFETY: the reference is to 16 floats.
        Quad(std::array::from_fn(|i| unsafe { vld1q_f32(from.as_ptr().add(4 * i)) }))
    }

    #[inline(always)]
    fn store(self, vector: Quad, to: &mut [f32; LANES]) {
        for (to, vector) in to.as_chunks_mut::<4>().0.iter_mut().zip(vector.0) {
            // SAFETY: the reference is to 4 floats.
            unsafe { vst1q_f32(to.as_mut_ptr(), vector) };
        }
    }

    #[inline(always)]
    fn load_f32(self, from: &[u8; 4 * LANES]) -> Quad {
        // SAFETY: the reference is to 64 bytes, which need no alignment.
        Quad(std::array::from_fn(|i| unsafe {
            vreinterpretq_f32_u8(vld1q_u8(from.as_ptr().add(16 * i)))
        }))
    }

    #[inline(always)]
    fn load_f16(self, from: &[u8; 2 * LANES]) -> Quad {
        // SAFETY: the reference is to 32 bytes.
        unsafe {
            let first = vreinterpretq_f16_u8(vld1q_u8(from.as_ptr()));
            let last = vreinterpretq_f16_u8(vld1q_u8(from.as_ptr().add(16)));
            Quad([
                vcvt_f32_f16(vget_low_f16(first)),
                vcvt_high_f32_f16(first),
                vcvt_f32_f16(vget_low_f16(last)),
                vcvt_high_f32_f16(last),
            ])
        }
    }

    #[inline(always)]
    fn splat_f16(self, from: &[u8; 2]) -> Quad {
        // SAFETY: part of the target.
        Quad([unsafe { vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(u16::from_le_bytes(*from)))) }; 4])
    }

    #[inline(always)]
    fn load_i8(self, from: &[u8; LANES]) -> Quad {
        // SAFETY: the reference is to 16 bytes.
        widen(unsafe { vld1q_s8(from.as_ptr().cast()) })
    }

    #[inline(always)]
    fn load_low_nibbles(self, from: &[u8; LANES]) -> Quad {
        // SAFETY: the reference is to 16 bytes.
        widen_codes(unsafe { vandq_u8(vld1q_u8(from.as_ptr()), vdupq_n_u8(15)) })
    }

    #[inline(always)]
    fn load_high_nibbles(self, from: &[u8; LANES]) -> Quad {
        // SAFETY: the reference is to 16 bytes.
        widen_codes(unsafe { vshrq_n_u8::<4>(vld1q_u8(from.as_ptr())) })
    }

    #[inline(always)]
    fn add(self, a: Quad, b: Quad) -> Quad {
        // SAFETY: part of the target.
        each(a, b, |a, b| unsafe { vaddq_f32(a, b) })
    }

    #[inline(always)]
    fn sub(self, a: Quad, b: Quad) -> Quad {
        // SAFETY: part of the target.
        each(a, b, |a, b| unsafe { vsubq_f32(a, b) })
    }

    #[inline(always)]
    fn mul(self, a: Quad, b: Quad) -> Quad {
        // SAFETY: part of the target.
        each(a, b, |a, b| unsafe { vmulq_f32(a, b) })
    }

    #[inline(always)]
    fn div(self, a: Quad, b: Quad) -> Quad {
        // SAFETY: part of the target.
        each(a, b, |a, b| unsafe { vdivq_f32(a, b) })
    }

    #[inline(always)]
    fn fma(self, a: Quad, b: Quad, c: Quad) -> Quad {
        // SAFETY: part of the target.
        Quad(std::array::from_fn(|i| unsafe { vfmaq_f32(c.0[i], a.0[i], b.0[i]) }))
    }

    #[inline(always)]
    fn max(self, a: Quad, b: Quad) -> Quad {
        each(a, b, larger)
    }

    #[inline(always)]
    fn select_less(self, a: Quad, b: Quad, yes: Quad, no: Quad) -> Quad {
        // SAFETY: part of the target.
        Quad(std::array::from_fn(|i| unsafe {
            vbslq_f32(vcltq_f32(a.0[i], b.0[i]), yes.0[i], no.0[i])
        }))
    }

    #[inline(always)]
    fn at_least(self, a: Quad, b: Quad) -> u16 {
        const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        // SAFETY: part of the target.
        unsafe {
            let words = |i: usize| vmovn_u32(vcgeq_f32(a.0[i], b.0[i]));
            let first = vmovn_u16(vcombine_u16(words(0), words(1)));
            let last = vmovn_u16(vcombine_u16(words(2), words(3)));
            let bits = vandq_u8(vcombine_u8(first, last), vld1q_u8(BITS.as_ptr()));
            u16::from(vaddv_u8(vget_low_u8(bits))) | u16::from(vaddv_u8(vget_high_u8(bits))) << 8
        }
    }

    #[inline(always)]
    fn select_bits(self, bits: u16, yes: Quad, no: Quad) -> Quad {
        const BITS: [u32; LANES] = {
            let mut bits = [1; LANES];
            let mut lane = 0;
            while lane < LANES {
                bits[lane] <<= lane;
                lane += 1;
            }
            bits
        };
        // SAFETY: part of the target; there are 16 bits.
        Quad(std::array::from_fn(|i| unsafe {
            let mask = vtstq_u32(vdupq_n_u32(u32::from(bits)), vld1q_u32(BITS.as_ptr().add(4 * i)));
            vbslq_f32(mask, yes.0[i], no.0[i])
        }))
    }

    #[inline(always)]
    fn power_of_two(self, shifted: Quad) -> Quad {
        // SAFETY: part of the target.
        Quad(shifted.0.map(|x| unsafe {
            let exponent = vshlq_n_u32::<23>(vreinterpretq_u32_f32(x));
            vreinterpretq_f32_u32(vaddq_u32(exponent, vdupq_n_u32(127 << 23)))
        }))
    }

    #[inline(always)]
    fn sum(self, vector: Quad) -> f32 {
        // SAFETY: part of the target.
        fold(vector, |a, b| unsafe { vaddq_f32(a, b) })
    }

    #[inline(always)]
    fn wide_zeros(self) -> Self::Wide {
        // SAFETY: part of the target.
        [unsafe { vdupq_n_f64(0.0) }; 8]
    }

    #[inline(always)]
    fn add_wide(self, sums: Self::Wide, x: Quad) -> Self::Wide {
        let x = wide(x);
        // SAFETY: part of the target.
        std::array::from_fn(|i| unsafe { vaddq_f64(sums[i], x[i]) })
    }

    #[inline(always)]
    fn add_squares(self, sums: Self::Wide, x: Quad, center: f64) -> Self::Wide {
        let x = wide(x);
        // SAFETY: part of the target.
        std::array::from_fn(|i| unsafe {
            let distance = vsubq_f64(x[i], vdupq_n_f64(center));
            vaddq_f64(sums[i], vmulq_f64(distance, distance))
        })
    }

    #[inline(always)]
    fn store_wide(self, wide: Self::Wide) -> [f64; LANES] {
        let mut lanes = [0.0; LANES];
        for (lanes, wide) in lanes.as_chunks_mut::<2>().0.iter_mut().zip(wide) {
            // SAFETY: two numbers.
            unsafe { vst1q_f64(lanes.as_mut_ptr(), wide) };
        }
        lanes
    }

    #[inline(always)]
    fn largest(self, vector: Quad) -> f32 {
        fold(vector, larger)
    }
}

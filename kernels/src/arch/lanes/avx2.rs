use std::arch::x86_64::*;

use crate::arch::lanes::{Kernel, LANES, Lanes};
use crate::isa::Isa;

/// Proof that this processor has AVX2, FMA and F16C; only `detect` makes one.
#[derive(Clone, Copy, Debug)]
pub struct Avx2Lanes(());

impl Avx2Lanes {
    pub fn detect() -> Option<Self> {
        Isa::Avx2.is_available().then_some(Self(()))
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,fma,f16c")]
fn enabled<K: Kernel>(lanes: Avx2Lanes, kernel: K) -> K::Output {
    kernel.run(lanes)
}

/// Lanes 0..8 and 8..16.
#[derive(Clone, Copy)]
pub struct Pair(__m256, __m256);

/// 16 bytes as two vectors of 8.
macro_rules! halves {
    ($from:expr, $widen:ident) => {{
        let bytes = _mm_loadu_si128($from.as_ptr().cast());
        ($widen(bytes), $widen(_mm_srli_si128::<8>(bytes)))
    }};
}

macro_rules! nibbles {
    ($half:expr) => {
        _mm256_cvtepi32_ps(_mm256_sub_epi32($half, _mm256_set1_epi32(8)))
    };
}

/// Lanes 0..4, 4..8, 8..12, 12..16.
#[target_feature(enable = "avx2")]
#[inline]
fn widen(x: Pair) -> [__m256d; 4] {
    [
        _mm256_cvtps_pd(_mm256_castps256_ps128(x.0)),
        _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(x.0)),
        _mm256_cvtps_pd(_mm256_castps256_ps128(x.1)),
        _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(x.1)),
    ]
}

impl Lanes for Avx2Lanes {
    type Vector = Pair;
    type Wide = [__m256d; 4];

    const REGISTERS: usize = 8;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: `self` proves the features.
        unsafe { enabled(self, kernel) }
    }

    #[inline(always)]
    fn prefetch(self, bytes: &[u8], offset: usize) {
        // SAFETY: every x86-64 has it, and any address is allowed.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(bytes.as_ptr().wrapping_add(offset).cast()) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe { Pair(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Pair {
        let from = from.as_ptr();
        // SAFETY: `self` proves the features; the reference is to 64 bytes.
        unsafe { Pair(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }

    #[inline(always)]
    fn store(self, vector: Pair, to: &mut [f32; LANES]) {
        let to = to.as_mut_ptr();
        // SAFETY: `self` proves the features; the reference is to 64 bytes.
        unsafe {
            _mm256_storeu_ps(to, vector.0);
            _mm256_storeu_ps(to.add(8), vector.1);
        }
    }

    #[inline(always)]
    fn load_f32(self, from: &[u8; 4 * LANES]) -> Pair {
        let from = from.as_ptr();
        // SAFETY: `self` proves the features; the reference is to 64 bytes.
        unsafe { Pair(_mm256_loadu_ps(from.cast()), _mm256_loadu_ps(from.add(32).cast())) }
    }

    #[inline(always)]
    fn load_f16(self, from: &[u8; 2 * LANES]) -> Pair {
        let from = from.as_ptr();
        // SAFETY: `self` proves the features; the reference is to 32 bytes.
        unsafe {
            Pair(
                _mm256_cvtph_ps(_mm_loadu_si128(from.cast())),
                _mm256_cvtph_ps(_mm_loadu_si128(from.add(16).cast())),
            )
        }
    }

    #[inline(always)]
    fn splat_f16(self, from: &[u8; 2]) -> Pair {
        let half = i32::from(u16::from_le_bytes(*from));
        // SAFETY: `self` proves the features.
        unsafe {
            let all = _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
            Pair(all, all)
        }
    }

    #[inline(always)]
    fn load_i8(self, from: &[u8; LANES]) -> Pair {
        // SAFETY: `self` proves the features; the reference is to 16 bytes.
        unsafe {
            let (low, high) = halves!(from, _mm256_cvtepi8_epi32);
            Pair(_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high))
        }
    }

    #[inline(always)]
    fn load_low_nibbles(self, from: &[u8; LANES]) -> Pair {
        // SAFETY: `self` proves the features; the reference is to 16 bytes.
        unsafe {
            let (low, high) = halves!(from, _mm256_cvtepu8_epi32);
            let mask = _mm256_set1_epi32(15);
            Pair(
                nibbles!(_mm256_and_si256(low, mask)),
                nibbles!(_mm256_and_si256(high, mask)),
            )
        }
    }

    #[inline(always)]
    fn load_high_nibbles(self, from: &[u8; LANES]) -> Pair {
        // SAFETY: `self` proves the features; the reference is to 16 bytes.
        unsafe {
            let (low, high) = halves!(from, _mm256_cvtepu8_epi32);
            Pair(
                nibbles!(_mm256_srli_epi32::<4>(low)),
                nibbles!(_mm256_srli_epi32::<4>(high)),
            )
        }
    }

    #[inline(always)]
    fn add(self, a: Pair, b: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe { Pair(_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn sub(self, a: Pair, b: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe { Pair(_mm256_sub_ps(a.0, b.0), _mm256_sub_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul(self, a: Pair, b: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe { Pair(_mm256_mul_ps(a.0, b.0), _mm256_mul_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn div(self, a: Pair, b: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe { Pair(_mm256_div_ps(a.0, b.0), _mm256_div_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn fma(self, a: Pair, b: Pair, c: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe { Pair(_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)) }
    }

    #[inline(always)]
    fn max(self, a: Pair, b: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe { Pair(_mm256_max_ps(a.0, b.0), _mm256_max_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn select_less(self, a: Pair, b: Pair, yes: Pair, no: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe {
            Pair(
                _mm256_blendv_ps(no.0, yes.0, _mm256_cmp_ps::<_CMP_LT_OQ>(a.0, b.0)),
                _mm256_blendv_ps(no.1, yes.1, _mm256_cmp_ps::<_CMP_LT_OQ>(a.1, b.1)),
            )
        }
    }

    #[inline(always)]
    fn at_least(self, a: Pair, b: Pair) -> u16 {
        // SAFETY: `self` proves the features.
        unsafe {
            let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(a.0, b.0));
            let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(a.1, b.1));
            (high << 8 | low) as u16
        }
    }

    #[inline(always)]
    fn select_bits(self, bits: u16, yes: Pair, no: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe {
            let all = _mm256_set1_epi32(i32::from(bits));
            let low = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let high = _mm256_slli_epi32::<8>(low);
            let low = _mm256_cmpeq_epi32(_mm256_and_si256(all, low), low);
            let high = _mm256_cmpeq_epi32(_mm256_and_si256(all, high), high);
            Pair(
                _mm256_blendv_ps(no.0, yes.0, _mm256_castsi256_ps(low)),
                _mm256_blendv_ps(no.1, yes.1, _mm256_castsi256_ps(high)),
            )
        }
    }

    #[inline(always)]
    fn power_of_two(self, shifted: Pair) -> Pair {
        // SAFETY: `self` proves the features.
        unsafe {
            let one = _mm256_set1_epi32(127 << 23);
            let low = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted.0));
            let high = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted.1));
            Pair(
                _mm256_castsi256_ps(_mm256_add_epi32(low, one)),
                _mm256_castsi256_ps(_mm256_add_epi32(high, one)),
            )
        }
    }

    #[inline(always)]
    fn sum(self, vector: Pair) -> f32 {
        // SAFETY: `self` proves the features.
        unsafe {
            let eight = _mm256_add_ps(vector.0, vector.1);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn wide_zeros(self) -> [__m256d; 4] {
        // SAFETY: `self` proves the features.
        unsafe { [_mm256_setzero_pd(); 4] }
    }

    #[inline(always)]
    fn add_wide(self, mut sums: [__m256d; 4], x: Pair) -> [__m256d; 4] {
        // SAFETY: `self` proves the features.
        unsafe {
            for (sum, x) in sums.iter_mut().zip(widen(x)) {
                *sum = _mm256_add_pd(*sum, x);
            }
        }
        sums
    }

    #[inline(always)]
    fn add_squares(self, mut sums: [__m256d; 4], x: Pair, center: f64) -> [__m256d; 4] {
        // SAFETY: `self` proves the features.
        unsafe {
            for (sum, x) in sums.iter_mut().zip(widen(x)) {
                let distance = _mm256_sub_pd(x, _mm256_set1_pd(center));
                *sum = _mm256_add_pd(*sum, _mm256_mul_pd(distance, distance));
            }
        }
        sums
    }

    #[inline(always)]
    fn store_wide(self, wide: [__m256d; 4]) -> [f64; LANES] {
        let mut lanes = [0.0; LANES];
        for (lanes, wide) in lanes.chunks_exact_mut(4).zip(wide) {
            // SAFETY: `self` proves the features; the chunk has four numbers.
            unsafe { _mm256_storeu_pd(lanes.as_mut_ptr(), wide) }
        }
        lanes
    }

    #[inline(always)]
    fn largest(self, vector: Pair) -> f32 {
        // SAFETY: `self` proves the features.
        unsafe {
            let eight = _mm256_max_ps(vector.0, vector.1);
            let four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
}

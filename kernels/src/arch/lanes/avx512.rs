use std::arch::x86_64::*;

use crate::arch::lanes::{Kernel, LANES, Lanes};
use crate::isa::Isa;

/// Proof that this processor has AVX-512 as `Isa::Avx512` says; only `detect` makes one.
#[derive(Clone, Copy, Debug)]
pub struct Avx512Lanes(());

impl Avx512Lanes {
    pub fn detect() -> Option<Self> {
        Isa::Avx512.is_available().then_some(Self(()))
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
fn enabled<K: Kernel>(lanes: Avx512Lanes, kernel: K) -> K::Output {
    kernel.run(lanes)
}

/// Lanes 0..8 and 8..16.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn widen(x: __m512) -> [__m512d; 2] {
    [
        _mm512_cvtps_pd(_mm512_castps512_ps256(x)),
        _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(x)),
    ]
}

impl Lanes for Avx512Lanes {
    type Vector = __m512;
    type Wide = [__m512d; 2];

    const REGISTERS: usize = 32;

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
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> __m512 {
        // SAFETY: `self` proves the features; the reference is to 64 bytes.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, vector: __m512, to: &mut [f32; LANES]) {
        // SAFETY: `self` proves the features; the reference is to 64 bytes.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), vector) }
    }

    #[inline(always)]
    fn load_f32(self, from: &[u8; 4 * LANES]) -> __m512 {
        // SAFETY: `self` proves the features; the reference is to 64 bytes.
        unsafe { _mm512_loadu_ps(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn load_f16(self, from: &[u8; 2 * LANES]) -> __m512 {
        // SAFETY: `self` proves the features; the reference is to 32 bytes.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast())) }
    }

    #[inline(always)]
    fn splat_f16(self, from: &[u8; 2]) -> __m512 {
        let half = i32::from(u16::from_le_bytes(*from));
        // SAFETY: `self` proves the features.
        unsafe { _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half))) }
    }

    #[inline(always)]
    fn load_i8(self, from: &[u8; LANES]) -> __m512 {
        // SAFETY: `self` proves the features; the reference is to 16 bytes.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn load_low_nibbles(self, from: &[u8; LANES]) -> __m512 {
        // SAFETY: `self` proves the features; the reference is to 16 bytes.
        unsafe {
            let bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast()));
            let values = _mm512_and_si512(bytes, _mm512_set1_epi32(15));
            _mm512_cvtepi32_ps(_mm512_sub_epi32(values, _mm512_set1_epi32(8)))
        }
    }

    #[inline(always)]
    fn load_high_nibbles(self, from: &[u8; LANES]) -> __m512 {
        // SAFETY: `self` proves the features; the reference is to 16 bytes.
        unsafe {
            let bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast()));
            let values = _mm512_srli_epi32::<4>(bytes);
            _mm512_cvtepi32_ps(_mm512_sub_epi32(values, _mm512_set1_epi32(8)))
        }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn select_less(self, a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes) }
    }

    #[inline(always)]
    fn at_least(self, a: __m512, b: __m512) -> u16 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, b) }
    }

    #[inline(always)]
    fn select_bits(self, bits: u16, yes: __m512, no: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_mask_blend_ps(bits, no, yes) }
    }

    #[inline(always)]
    fn power_of_two(self, shifted: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe {
            let exponent = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted));
            _mm512_castsi512_ps(_mm512_add_epi32(exponent, _mm512_set1_epi32(127 << 23)))
        }
    }

    #[inline(always)]
    fn sum(self, vector: __m512) -> f32 {
        // SAFETY: `self` proves the features.
        unsafe {
            let eight = _mm256_add_ps(_mm512_castps512_ps256(vector), _mm512_extractf32x8_ps::<1>(vector));
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn wide_zeros(self) -> [__m512d; 2] {
        // SAFETY: `self` proves the features.
        unsafe { [_mm512_setzero_pd(); 2] }
    }

    #[inline(always)]
    fn add_wide(self, sums: [__m512d; 2], x: __m512) -> [__m512d; 2] {
        // SAFETY: `self` proves the features.
        unsafe {
            let [low, high] = widen(x);
            [_mm512_add_pd(sums[0], low), _mm512_add_pd(sums[1], high)]
        }
    }

    #[inline(always)]
    fn add_squares(self, sums: [__m512d; 2], x: __m512, center: f64) -> [__m512d; 2] {
        // SAFETY: `self` proves the features.
        unsafe {
            let center = _mm512_set1_pd(center);
            let [low, high] = widen(x);
            let (low, high) = (_mm512_sub_pd(low, center), _mm512_sub_pd(high, center));
            [
                _mm512_add_pd(sums[0], _mm512_mul_pd(low, low)),
                _mm512_add_pd(sums[1], _mm512_mul_pd(high, high)),
            ]
        }
    }

    #[inline(always)]
    fn store_wide(self, wide: [__m512d; 2]) -> [f64; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: `self` proves the features; the array has room for both.
        unsafe {
            _mm512_storeu_pd(lanes.as_mut_ptr(), wide[0]);
            _mm512_storeu_pd(lanes.as_mut_ptr().add(8), wide[1]);
        }
        lanes
    }

    #[inline(always)]
    fn largest(self, vector: __m512) -> f32 {
        // SAFETY: `self` proves the features.
        unsafe {
            let eight = _mm256_max_ps(_mm512_castps512_ps256(vector), _mm512_extractf32x8_ps::<1>(vector));
            let four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
}

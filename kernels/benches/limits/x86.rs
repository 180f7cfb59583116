use std::arch::x86_64::*;
use std::hint::black_box;

use super::CHAINS;

#[target_feature(enable = "avx512f,avx512vnni")]
pub fn dots_512(repeats: usize) {
    let (weights, x) = (_mm512_set1_epi8(black_box(3)), _mm512_set1_epi8(black_box(5)));
    let mut sums = [_mm512_setzero_si512(); CHAINS];
    for _ in 0..repeats {
        for sum in &mut sums {
            *sum = _mm512_dpbusd_epi32(*sum, weights, x);
        }
    }
    black_box(sums);
}

#[target_feature(enable = "avx512f")]
pub fn products_512(repeats: usize) {
    let (weights, x) = (_mm512_set1_ps(black_box(0.5)), _mm512_set1_ps(black_box(0.25)));
    let mut sums = [_mm512_setzero_ps(); CHAINS];
    for _ in 0..repeats {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(weights, x, *sum);
        }
    }
    black_box(sums);
}

/// Without dot-product instructions: products of bytes in pairs, then pairs of pairs, then the sum.
#[target_feature(enable = "avx2")]
pub fn dots_256(repeats: usize) {
    let (weights, x) = (_mm256_set1_epi8(black_box(3)), _mm256_set1_epi8(black_box(5)));
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_si256(); CHAINS];
    let mut weights = [weights; CHAINS];
    for _ in 0..repeats {
        for (sum, weights) in sums.iter_mut().zip(&mut weights) {
            let pairs = _mm256_maddubs_epi16(*weights, x);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
            *weights = _mm256_xor_si256(*weights, pairs);
        }
    }
    black_box((sums, weights));
}

#[target_feature(enable = "avx2,fma")]
pub fn products_256(repeats: usize) {
    let (weights, x) = (_mm256_set1_ps(black_box(0.5)), _mm256_set1_ps(black_box(0.25)));
    let mut sums = [_mm256_setzero_ps(); CHAINS];
    for _ in 0..repeats {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(weights, x, *sum);
        }
    }
    black_box(sums);
}

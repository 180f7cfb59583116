use std::arch::x86_64::*;

use crate::arch::products::{QuantizedRowMut, SMALLEST_MAXIMUM};
use crate::unpack::GROUP;

#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn quantize(input: &[f32], output: QuantizedRowMut<'_>) {
    let groups = output.values.as_chunks_mut::<GROUP>().0.iter_mut();
    let x = input.as_chunks::<GROUP>().0.iter();
    for (((x, values), scale), sums) in x.zip(groups).zip(output.scales).zip(output.sums) {
        // SAFETY: a group is 32 floats.
        let (first, second) = unsafe { (_mm512_loadu_ps(x.as_ptr()), _mm512_loadu_ps(x.as_ptr().add(16))) };
        let absolute = |x| _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fff_ffff));
        // Bits of absolute values order like the numbers, with infinity and NaN above all.
        let largest = largest_lane(_mm512_max_epu32(absolute(first), absolute(second)));
        if !(SMALLEST_MAXIMUM.to_bits()..f32::INFINITY.to_bits()).contains(&largest) {
            let is_finite = largest < f32::INFINITY.to_bits();
            *values = [0; GROUP];
            *scale = if is_finite { 0.0 } else { f32::NAN };
            *sums = [0; 2];
            continue;
        }
        let largest = f32::from_bits(largest);
        *scale = largest / 127.0;
        let inverse = _mm512_set1_ps(127.0 / largest);
        let whole = |x| _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(x, inverse)));
        let (first, second) = (whole(first), whole(second));
        // SAFETY: a group is 32 bytes.
        unsafe {
            _mm_storeu_si128(values.as_mut_ptr().cast(), first);
            _mm_storeu_si128(values.as_mut_ptr().add(16).cast(), second);
        }
        let quarters = _mm256_dpbusd_epi32(
            _mm256_setzero_si256(),
            _mm256_set1_epi8(1),
            _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1),
        );
        let pairs = _mm256_add_epi32(quarters, _mm256_shuffle_epi32(quarters, 0b01_00_11_10));
        let halves = _mm256_add_epi32(pairs, _mm256_shuffle_epi32(pairs, 0b10_11_00_01));
        *sums = [_mm256_extract_epi32(halves, 0), _mm256_extract_epi32(halves, 4)];
    }
}

#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn largest_lane(x: __m512i) -> u32 {
    let x = _mm256_max_epu32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
    let x = _mm_max_epu32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    let x = _mm_max_epu32(x, _mm_shuffle_epi32(x, 0b01_00_11_10));
    let x = _mm_max_epu32(x, _mm_shuffle_epi32(x, 0b10_11_00_01));
    _mm_cvtsi128_si32(x).cast_unsigned()
}

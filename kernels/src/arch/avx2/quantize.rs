use std::arch::x86_64::*;

use crate::arch::products::{QuantizedRowMut, SMALLEST_MAXIMUM};
use crate::unpack::GROUP;

#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn quantize(input: &[f32], output: QuantizedRowMut<'_>) {
    let groups = output.values.as_chunks_mut::<GROUP>().0.iter_mut();
    let x = input.as_chunks::<GROUP>().0.iter();
    for (((x, values), scale), sums) in x.zip(groups).zip(output.scales).zip(output.sums) {
        // SAFETY: a group is 32 floats.
        let x: [__m256; 4] = std::array::from_fn(|i| unsafe { _mm256_loadu_ps(x.as_ptr().add(i * 8)) });
        let absolute = x.map(|x| _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7fff_ffff)));
        // Bits of absolute values order like the numbers, with infinity and NaN above all.
        let largest = largest_lane(_mm256_max_epi32(
            _mm256_max_epi32(absolute[0], absolute[1]),
            _mm256_max_epi32(absolute[2], absolute[3]),
        ));
        if !(SMALLEST_MAXIMUM.to_bits()..f32::INFINITY.to_bits()).contains(&largest) {
            let is_finite = largest < f32::INFINITY.to_bits();
            *values = [0; GROUP];
            *scale = if is_finite { 0.0 } else { f32::NAN };
            *sums = [0; 2];
            continue;
        }
        let largest = f32::from_bits(largest);
        *scale = largest / 127.0;
        let inverse = _mm256_set1_ps(127.0 / largest);
        let whole = x.map(|x| _mm256_cvtps_epi32(_mm256_mul_ps(x, inverse)));
        // Each packing takes four values in turn from the low lanes, then from the high ones.
        let packed = _mm256_packs_epi16(
            _mm256_packs_epi32(whole[0], whole[1]),
            _mm256_packs_epi32(whole[2], whole[3]),
        );
        let packed = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        // SAFETY: a group is 32 bytes.
        unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), packed) };
        let pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), packed);
        let quarters = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
        let pairs = _mm256_add_epi32(quarters, _mm256_shuffle_epi32(quarters, 0b01_00_11_10));
        let halves = _mm256_add_epi32(pairs, _mm256_shuffle_epi32(pairs, 0b10_11_00_01));
        *sums = [_mm256_extract_epi32(halves, 0), _mm256_extract_epi32(halves, 4)];
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn largest_lane(x: __m256i) -> u32 {
    let x = _mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    let x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0b01_00_11_10));
    let x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0b10_11_00_01));
    _mm_cvtsi128_si32(x).cast_unsigned()
}

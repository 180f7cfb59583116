use std::arch::aarch64::*;

use crate::arch::products::{QuantizedRowMut, SMALLEST_MAXIMUM};
use crate::unpack::GROUP;

pub(super) fn quantize(input: &[f32], output: QuantizedRowMut<'_>) {
    let groups = output.values.as_chunks_mut::<GROUP>().0.iter_mut();
    let x = input.as_chunks::<GROUP>().0.iter();
    for (((x, values), scale), sums) in x.zip(groups).zip(output.scales).zip(output.sums) {
        // SAFETY: a group is 32 floats; the instructions are part of the target.
        let x: [float32x4_t; 8] = std::array::from_fn(|i| unsafe { vld1q_f32(x.as_ptr().add(4 * i)) });
        let largest = largest_bits(x);
        if !(SMALLEST_MAXIMUM.to_bits()..f32::INFINITY.to_bits()).contains(&largest) {
            let is_finite = largest < f32::INFINITY.to_bits();
            *values = [0; GROUP];
            *scale = if is_finite { 0.0 } else { f32::NAN };
            *sums = [0; 2];
            continue;
        }
        let largest = f32::from_bits(largest);
        *scale = largest / 127.0;
        let inverse = 127.0 / largest;
        // SAFETY: a group is 32 bytes; the instructions are part of the target.
        unsafe {
            let words = x.map(|x| vqmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(x, inverse))));
            for half in 0..2 {
                let [a, b, c, d] = std::array::from_fn(|i| words[half * 4 + i]);
                let bytes = vcombine_s8(vqmovn_s16(vcombine_s16(a, b)), vqmovn_s16(vcombine_s16(c, d)));
                vst1q_s8(values.as_mut_ptr().add(half * 16), bytes);
                sums[half] = i32::from(vaddlvq_s8(bytes));
            }
        }
    }
}

/// Bits of the largest absolute value: they order like the numbers, with infinity and NaN above all.
#[inline(always)]
fn largest_bits(x: [float32x4_t; 8]) -> u32 {
    // SAFETY: part of the target.
    unsafe {
        let bits = x.map(|x| vreinterpretq_u32_f32(vabsq_f32(x)));
        let four: [uint32x4_t; 4] = std::array::from_fn(|i| vmaxq_u32(bits[i], bits[i + 4]));
        vmaxvq_u32(vmaxq_u32(vmaxq_u32(four[0], four[1]), vmaxq_u32(four[2], four[3])))
    }
}

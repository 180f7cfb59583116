use crate::arch::products::{QuantizedRowMut, SMALLEST_MAXIMUM};
use crate::unpack::GROUP;

pub(super) fn quantize(input: &[f32], output: QuantizedRowMut<'_>) {
    let groups = output.values.as_chunks_mut::<GROUP>().0.iter_mut();
    for (((x, values), scale), sums) in input
        .as_chunks::<GROUP>()
        .0
        .iter()
        .zip(groups)
        .zip(output.scales)
        .zip(output.sums)
    {
        // Bits of absolute values order like the numbers, with infinity and NaN above all.
        let largest = f32::from_bits(x.iter().fold(0, |most, x| most.max(x.abs().to_bits())));
        let is_finite = largest.is_finite();
        if !is_finite || largest < SMALLEST_MAXIMUM {
            *values = [0; GROUP];
            *scale = if is_finite { 0.0 } else { f32::NAN };
            *sums = [0; 2];
            continue;
        }
        *scale = largest / 127.0;
        let inverse = 127.0 / largest;
        *values = x.map(|x| (x * inverse).round_ties_even() as i8);
        let sum = |half: &[i8]| half.iter().map(|value| i32::from(*value)).sum();
        *sums = [sum(&values[..16]), sum(&values[16..])];
    }
}

use std::f64::consts::{FRAC_2_PI, PI};

use crate::arch::compiled_per_isa;

/// 1.5 * 2^52: a sum with it has a whole number in its low bits.
const TO_WHOLE: f64 = 6_755_399_441_055_744.0;
/// π / 2 in two parts; the first has 33 bits, so that its whole multiples up to 2^20 are exact.
const QUARTER_HIGH: f64 = f64::from_bits((PI / 2.0).to_bits() & !0xf_ffff);
const QUARTER_LOW: f64 = 6.077_100_506_506_192e-11;

compiled_per_isa! {
    /// `magnitude` times the cosines and sines of `position * frequencies`; exact to an f32 rounding for angles
    /// up to a million.
    pub fn cosines_and_sines(
        position: f64,
        frequencies: &[f64],
        magnitude: f32,
        cosines: &mut [f32],
        sines: &mut [f32],
    ) = angle_loop;
}

#[inline(always)]
fn angle_loop(position: f64, frequencies: &[f64], magnitude: f32, cosines: &mut [f32], sines: &mut [f32]) {
    let magnitude = f64::from(magnitude);
    for ((frequency, to_cosine), to_sine) in frequencies.iter().zip(cosines).zip(sines) {
        let (cosine, sine) = cosine_and_sine(position * frequency);
        *to_cosine = (cosine * magnitude) as f32;
        *to_sine = (sine * magnitude) as f32;
    }
}

/// Series of Taylor within an eighth of a turn, without branches for the vectorizer.
#[inline(always)]
fn cosine_and_sine(angle: f64) -> (f64, f64) {
    let shifted = angle.mul_add(FRAC_2_PI, TO_WHOLE);
    let quarters = shifted - TO_WHOLE;
    let rest = quarters.mul_add(-QUARTER_LOW, quarters.mul_add(-QUARTER_HIGH, angle));
    let square = rest * rest;
    let mut sine = 1.0 / 6_227_020_800.0;
    for divisor in [-39_916_800.0, 362_880.0, -5040.0, 120.0, -6.0] {
        sine = square.mul_add(sine, 1.0 / divisor);
    }
    let sine = (rest * square).mul_add(sine, rest);
    let mut cosine = -1.0 / 87_178_291_200.0;
    for divisor in [479_001_600.0, -3_628_800.0, 40_320.0, -720.0, 24.0, -2.0, 1.0] {
        cosine = square.mul_add(cosine, 1.0 / divisor);
    }
    // Each quarter turn swaps the two; the second and third negate the sine, the first and second the cosine.
    let quarter = shifted.to_bits();
    let (first, second) = if quarter & 1 == 0 {
        (cosine, sine)
    } else {
        (sine, cosine)
    };
    let negative = |bit: u64| (bit & 2) << 62;
    (
        f64::from_bits(first.to_bits() ^ negative(quarter.wrapping_add(1))),
        f64::from_bits(second.to_bits() ^ negative(quarter)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;

    #[test]
    fn close_to_the_library_up_to_a_million_on_every_instruction_set() {
        let frequencies: Vec<f64> = (0..37).map(|pair| 10_000f64.powf(-f64::from(pair) / 37.0)).collect();
        for position in (0..200).chain([511, 4095, 131_071, 999_999, 1_000_000]) {
            let mut wanted = None;
            for isa in Isa::available() {
                let (mut cosines, mut sines) = ([0.0; 37], [0.0; 37]);
                cosines_and_sines(isa, f64::from(position), &frequencies, 1.0, &mut cosines, &mut sines);
                for (pair, frequency) in frequencies.iter().enumerate() {
                    let (sine, cosine) = (f64::from(position) * frequency).sin_cos();
                    assert!(
                        (f64::from(sines[pair]) - sine).abs() < 3.1e-8,
                        "sin {position} * {frequency}"
                    );
                    assert!(
                        (f64::from(cosines[pair]) - cosine).abs() < 3.1e-8,
                        "cos {position} * {frequency}"
                    );
                }
                assert_eq!(*wanted.get_or_insert((cosines, sines)), (cosines, sines), "{isa:?}");
            }
        }
    }
}

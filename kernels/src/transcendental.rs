//! Functions of one f32 without branches, for loops that the vectorizer turns into vector code.
//!
//! Polynomials are minimax fits of our own. `mul_add` is one rounding on every instruction set, so all give the
//! same bits.

use std::f32::consts::LOG2_E;

/// Below it, exp is under the smallest normal number and taken as 0.
const EXP_LOWEST: f32 = -87.3365;
/// 1.5 * 2^23: a sum with it has a whole number in its low bits.
const TO_WHOLE: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has so few bits that its product with a whole number is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// x = whole * ln 2 + rest; gives (2^whole, exp(rest) - 1), the latter to 3e-9 of exp(rest) before rounding.
/// `x` in EXP_LOWEST..=88 or NaN, which the second carries on.
#[inline(always)]
fn exp_parts(x: f32) -> (f32, f32) {
    let shifted = x.mul_add(LOG2_E, TO_WHOLE);
    let whole = shifted - TO_WHOLE;
    let rest = whole.mul_add(-LN_2_LOW, whole.mul_add(-LN_2_HIGH, x));
    let mut series = 1.381_454e-3_f32;
    series = series.mul_add(rest, 8.368_745e-3);
    series = series.mul_add(rest, 4.166_839e-2);
    series = series.mul_add(rest, 1.666_652_1e-1);
    series = series.mul_add(rest, 4.999_999_4e-1);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    (power, (rest * rest).mul_add(series, rest))
}

/// `x` no lower than EXP_LOWEST; NaN stays.
#[inline(always)]
fn raised(x: f32) -> f32 {
    if x < EXP_LOWEST { EXP_LOWEST } else { x }
}

/// exp(x) for x <= 0 (or NaN); relative error below 1.2e-7, 0 where the result is not a normal number.
#[inline(always)]
pub fn exp_of_negative(x: f32) -> f32 {
    let (power, rest) = exp_parts(raised(x));
    let value = rest.mul_add(power, power);
    if x < EXP_LOWEST { 0.0 } else { value }
}

/// exp(x) - 1 for x <= 0 (or NaN).
#[inline(always)]
pub fn exp_minus_one_of_negative(x: f32) -> f32 {
    let (power, rest) = exp_parts(raised(x));
    rest.mul_add(power, power - 1.0)
}

/// 1 / (1 + exp(-x)), accurate in both tails.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let tail = exp_of_negative(-x.abs());
    let numerator = if x < 0.0 { tail } else { 1.0 };
    numerator / (1.0 + tail)
}

#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let tail = exp_minus_one_of_negative(-2.0 * x.abs());
    (-tail / (2.0 + tail)).copysign(x)
}

/// ln(1 + exp(x)).
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let tail = exp_of_negative(-x.abs());
    // ln(1 + t) = 2 artanh(t / (2 + t)).
    let s = tail / (2.0 + tail);
    let square = s * s;
    let mut series = 1.401_223e-1_f32;
    series = series.mul_add(square, 1.399_957_1e-1);
    series = series.mul_add(square, 2.001_085e-1);
    series = series.mul_add(square, 3.333_320_6e-1);
    let logarithm = 2.0 * (s * square).mul_add(series, s);
    logarithm + if x < 0.0 { 0.0 } else { x }
}

/// The share of the standard normal distribution below x, accurate in both tails.
#[inline(always)]
pub fn normal_share(x: f32) -> f32 {
    const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    // Far out the share is 0 or 1 whatever x; infinity would make NaN.
    let magnitude = if x.abs() > 20.0 { 20.0 } else { x.abs() };
    // erfc(z) = exp(-z^2) * t * series(t), t = 1 / (1 + 0.4 z); -z^2 = -x^2 / 2 as the sum of two numbers.
    let half_square = 0.5 * magnitude * magnitude;
    let lost = (0.5 * magnitude).mul_add(magnitude, -half_square);
    let t = 1.0 / magnitude.mul_add(0.4 * SQRT_HALF, 1.0);
    let mut series = 4.125_308_2e-2f32;
    series = series.mul_add(t, -1.403_194_2e-1);
    series = series.mul_add(t, 8.398_763e-2);
    series = series.mul_add(t, 8.796_399e-2);
    series = series.mul_add(t, 7.975_67e-2);
    series = series.mul_add(t, 1.933_931_3e-1);
    series = series.mul_add(t, 2.018_876_1e-1);
    series = series.mul_add(t, 2.264_431_1e-1);
    series = series.mul_add(t, 2.256_342_3e-1);
    let gauss = exp_of_negative(-half_square);
    // exp(-lost) = 1 - lost: it is some 1e-7.
    let upper = 0.5 * (series * t) * lost.mul_add(-gauss, gauss);
    if x < 0.0 { upper } else { 1.0 - upper }
}

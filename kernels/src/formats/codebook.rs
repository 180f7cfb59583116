//! Formats whose 4-bit codes are looked up in a table of 16 values.

use super::{half_at, nibbles};
use crate::unpack::Unpacked;

/// `kvalues_iq4nl`
pub(crate) const NON_LINEAR: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
/// `kvalues_mxfp4`: twice the values of a 4-bit float, e2m1.
pub(crate) const FLOAT4: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// Scale, 16 bytes of codes.
pub(super) fn iq4_nl(block: &[u8]) -> Unpacked {
    Unpacked::whole(
        nibbles(&block[2..18], |code| NON_LINEAR[usize::from(code)]),
        half_at(block, 0),
    )
}

/// Scale, 2 bytes of the high 2 bits and 4 bytes of the low 4 bits of eight scales, 8 times 16 bytes of codes.
pub(super) fn iq4_xs(block: &[u8], group: usize) -> Unpacked {
    let high = block[2 + group / 4] >> (group % 4 * 2) & 3;
    let low = block[4 + group / 2] >> (group % 2 * 4) & 15;
    let scale = (low | high << 4) as i8 - 32;
    Unpacked::whole(
        nibbles(&block[8 + group * 16..][..16], |code| NON_LINEAR[usize::from(code)]),
        half_at(block, 0) * f32::from(scale),
    )
}

/// Exponent, 16 bytes of codes.
pub(super) fn mxfp4(block: &[u8]) -> Unpacked {
    Unpacked::whole(
        nibbles(&block[1..17], |code| FLOAT4[usize::from(code)]),
        half_of_exponent(block[0]),
    )
}

/// `ggml_e8m0_to_fp32_half`: 2^(exponent - 128), half of what the exponent says because the table holds doubled
/// values. The two smallest are subnormal.
pub(crate) fn half_of_exponent(exponent: u8) -> f32 {
    f32::from_bits(match exponent {
        0 => 1 << 21,
        1 => 1 << 22,
        _ => u32::from(exponent - 1) << 23,
    })
}

/// 4 scales of 16 weights each, 4 times 8 bytes of codes.
pub(super) fn nvfp4(block: &[u8], group: usize) -> Unpacked {
    let codes = &block[4 + group * 16..][..16];
    let values = std::array::from_fn(|i| {
        let byte = codes[i / 16 * 8 + i % 8];
        FLOAT4[usize::from(byte >> (i / 8 % 2 * 4) & 15)]
    });
    Unpacked::halves(values, [0, 1].map(|half| half_of_float8(block[group * 2 + half])))
}

/// `ggml_ue4m3_to_fp32`: an unsigned 8-bit float, e4m3, halved for the doubled table. The sign bit is not looked at.
pub(crate) fn half_of_float8(bits: u8) -> f32 {
    let exponent = bits >> 3 & 15;
    let fraction = f32::from(bits & 7);
    match (bits, exponent) {
        (0x7f, _) => 0.0,
        // 2^-10
        (_, 0) => fraction * f32::from_bits(117 << 23),
        // (1 + fraction / 8) * 2^(exponent - 8)
        _ => (8.0 + fraction) * f32::from_bits((u32::from(exponent) + 116) << 23),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_halved_powers_of_two() {
        for exponent in 0..=u8::MAX {
            let expected = 2f64.powi(i32::from(exponent) - 128);
            assert_eq!(f64::from(half_of_exponent(exponent)), expected, "{exponent}");
        }
    }

    #[test]
    fn small_floats_are_halved() {
        for bits in 0..=u8::MAX {
            let (exponent, fraction) = (i32::from(bits >> 3 & 15), f64::from(bits & 7) / 8.0);
            let expected = match exponent {
                _ if bits == 0x7f => 0.0,
                0 => fraction * 2f64.powi(-6),
                _ => (1.0 + fraction) * 2f64.powi(exponent - 7),
            };
            assert_eq!(f64::from(half_of_float8(bits)), expected / 2.0, "{bits}");
        }
    }
}

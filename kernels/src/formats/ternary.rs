//! Formats whose weights are -1, 0 or 1 times one scale per block of 256.

use super::half_at;
use crate::unpack::{GROUP, Unpacked};

/// 48 bytes of five digits, 4 bytes of four digits, scale.
///
/// Base 3: the 160 weights of the first 32 bytes (all first digits before all second ones, and so on), the 80 of the
/// next 16, the 16 of the last 4.
pub(super) fn tq1_0(block: &[u8], group: usize) -> Unpacked {
    let values = std::array::from_fn(|i| {
        let weight = group * GROUP + i;
        let (byte, digit) = match weight {
            0..160 => (weight % 32, weight / 32),
            160..240 => (32 + weight % 16, (weight - 160) / 16),
            _ => (48 + weight % 4, (weight - 240) / 4),
        };
        ternary_digit(block[byte], digit)
    });
    Unpacked::whole(values, half_at(block, 52))
}

/// A byte is a fraction of 256; multiplying moves the wanted digit in front of the point.
const fn ternary_digit(byte: u8, digit: usize) -> i8 {
    const POWERS: [u8; 5] = [1, 3, 9, 27, 81];
    let fraction = byte.wrapping_mul(POWERS[digit]);
    ((fraction as u16 * 3) >> 8) as i8 - 1
}

/// 64 bytes of codes of two bits: per 128 weights 32 bytes, whose lowest two bits come first; scale.
pub(super) fn tq2_0(block: &[u8], group: usize) -> Unpacked {
    Unpacked::whole(
        super::two_bits(&block[..64], group).map(|code| code - 1),
        half_at(block, 64),
    )
}

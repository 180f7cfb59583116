//! Formats of one half-precision scale per block and codes that are whole numbers.

use super::{half_at, nibbles};
use crate::unpack::{GROUP, Unpacked};

/// Scale, 16 bytes of codes.
pub(super) fn q4_0(block: &[u8]) -> Unpacked {
    Unpacked::whole(nibbles(&block[2..18], |code| code as i8 - 8), half_at(block, 0))
}

/// Scale, minimum, 16 bytes of codes.
pub(super) fn q4_1(block: &[u8]) -> Unpacked {
    Unpacked::whole(nibbles(&block[4..20], |code| code as i8), half_at(block, 0)).with_minimum(half_at(block, 2))
}

/// Scale, 4 bytes of fifth bits, 16 bytes of codes.
pub(super) fn q5_0(block: &[u8]) -> Unpacked {
    Unpacked::whole(five_bits(&block[2..22]).map(|code| code - 16), half_at(block, 0))
}

/// Scale, minimum, 4 bytes of fifth bits, 16 bytes of codes.
pub(super) fn q5_1(block: &[u8]) -> Unpacked {
    Unpacked::whole(five_bits(&block[4..24]), half_at(block, 0)).with_minimum(half_at(block, 2))
}

fn five_bits(bytes: &[u8]) -> [i8; GROUP] {
    let low = nibbles(&bytes[4..20], |code| code as i8);
    std::array::from_fn(|i| low[i] | ((bytes[i / 8] >> (i % 8) & 1) << 4) as i8)
}

/// Scale, 32 signed bytes.
pub(super) fn q8_0(block: &[u8]) -> Unpacked {
    Unpacked::whole(std::array::from_fn(|i| block[2 + i] as i8), half_at(block, 0))
}

/// Scale, 16 bytes of bits for 128 signs.
pub(super) fn q1_0(block: &[u8], group: usize) -> Unpacked {
    let bits = &block[2 + group * 4..][..4];
    let values = std::array::from_fn(|i| 2 * (bits[i / 8] >> (i % 8) & 1) as i8 - 1);
    Unpacked::whole(values, half_at(block, 0))
}

/// Scale, 16 bytes of 64 codes of two bits.
pub(super) fn q2_0(block: &[u8], group: usize) -> Unpacked {
    let codes = &block[2 + group * 8..][..8];
    let values = std::array::from_fn(|i| (codes[i / 4] >> (i % 4 * 2) & 3) as i8 - 1);
    Unpacked::whole(values, half_at(block, 0))
}

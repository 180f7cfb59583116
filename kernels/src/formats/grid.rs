//! The IQ1, IQ2 and IQ3 formats: codes that stand for 8 or 4 weights at once, with signs beside them.

use half::f16;

use super::grid_tables::{IQ1, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS, even_signs};
use super::half_at;
use crate::unpack::{GROUP, Unpacked};

/// Scale, then per group 4 codes and 32 bits: 4 times 7 of signs, the group's scale in the highest 4.
pub(super) fn iq2_xxs(block: &[u8], group: usize) -> Unpacked {
    let codes = &block[2 + group * 8..][..8];
    let word = word_at(codes, 4);
    let values = eights(|eight| (IQ2_XXS[usize::from(codes[eight])], packed_signs(word, eight)));
    Unpacked::whole(values, half_at(block, 0) * (0.5 + (word >> 28) as f32) * 0.25)
}

/// Scale, per group 4 times 9 bits of code and 7 of signs, 8 bytes of the scales of halves.
pub(super) fn iq2_xs(block: &[u8], group: usize) -> Unpacked {
    let values = eights(|eight| {
        let code = u16_at(block, 2 + (group * 4 + eight) * 2);
        (IQ2_XS[usize::from(code & 511)], even_signs((code >> 9) as u8))
    });
    Unpacked::halves(values, iq2_scales(block, block[66 + group]))
}

/// Scale, 32 codes, 32 bytes of signs, 8 bytes of the codes' bits 8 and 9, 8 bytes of the scales of halves.
pub(super) fn iq2_s(block: &[u8], group: usize) -> Unpacked {
    let high = usize::from(block[66 + group]);
    let values = eights(|eight| {
        let code = usize::from(block[2 + group * 4 + eight]) | (high >> (2 * eight) & 3) << 8;
        (IQ2_S[code], block[34 + group * 4 + eight])
    });
    Unpacked::halves(values, iq2_scales(block, block[74 + group]))
}

fn iq2_scales(block: &[u8], halves: u8) -> [f32; 2] {
    let scale = half_at(block, 0);
    [halves & 15, halves >> 4].map(|half| scale * (0.5 + f32::from(half)) * 0.25)
}

/// Scale, 64 codes of 4 weights, then per group 32 bits as of IQ2_XXS.
pub(super) fn iq3_xxs(block: &[u8], group: usize) -> Unpacked {
    let codes = &block[2 + group * 8..][..8];
    let word = word_at(block, 66 + group * 4);
    let values = eights(|eight| {
        let fours = [0, 1].map(|four| IQ3_XXS[usize::from(codes[eight * 2 + four])]);
        (joined(fours), packed_signs(word, eight))
    });
    Unpacked::whole(values, half_at(block, 0) * (0.5 + (word >> 28) as f32) * 0.5)
}

/// Scale, 64 codes of 4 weights, 8 bytes of their ninth bits, 32 bytes of signs, 4 bytes of scales.
pub(super) fn iq3_s(block: &[u8], group: usize) -> Unpacked {
    let high = usize::from(block[66 + group]);
    let values = eights(|eight| {
        let fours = [0, 1].map(|four| {
            let index = eight * 2 + four;
            IQ3_S[usize::from(block[2 + group * 8 + index]) | (high >> index & 1) << 8]
        });
        (joined(fours), block[74 + group * 4 + eight])
    });
    let scale = block[106 + group / 2] >> (group % 2 * 4) & 15;
    Unpacked::whole(values, half_at(block, 0) * f32::from(2 * scale + 1))
}

/// Scale, 32 codes, then per group 16 bits: 4 times the high 3 of the codes, 3 of scale, the sign of the shift.
pub(super) fn iq1_s(block: &[u8], group: usize) -> Unpacked {
    let bits = u16_at(block, 34 + group * 2);
    let values = shifted_eights(|eight| {
        let high = usize::from(bits >> (3 * eight) & 7);
        (
            usize::from(block[2 + group * 4 + eight]) | high << 8,
            bits & 0x8000 != 0,
        )
    });
    let scale = half_at(block, 0) * f32::from(2 * (bits >> 12 & 7) + 1);
    Unpacked::whole(values, scale * 0.125)
}

/// 32 codes, 16 bytes of their high 3 bits and the sign of the shift, four times 16 bits: 4 times 3 of the scales of
/// halves, and 4 of the block's scale.
pub(super) fn iq1_m(block: &[u8], group: usize) -> Unpacked {
    let values = shifted_eights(|eight| {
        let bits = block[32 + group * 2 + eight / 2] >> (eight % 2 * 4);
        (
            usize::from(block[group * 4 + eight]) | usize::from(bits & 7) << 8,
            bits & 8 != 0,
        )
    });
    let words = [0, 1, 2, 3].map(|index| u16_at(block, 48 + index * 2));
    let scale = words[0] >> 12 | words[1] >> 12 << 4 | words[2] >> 12 << 8 | words[3] >> 12 << 12;
    let scale = f16::from_bits(scale).to_f32();
    let scales = [0, 3].map(|shift| {
        let half = words[group / 2] >> (group % 2 * 6 + shift) & 7;
        scale * f32::from(2 * half + 1) * 0.125
    });
    Unpacked::halves(values, scales)
}

/// Four times the 8 magnitudes and the signs that `entry` gives.
fn eights(entry: impl Fn(usize) -> (u64, u8)) -> [i8; GROUP] {
    let entries: [_; 4] = std::array::from_fn(entry);
    std::array::from_fn(|i| {
        let (magnitudes, signs) = entries[i / 8];
        let magnitude = (magnitudes >> (i % 8 * 8)) as i8;
        if signs >> (i % 8) & 1 == 1 {
            -magnitude
        } else {
            magnitude
        }
    })
}

/// Four times the 8 values of the code that `entry` gives, all an eighth less (if it says so) or more.
fn shifted_eights(entry: impl Fn(usize) -> (usize, bool)) -> [i8; GROUP] {
    let entries: [_; 4] = std::array::from_fn(entry);
    std::array::from_fn(|i| {
        let (code, less) = entries[i / 8];
        (IQ1[code] >> (i % 8 * 8)) as i8 + if less { -1 } else { 1 }
    })
}

fn joined([first, second]: [u32; 2]) -> u64 {
    u64::from(first) | u64::from(second) << 32
}

fn packed_signs(word: u32, eight: usize) -> u8 {
    even_signs((word >> (7 * eight)) as u8)
}

fn word_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

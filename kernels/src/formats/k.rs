//! The K formats: 256 weights with one or two half-precision scales and small whole scales of their groups.

use super::{half_at, two_bits};
use crate::unpack::{GROUP, Unpacked};

/// Sixteen bytes of scale (low half) and minimum (high half), 64 bytes of codes, scale, minimum.
pub(super) fn q2_k(block: &[u8], group: usize) -> Unpacked {
    let (scale, minimum) = (half_at(block, 80), half_at(block, 82));
    let pair = [block[group * 2], block[group * 2 + 1]];
    Unpacked::halves(
        two_bits(&block[16..80], group),
        pair.map(|byte| scale * f32::from(byte & 15)),
    )
    .with_minimums(pair.map(|byte| -(minimum * f32::from(byte >> 4))))
}

/// 32 bytes of third bits, 64 bytes of codes, 12 bytes of sixteen 6-bit scales, scale.
pub(super) fn q3_k(block: &[u8], group: usize) -> Unpacked {
    let low = two_bits(&block[32..96], group);
    let values = std::array::from_fn(|i| low[i] + ((block[i] >> group & 1) << 2) as i8 - 4);
    let scale = half_at(block, 108);
    let packed = &block[96..108];
    let scales = [0, 1].map(|half| {
        let index = group * 2 + half;
        let low = packed[index % 8] >> (index / 8 * 4) & 15;
        let high = packed[8 + index % 4] >> (index / 4 * 2) & 3;
        scale * f32::from((low | high << 4) as i8 - 32)
    });
    Unpacked::halves(values, scales)
}

/// Scale, minimum, 12 bytes of scales, 128 bytes of codes.
pub(super) fn q4_k(block: &[u8], group: usize) -> Unpacked {
    scaled_by_six_bits(four_bits(&block[16..144], group), block, group)
}

/// Scale, minimum, 12 bytes of scales, 32 bytes of fifth bits, 128 bytes of codes.
pub(super) fn q5_k(block: &[u8], group: usize) -> Unpacked {
    let low = four_bits(&block[48..176], group);
    let values = std::array::from_fn(|i| low[i] | ((block[16 + i] >> group & 1) << 4) as i8);
    scaled_by_six_bits(values, block, group)
}

/// Group `group` of 256 codes in 128 bytes: per 64 weights 32 bytes, whose low halves come first.
fn four_bits(bytes: &[u8], group: usize) -> [i8; GROUP] {
    let part = &bytes[group / 2 * 32..][..32];
    std::array::from_fn(|i| (part[i] >> (group % 2 * 4) & 15) as i8)
}

fn scaled_by_six_bits(values: [i8; GROUP], block: &[u8], group: usize) -> Unpacked {
    let (scale, minimum) = six_bit_scale(&block[4..16], group);
    Unpacked::whole(values, half_at(block, 0) * f32::from(scale))
        .with_minimum(-(half_at(block, 2) * f32::from(minimum)))
}

/// `get_scale_min_k4`: scale and minimum of a group among eight of each in 12 bytes.
fn six_bit_scale(packed: &[u8], group: usize) -> (u8, u8) {
    if group < 4 {
        return (packed[group] & 63, packed[group + 4] & 63);
    }
    let low = packed[group + 4];
    (
        low & 15 | packed[group - 4] >> 6 << 4,
        low >> 4 | packed[group] >> 6 << 4,
    )
}

/// 128 bytes of the low 4 bits, 64 bytes of the high 2 bits, 16 signed scales, scale.
pub(super) fn q6_k(block: &[u8], group: usize) -> Unpacked {
    let part = group / 4;
    let row = group % 4;
    let low = &block[part * 64 + row % 2 * 32..][..32];
    let high = &block[128 + part * 32..][..32];
    let values = std::array::from_fn(|i| {
        let code = low[i] >> (row / 2 * 4) & 15 | (high[i] >> (row * 2) & 3) << 4;
        code as i8 - 32
    });
    let scale = half_at(block, 208);
    let scales = [0, 1].map(|half| scale * f32::from(block[192 + group * 2 + half] as i8));
    Unpacked::halves(values, scales)
}

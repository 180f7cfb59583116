//! Keys and values of one head at 64 positions.
//!
//! Keys lie `[dimension][token]`, so that lanes of a product with a query are tokens. Values lie in blocks of 64
//! dimensions, each `[token][dimension]`, so that lanes of a weighted sum are dimensions; their width is padded.
//!
//! | type | keys | a block of values |
//! | --- | --- | --- |
//! | f32, f16 | elements | elements |
//! | q8_0 | per 32 dimensions: 64 f16 scales, then bytes | f16 scales `[token][32 dimensions]`, then bytes |
//! | q4_0 | the same, a byte holding token t low and t + 32 high | the same, a byte holding dimension d low and d + 16 high |

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::cache::layout::{CacheType, PAGE_TOKENS};

/// Dimensions that share a scale.
pub const GROUP: usize = 32;
/// Dimensions of a block of values.
pub const BLOCK: usize = 64;
/// Bytes of the scales of one group of 64 tokens.
pub const SCALE_BYTES: usize = 2 * PAGE_TOKENS;

/// Bits per element without scales.
const fn bits(kind: CacheType) -> usize {
    match kind {
        CacheType::F32 => 32,
        CacheType::F16 => 16,
        CacheType::Q8_0 => 8,
        CacheType::Q4_0 => 4,
    }
}

pub const fn has_scales(kind: CacheType) -> bool {
    matches!(kind, CacheType::Q8_0 | CacheType::Q4_0)
}

/// Bytes of 64 elements.
pub const fn row_bytes(kind: CacheType) -> usize {
    bits(kind) * PAGE_TOKENS / 8
}

/// None when it is larger than memory.
pub fn key_bytes(kind: CacheType, dim: usize) -> Option<usize> {
    let scales = if has_scales(kind) {
        dim.div_ceil(GROUP) * SCALE_BYTES
    } else {
        0
    };
    dim.checked_mul(row_bytes(kind))?.checked_add(scales)
}

/// Dimensions of a value as kept: whole vectors.
pub fn padded(kind: CacheType, dim: usize) -> Option<usize> {
    dim.checked_next_multiple_of(if matches!(kind, CacheType::Q4_0) { 32 } else { 16 })
}

/// None when it is larger than memory.
pub fn value_bytes(kind: CacheType, dim: usize) -> Option<usize> {
    // 64 tokens of a dimension take what 64 dimensions of a token do.
    key_bytes(kind, padded(kind, dim)?)
}

/// Byte at which group `group` of keys begins.
pub const fn key_group_start(kind: CacheType, group: usize) -> usize {
    let scales = if has_scales(kind) { SCALE_BYTES } else { 0 };
    group * (scales + GROUP * row_bytes(kind))
}

/// Byte at which block `block` of values begins.
pub const fn value_block_start(kind: CacheType, block: usize) -> usize {
    key_group_start(kind, block * (BLOCK / GROUP))
}

/// Writes the key of a token; `row` is (dimensions,) f32.
pub fn store_key(kind: CacheType, tile: &mut [u8], token: usize, row: &[f32]) {
    match kind {
        CacheType::F32 => {
            for (to, value) in tile.as_chunks_mut::<4>().0.chunks_exact_mut(PAGE_TOKENS).zip(row) {
                to[token] = value.to_le_bytes();
            }
        }
        CacheType::F16 => {
            for (tile, row) in tile.chunks_mut(BLOCK * row_bytes(kind)).zip(row.chunks(BLOCK)) {
                let halves = halves(row);
                for (to, half) in tile.as_chunks_mut::<2>().0.chunks_exact_mut(PAGE_TOKENS).zip(&halves) {
                    to[token] = half.to_le_bytes();
                }
            }
        }
        CacheType::Q8_0 => {
            for (group, values) in row.chunks(GROUP).enumerate() {
                let (scale, whole) = eight_bits(values);
                let (scales, rows) = tile[key_group_start(kind, group)..].split_at_mut(SCALE_BYTES);
                scales.as_chunks_mut().0[token] = scale.to_le_bytes();
                for (to, value) in rows.chunks_exact_mut(PAGE_TOKENS).zip(&whole[..values.len()]) {
                    to[token] = *value;
                }
            }
        }
        CacheType::Q4_0 => {
            for (group, values) in row.chunks(GROUP).enumerate() {
                let (scale, whole) = four_bits(values);
                let (scales, rows) = tile[key_group_start(kind, group)..].split_at_mut(SCALE_BYTES);
                scales.as_chunks_mut().0[token] = scale.to_le_bytes();
                for (to, value) in rows.chunks_exact_mut(PAGE_TOKENS / 2).zip(&whole[..values.len()]) {
                    set_nibble(&mut to[token % 32], token / 32, *value);
                }
            }
        }
    }
}

/// Writes the value of a token; `row` is (dimensions,) f32. What pads it becomes 0.
pub fn store_value(kind: CacheType, tile: &mut [u8], token: usize, row: &[f32]) {
    let width = padded(kind, row.len()).unwrap_or(row.len());
    for (index, values) in row.chunks(BLOCK).enumerate() {
        let block = &mut tile[value_block_start(kind, index)..];
        let width = (width - index * BLOCK).min(BLOCK);
        let mut filled = [0.0; BLOCK];
        filled[..values.len()].copy_from_slice(values);
        let values = &filled[..width];
        match kind {
            CacheType::F32 => {
                let to = &mut block.as_chunks_mut::<4>().0[token * width..][..width];
                for (to, value) in to.iter_mut().zip(values) {
                    *to = value.to_le_bytes();
                }
            }
            CacheType::F16 => {
                let to = &mut block.as_chunks_mut::<2>().0[token * width..][..width];
                for (to, half) in to.iter_mut().zip(&halves(values)) {
                    *to = half.to_le_bytes();
                }
            }
            CacheType::Q8_0 | CacheType::Q4_0 => {
                let groups = width.div_ceil(GROUP);
                let (scales, rows) = block.split_at_mut(groups * SCALE_BYTES);
                let row_bytes = if matches!(kind, CacheType::Q8_0) {
                    width
                } else {
                    width / 2
                };
                let to = &mut rows[token * row_bytes..][..row_bytes];
                for (group, values) in values.chunks(GROUP).enumerate() {
                    let scale = if matches!(kind, CacheType::Q8_0) {
                        let (scale, whole) = eight_bits(values);
                        to[group * GROUP..][..values.len()].copy_from_slice(&whole[..values.len()]);
                        scale
                    } else {
                        let (scale, whole) = four_bits(values);
                        for (index, to) in to[group * GROUP / 2..][..GROUP / 2].iter_mut().enumerate() {
                            *to = whole[index] | whole[index + GROUP / 2] << 4;
                        }
                        scale
                    };
                    scales.as_chunks_mut().0[token * groups + group] = scale.to_le_bytes();
                }
            }
        }
    }
}

/// Up to 64 values as f16, by the processor's instructions where it has them.
fn halves(values: &[f32]) -> [f16; BLOCK] {
    let mut halves = [f16::ZERO; BLOCK];
    halves[..values.len()].convert_from_f32_slice(values);
    halves
}

/// Up to 32 values as scale and signed bytes.
fn eight_bits(values: &[f32]) -> (f16, [u8; GROUP]) {
    let largest = values.iter().fold(
        0.0f32,
        |largest, value| if value.abs() > largest { value.abs() } else { largest },
    );
    let scale = f16::from_f32(largest / 127.0);
    let inverse = inverse(scale);
    let mut whole = [0; GROUP];
    for (whole, value) in whole.iter_mut().zip(values) {
        // A scale that was rounded down makes more than 127 of the largest; the cast of what is no number is 0.
        *whole = (value * inverse).round_ties_even().clamp(-127.0, 127.0) as i8 as u8;
    }
    (scale, whole)
}

/// Up to 32 values as scale and numbers 0..=15 that mean -8..=7; the value of largest size becomes -8.
fn four_bits(values: &[f32]) -> (f16, [u8; GROUP]) {
    let largest = values.iter().fold(
        0.0f32,
        |largest, value| if value.abs() > largest.abs() { *value } else { largest },
    );
    let scale = f16::from_f32(largest / -8.0);
    let inverse = inverse(scale);
    let mut whole = [8; GROUP];
    for (whole, value) in whole.iter_mut().zip(values) {
        *whole = ((value * inverse).round_ties_even().clamp(-8.0, 7.0) + 8.0) as u8;
    }
    (scale, whole)
}

fn inverse(scale: f16) -> f32 {
    let scale = scale.to_f32();
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

fn set_nibble(byte: &mut u8, high: usize, value: u8) {
    *byte = if high == 0 {
        *byte & 0xf0 | value
    } else {
        *byte & 0x0f | value << 4
    };
}

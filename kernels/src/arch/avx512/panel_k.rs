//! Panels of the formats whose blocks are 256 weights.

use std::arch::x86_64::*;

use super::block_loads::{add_bits, nibbles};
use super::panel::{PanelBlock, PanelGroup};
use super::panel_blocks::store_looked_up;
use super::transpose::{load_columns, load_dwords, load_halves, pairs_of_halves};
use crate::format::Scaling;
use crate::formats::codebook::NON_LINEAR;

pub(super) enum Q2K {}
impl PanelBlock for Q2K {
    const BYTES: usize = 84;
    const GROUPS: usize = 8;
    const SCALING: Scaling = Scaling::HalvesMinimum;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            let bytes = load_columns(first, stride);
            let (scale, minimum) = pairs_of_halves(load_dwords(first.add(80), stride));
            let minimum = negated(minimum);
            for index in 0..8 {
                for half in 0..2 {
                    let byte = byte(bytes[index / 2], index % 2 * 2 + half);
                    let low = _mm512_cvtepi32_ps(_mm512_and_si512(byte, _mm512_set1_epi32(15)));
                    let high = _mm512_cvtepi32_ps(_mm512_srli_epi32(byte, 4));
                    groups.numbers(index, half, _mm512_mul_ps(scale, low));
                    groups.numbers(index, 2 + half, _mm512_mul_ps(minimum, high));
                }
            }
            for quarter in 0..4 {
                let codes = load_columns(first.add(16 + quarter * 16), stride);
                for index in 0..4 {
                    let group = quarter / 2 * 4 + index;
                    for (step, codes) in codes.into_iter().enumerate() {
                        groups.weights(group, quarter % 2 * 4 + step, two_bits(codes, index));
                    }
                }
            }
        }
    }
}

pub(super) enum Q3K {}
impl PanelBlock for Q3K {
    const BYTES: usize = 110;
    const GROUPS: usize = 8;
    const SCALING: Scaling = Scaling::Halves;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            // The last 16 bytes: two of codes, 12 of scales, the scale.
            let [a, b, c, d] = load_columns(first.add(94), stride);
            let joined = |low, high| _mm512_or_si512(_mm512_srli_epi32(low, 16), _mm512_slli_epi32(high, 16));
            let (low, high) = ([joined(a, b), joined(b, c)], joined(c, d));
            let scale = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(d, 16)));
            for index in 0..16 {
                let low = byte(low[index % 8 / 4], index % 4);
                let low = _mm512_and_si512(shifted_right(low, index / 8 * 4), _mm512_set1_epi32(15));
                let high = shifted_right(byte(high, index % 4), index / 4 * 2);
                let high = _mm512_slli_epi32(_mm512_and_si512(high, _mm512_set1_epi32(3)), 4);
                let whole = _mm512_sub_epi32(_mm512_or_si512(low, high), _mm512_set1_epi32(32));
                let group = index / 2;
                groups.numbers(group, index % 2, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(whole)));
            }
            for half in 0..2 {
                let bits = load_columns(first.add(half * 16), stride);
                for part in 0..2 {
                    let codes = load_columns(first.add(32 + part * 32 + half * 16), stride);
                    for index in 0..4 {
                        let group = part * 4 + index;
                        for (step, (codes, bits)) in codes.into_iter().zip(bits).enumerate() {
                            let bits = rotated(bits, 2 - (part * 4 + index) as i32);
                            groups.weights(group, half * 4 + step, add_bits(two_bits(codes, index), bits, 4));
                        }
                    }
                }
            }
        }
    }
}

pub(super) enum Q4K {}
impl PanelBlock for Q4K {
    const BYTES: usize = 144;
    const GROUPS: usize = 8;
    const SCALING: Scaling = Scaling::WholeMinimum;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            store_six_bits(groups, load_columns(first, stride));
            for quarter in 0..8 {
                let codes = load_columns(first.add(16 + quarter * 16), stride);
                for (step, codes) in codes.into_iter().enumerate() {
                    for (index, codes) in nibbles(codes).into_iter().enumerate() {
                        let group = quarter / 2 * 2 + index;
                        groups.weights(group, quarter % 2 * 4 + step, codes);
                    }
                }
            }
        }
    }
}

pub(super) enum Q5K {}
impl PanelBlock for Q5K {
    const BYTES: usize = 176;
    const GROUPS: usize = 8;
    const SCALING: Scaling = Scaling::WholeMinimum;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            store_six_bits(groups, load_columns(first, stride));
            for half in 0..2 {
                let bits = load_columns(first.add(16 + half * 16), stride);
                for pair in 0..4 {
                    let codes = load_columns(first.add(48 + pair * 32 + half * 16), stride);
                    for (step, (codes, bits)) in codes.into_iter().zip(bits).enumerate() {
                        for (index, codes) in nibbles(codes).into_iter().enumerate() {
                            let index = pair * 2 + index;
                            let group = index;
                            let codes = add_bits(codes, rotated(bits, 4 - index as i32), 0x10);
                            groups.weights(group, half * 4 + step, codes);
                        }
                    }
                }
            }
        }
    }
}

pub(super) enum Q6K {}
impl PanelBlock for Q6K {
    const BYTES: usize = 210;
    const GROUPS: usize = 8;
    const SCALING: Scaling = Scaling::Halves;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            let scale = load_halves(first.add(208), stride);
            let scales = load_columns(first.add(192), stride);
            for index in 0..16 {
                let whole = _mm512_sllv_epi32(scales[index / 4], _mm512_set1_epi32(24 - index as i32 % 4 * 8));
                let whole = _mm512_cvtepi32_ps(_mm512_srai_epi32(whole, 24));
                let group = index / 2;
                groups.numbers(group, index % 2, _mm512_mul_ps(scale, whole));
            }
            for quarter in 0..4 {
                let (part, half) = (quarter / 2, quarter % 2);
                let high = load_columns(first.add(128 + quarter * 16), stride);
                for row in 0..2 {
                    let low = load_columns(first.add(part * 64 + row * 32 + half * 16), stride);
                    for (step, (low, high)) in low.into_iter().zip(high).enumerate() {
                        for (index, low) in nibbles(low).into_iter().enumerate() {
                            let index = row + index * 2;
                            let group = part * 4 + index;
                            let weights = add_bits(low, rotated(high, 4 - index as i32 * 2), 0x30);
                            groups.weights(group, half * 4 + step, weights);
                        }
                    }
                }
            }
        }
    }
}

pub(super) enum Iq4Xs {}
impl PanelBlock for Iq4Xs {
    const BYTES: usize = 136;
    const GROUPS: usize = 8;
    const SCALING: Scaling = Scaling::Whole;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            let (head, low) = (load_dwords(first, stride), load_dwords(first.add(4), stride));
            let scale = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(head));
            for index in 0..8 {
                let low = _mm512_and_si512(shifted_right(low, index * 4), _mm512_set1_epi32(15));
                let high = _mm512_and_si512(shifted_right(head, 16 + index * 2), _mm512_set1_epi32(3));
                let whole = _mm512_or_si512(low, _mm512_slli_epi32(high, 4));
                let whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(whole, _mm512_set1_epi32(32)));
                groups.numbers(index, 0, _mm512_mul_ps(scale, whole));
                store_looked_up(
                    groups,
                    index,
                    &NON_LINEAR,
                    load_columns(first.add(8 + index * 16), stride),
                );
            }
        }
    }
}

/// Scales and minimums of 8 groups from scale, minimum and 12 bytes.
///
/// # Safety
/// The panel has the 8 groups, with minimums.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn store_six_bits(groups: PanelGroup, [halves, x, y, z]: [__m512i; 4]) {
    let (scale, minimum) = pairs_of_halves(halves);
    let minimum = negated(minimum);
    let mask = |x, mask| _mm512_and_si512(x, _mm512_set1_epi32(mask));
    for index in 0..8 {
        let (x, y, z) = (byte(x, index % 4), byte(y, index % 4), byte(z, index % 4));
        let (scales, minimums) = if index < 4 {
            (mask(x, 63), mask(y, 63))
        } else {
            (
                _mm512_or_si512(mask(z, 15), mask(_mm512_srli_epi32(x, 2), 48)),
                _mm512_or_si512(_mm512_srli_epi32(z, 4), mask(_mm512_srli_epi32(y, 2), 48)),
            )
        };
        // SAFETY: as the caller promises.
        unsafe {
            groups.numbers(index, 0, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(scales)));
            groups.numbers(index, 1, _mm512_mul_ps(minimum, _mm512_cvtepi32_ps(minimums)));
        }
    }
}

/// Byte `index` of every dword.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn byte(x: __m512i, index: usize) -> __m512i {
    _mm512_and_si512(shifted_right(x, index * 8), _mm512_set1_epi32(255))
}

#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn shifted_right(x: __m512i, bits: usize) -> __m512i {
    _mm512_srlv_epi32(x, _mm512_set1_epi32(bits as i32))
}

/// Every dword rotated left, or right if negative.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn rotated(x: __m512i, bits: i32) -> __m512i {
    _mm512_rolv_epi32(x, _mm512_set1_epi32(bits))
}

/// Bits 2 * index.. of every byte.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn two_bits(x: __m512i, index: usize) -> __m512i {
    _mm512_and_si512(shifted_right(x, index * 2), _mm512_set1_epi8(3))
}

#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn negated(x: __m512) -> __m512 {
    _mm512_xor_ps(x, _mm512_set1_ps(-0.0))
}

//! Panels of the formats whose blocks are 256 weights.

use std::arch::x86_64::*;

use super::bits::{add_bits, masked, nibbles, shifted_right};
use super::panel::{Groups, Rows};
use super::panel_blocks::store_non_linear;
use super::transpose::{load_columns, load_dwords, load_halves, pairs_of_halves};
use crate::format::{Format, Scaling};

/// Implements [`Rows`] for blocks of 256 weights: the body of `unpack` sees its arguments.
macro_rules! rows_of_blocks {
    ($name:ident, $format:ident, $scaling:ident, $bytes:literal, |$first:ident, $stride:ident, $groups:ident| $body:expr) => {
        pub(super) enum $name {}
        impl Rows for $name {
            const FORMAT: Format = Format::$format;
            const SCALING: Scaling = Scaling::$scaling;
            const BYTES: usize = $bytes;
            const GROUPS: usize = 8;

            #[inline]
            #[target_feature(enable = "avx2,fma,f16c")]
            unsafe fn unpack($first: *const u8, $stride: usize, $groups: Groups) {
                // SAFETY: as the caller promises.
                unsafe { $body }
            }
        }
    };
}

rows_of_blocks!(Q2K, Q2_K, HalvesMinimum, 84, |first, stride, groups| {
    let bytes = load_columns(first, stride);
    let [scale, minimum] = pairs_of_halves(load_dwords(first.add(80), stride));
    let minimum = negated(minimum);
    for part in 0..16 {
        let byte = byte(bytes[part / 4], part % 4);
        let low = _mm256_and_si256(byte, _mm256_set1_epi32(15));
        groups.numbers(part / 2, part % 2, times(scale, low));
        groups.numbers(part / 2, 2 + part % 2, times(minimum, _mm256_srli_epi32(byte, 4)));
    }
    for quarter in 0..4 {
        let codes = load_columns(first.add(16 + quarter * 16), stride);
        for (step, codes) in codes.into_iter().enumerate() {
            for index in 0..4 {
                let group = quarter / 2 * 4 + index;
                groups.weights(group, quarter % 2 * 4 + step, two_bits(codes, index));
            }
        }
    }
});

rows_of_blocks!(Q3K, Q3_K, Halves, 110, |first, stride, groups| {
    // The last 16 bytes: two of codes, 12 of scales, the scale.
    let [a, b, c, d] = load_columns(first.add(94), stride);
    let joined = |low, high| _mm256_or_si256(_mm256_srli_epi32(low, 16), _mm256_slli_epi32(high, 16));
    let (low, high) = ([joined(a, b), joined(b, c)], joined(c, d));
    let [_, scale] = pairs_of_halves(d);
    for part in 0..16 {
        let low = shifted_right(byte(low[part % 8 / 4], part % 4), part / 8 * 4);
        let high = shifted_right(byte(high, part % 4), part / 4 * 2);
        groups.numbers(part / 2, part % 2, times(scale, six_bits(low, high)));
    }
    for half in 0..2 {
        let bits = load_columns(first.add(half * 16), stride);
        for part in 0..2 {
            let codes = load_columns(first.add(32 + part * 32 + half * 16), stride);
            for (step, (codes, bits)) in codes.into_iter().zip(bits).enumerate() {
                for index in 0..4 {
                    let group = part * 4 + index;
                    let codes = add_bits(two_bits(codes, index), bits, group, 2, 4);
                    groups.weights(group, half * 4 + step, codes);
                }
            }
        }
    }
});

rows_of_blocks!(Q4K, Q4_K, WholeMinimum, 144, |first, stride, groups| {
    store_six_bit_scales(groups, load_columns(first, stride));
    for quarter in 0..8 {
        let codes = load_columns(first.add(16 + quarter * 16), stride);
        for (step, codes) in codes.into_iter().enumerate() {
            for (index, codes) in nibbles(codes).into_iter().enumerate() {
                groups.weights(quarter / 2 * 2 + index, quarter % 2 * 4 + step, codes);
            }
        }
    }
});

rows_of_blocks!(Q5K, Q5_K, WholeMinimum, 176, |first, stride, groups| {
    store_six_bit_scales(groups, load_columns(first, stride));
    for half in 0..2 {
        let bits = load_columns(first.add(16 + half * 16), stride);
        for pair in 0..4 {
            let codes = load_columns(first.add(48 + pair * 32 + half * 16), stride);
            for (step, (codes, bits)) in codes.into_iter().zip(bits).enumerate() {
                for (index, codes) in nibbles(codes).into_iter().enumerate() {
                    let group = pair * 2 + index;
                    groups.weights(group, half * 4 + step, add_bits(codes, bits, group, 4, 0x10));
                }
            }
        }
    }
});

rows_of_blocks!(Q6K, Q6_K, Halves, 210, |first, stride, groups| {
    let scale = load_halves(first.add(208), stride);
    let scales = load_columns(first.add(192), stride);
    for part in 0..16 {
        let top = _mm256_sll_epi32(scales[part / 4], _mm_cvtsi32_si128(24 - part as i32 % 4 * 8));
        groups.numbers(part / 2, part % 2, times(scale, _mm256_srai_epi32(top, 24)));
    }
    for quarter in 0..4 {
        let (part, half) = (quarter / 2, quarter % 2);
        let high = load_columns(first.add(128 + quarter * 16), stride);
        for row in 0..2 {
            let low = load_columns(first.add(part * 64 + row * 32 + half * 16), stride);
            for (step, (low, high)) in low.into_iter().zip(high).enumerate() {
                for (index, low) in nibbles(low).into_iter().enumerate() {
                    let index = row + index * 2;
                    let weights = add_bits(low, high, index * 2, 4, 0x30);
                    groups.weights(part * 4 + index, half * 4 + step, weights);
                }
            }
        }
    }
});

rows_of_blocks!(Iq4Xs, IQ4_XS, Whole, 136, |first, stride, groups| {
    let (head, low) = (load_dwords(first, stride), load_dwords(first.add(4), stride));
    let [scale, _] = pairs_of_halves(head);
    for group in 0..8 {
        let whole = six_bits(shifted_right(low, group * 4), shifted_right(head, 16 + group * 2));
        groups.numbers(group, 0, times(scale, whole));
        store_non_linear(groups, group, load_columns(first.add(8 + group * 16), stride));
    }
});

/// Scales and minimums of 8 groups from scale, minimum and 12 bytes.
///
/// # Safety
/// The panel has the 8 groups, with minimums.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn store_six_bit_scales(groups: Groups, [halves, x, y, z]: [__m256i; 4]) {
    let [scale, minimum] = pairs_of_halves(halves);
    let minimum = negated(minimum);
    let (low, high) = (masked(z, 15), masked(_mm256_srli_epi16(z, 4), 15));
    let scales = [masked(x, 63), add_bits(low, x, 6, 4, 48)];
    let minimums = [masked(y, 63), add_bits(high, y, 6, 4, 48)];
    for group in 0..8 {
        // SAFETY: as the caller promises.
        unsafe {
            groups.numbers(group, 0, times(scale, byte(scales[group / 4], group % 4)));
            groups.numbers(group, 1, times(minimum, byte(minimums[group / 4], group % 4)));
        }
    }
}

/// Four bits and two higher ones, less 32.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn six_bits(low: __m256i, high: __m256i) -> __m256i {
    let low = _mm256_and_si256(low, _mm256_set1_epi32(15));
    let high = _mm256_and_si256(high, _mm256_set1_epi32(3));
    let whole = _mm256_or_si256(low, _mm256_slli_epi32(high, 4));
    _mm256_sub_epi32(whole, _mm256_set1_epi32(32))
}

/// Byte `index` of every dword.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn byte(x: __m256i, index: usize) -> __m256i {
    _mm256_and_si256(shifted_right(x, index * 8), _mm256_set1_epi32(255))
}

/// Bits 2 * index.. of every byte.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn two_bits(x: __m256i, index: usize) -> __m256i {
    masked(shifted_right(x, index * 2), 3)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn times(scale: __m256, whole: __m256i) -> __m256 {
    _mm256_mul_ps(scale, _mm256_cvtepi32_ps(whole))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn negated(x: __m256) -> __m256 {
    _mm256_xor_ps(x, _mm256_set1_ps(-0.0))
}

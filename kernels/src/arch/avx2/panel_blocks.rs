//! Panels of the formats whose blocks are 32 weights.

use std::arch::x86_64::*;

use super::bits::{halves_of_exponents, look_up, nibbles, sixteen_where};
use super::panel::{Groups, Rows};
use super::transpose::{load_columns, load_dwords, load_halves, pairs_of_halves};
use crate::format::{Format, Scaling};
use crate::formats::codebook::{FLOAT4, NON_LINEAR};

/// Implements [`Rows`] for blocks of 32 weights: the body of `unpack` sees its arguments.
macro_rules! rows_of_blocks {
    ($name:ident, $format:ident, $scaling:ident, $bytes:literal, |$first:ident, $stride:ident, $groups:ident| $body:expr) => {
        pub(super) enum $name {}
        impl Rows for $name {
            const FORMAT: Format = Format::$format;
            const SCALING: Scaling = Scaling::$scaling;
            const BYTES: usize = $bytes;
            const GROUPS: usize = 1;

            #[inline]
            #[target_feature(enable = "avx2,fma,f16c")]
            unsafe fn unpack($first: *const u8, $stride: usize, $groups: Groups) {
                // SAFETY: as the caller promises.
                unsafe { $body }
            }
        }
    };
}

rows_of_blocks!(Q4_0, Q4_0, Whole, 18, |first, stride, groups| {
    store_nibbles(groups, load_columns(first.add(2), stride));
    groups.numbers(0, 0, load_halves(first, stride));
});

rows_of_blocks!(Q4_1, Q4_1, WholeMinimum, 20, |first, stride, groups| {
    store_nibbles(groups, load_columns(first.add(4), stride));
    store_scale_and_minimum(groups, load_dwords(first, stride));
});

rows_of_blocks!(Q5_0, Q5_0, Whole, 22, |first, stride, groups| {
    let bits = load_dwords(first.add(2), stride);
    store_five_bits(groups, bits, load_columns(first.add(6), stride));
    groups.numbers(0, 0, load_halves(first, stride));
});

rows_of_blocks!(Q5_1, Q5_1, WholeMinimum, 24, |first, stride, groups| {
    let bits = load_dwords(first.add(4), stride);
    store_five_bits(groups, bits, load_columns(first.add(8), stride));
    store_scale_and_minimum(groups, load_dwords(first, stride));
});

rows_of_blocks!(Q8_0, Q8_0, Whole, 34, |first, stride, groups| {
    for half in 0..2 {
        let columns = load_columns(first.add(2 + 16 * half), stride);
        for (step, x) in columns.into_iter().enumerate() {
            let unsigned = _mm256_xor_si256(x, _mm256_set1_epi8(i8::MIN));
            groups.split_weights(0, 4 * half + step, nibbles(unsigned));
        }
    }
    groups.numbers(0, 0, load_halves(first, stride));
});

rows_of_blocks!(Iq4Nl, IQ4_NL, Whole, 18, |first, stride, groups| {
    store_non_linear(groups, 0, load_columns(first.add(2), stride));
    groups.numbers(0, 0, load_halves(first, stride));
});

rows_of_blocks!(Mxfp4, MXFP4, Whole, 17, |first, stride, groups| {
    for (step, x) in load_columns(first.add(1), stride).into_iter().enumerate() {
        let [low, high] = nibbles(x);
        groups.weights(0, step, look_up(&UNSIGNED_FLOAT4, low));
        groups.weights(0, 4 + step, look_up(&UNSIGNED_FLOAT4, high));
    }
    // The exponent and the first three bytes of codes.
    let exponents = _mm256_and_si256(load_dwords(first, stride), _mm256_set1_epi32(255));
    groups.numbers(0, 0, halves_of_exponents(exponents));
});

pub(super) const UNSIGNED_FLOAT4: [i8; 16] = plus(FLOAT4, 12);

const fn plus(table: [i8; 16], number: i8) -> [i8; 16] {
    let mut sums = [0; 16];
    let mut i = 0;
    while i < 16 {
        sums[i] = table[i].wrapping_add(number);
        i += 1;
    }
    sums
}

/// 16 bytes whose low halves are the first 16 weights, the high halves the others.
///
/// # Safety
/// The panel has the group.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn store_nibbles(groups: Groups, columns: [__m256i; 4]) {
    for (step, x) in columns.into_iter().enumerate() {
        let [low, high] = nibbles(x);
        // SAFETY: as the caller promises.
        unsafe {
            groups.weights(0, step, low);
            groups.weights(0, 4 + step, high);
        }
    }
}

/// The same, with the fifth bits of 32 weights.
///
/// # Safety
/// As above.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn store_five_bits(groups: Groups, bits: __m256i, columns: [__m256i; 4]) {
    let add = |codes, step: usize| {
        // The byte that has the bits of columns 4 * step.., everywhere in its dword.
        let order = _mm256_add_epi8(
            _mm256_set1_epi8((step / 2) as i8),
            _mm256_setr_epi32(
                0,
                0x0404_0404,
                0x0808_0808,
                0x0c0c_0c0c,
                0,
                0x0404_0404,
                0x0808_0808,
                0x0c0c_0c0c,
            ),
        );
        let mask = _mm256_set1_epi32(if step.is_multiple_of(2) {
            0x0804_0201
        } else {
            0x8040_2010u32 as i32
        });
        _mm256_or_si256(codes, sixteen_where(_mm256_shuffle_epi8(bits, order), mask))
    };
    for (step, x) in columns.into_iter().enumerate() {
        let [low, high] = nibbles(x);
        // SAFETY: as the caller promises.
        unsafe {
            groups.weights(0, step, add(low, step));
            groups.weights(0, 4 + step, add(high, 4 + step));
        }
    }
}

/// # Safety
/// As above, with a minimum.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn store_scale_and_minimum(groups: Groups, halves: __m256i) {
    let [scale, minimum] = pairs_of_halves(halves);
    // SAFETY: as the caller promises.
    unsafe {
        groups.numbers(0, 0, scale);
        groups.numbers(0, 1, minimum);
    }
}

/// The same as indices into the table of IQ4_NL.
///
/// # Safety
/// As above, with split weights.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn store_non_linear(groups: Groups, group: usize, columns: [__m256i; 4]) {
    const UNSIGNED: [i8; 16] = plus(NON_LINEAR, i8::MIN);
    for (step, x) in columns.into_iter().enumerate() {
        for (half, codes) in nibbles(x).into_iter().enumerate() {
            let weights = nibbles(look_up(&UNSIGNED, codes));
            // SAFETY: as the caller promises.
            unsafe { groups.split_weights(group, half * 4 + step, weights) };
        }
    }
}

//! Panels of the formats whose blocks are 32 weights.

use std::arch::x86_64::*;

use super::block_loads::{add_bits, halves_of_exponents, look_up, nibbles};
use super::panel::{PanelBlock, PanelGroup};
use super::transpose::{load_columns, load_dwords, load_halves, pairs_of_halves};
use crate::format::Scaling;
use crate::formats::codebook::{FLOAT4, NON_LINEAR};

pub(super) enum Q4_0 {}
impl PanelBlock for Q4_0 {
    const BYTES: usize = 18;
    const GROUPS: usize = 1;
    const SCALING: Scaling = Scaling::Whole;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            store_nibbles(groups, 0, load_columns(first.add(2), stride));
            groups.numbers(0, 0, load_halves(first, stride));
        }
    }
}

pub(super) enum Q4_1 {}
impl PanelBlock for Q4_1 {
    const BYTES: usize = 20;
    const GROUPS: usize = 1;
    const SCALING: Scaling = Scaling::WholeMinimum;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            store_nibbles(groups, 0, load_columns(first.add(4), stride));
            let (scale, minimum) = pairs_of_halves(load_dwords(first, stride));
            groups.numbers(0, 0, scale);
            groups.numbers(0, 1, minimum);
        }
    }
}

pub(super) enum Q8_0 {}
impl PanelBlock for Q8_0 {
    const BYTES: usize = 34;
    const GROUPS: usize = 1;
    const SCALING: Scaling = Scaling::Whole;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            let flip = _mm512_set1_epi8(i8::MIN);
            for half in 0..2 {
                let columns = load_columns(first.add(2 + 16 * half), stride);
                for (step, x) in columns.into_iter().enumerate() {
                    groups.weights(0, 4 * half + step, _mm512_xor_si512(x, flip));
                }
            }
            groups.numbers(0, 0, load_halves(first, stride));
        }
    }
}

pub(super) enum Q5_0 {}
impl PanelBlock for Q5_0 {
    const BYTES: usize = 22;
    const GROUPS: usize = 1;
    const SCALING: Scaling = Scaling::Whole;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            store_five_bits(
                groups,
                0,
                load_dwords(first.add(2), stride),
                load_columns(first.add(6), stride),
            );
            groups.numbers(0, 0, load_halves(first, stride));
        }
    }
}

pub(super) enum Q5_1 {}
impl PanelBlock for Q5_1 {
    const BYTES: usize = 24;
    const GROUPS: usize = 1;
    const SCALING: Scaling = Scaling::WholeMinimum;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            store_five_bits(
                groups,
                0,
                load_dwords(first.add(4), stride),
                load_columns(first.add(8), stride),
            );
            let (scale, minimum) = pairs_of_halves(load_dwords(first, stride));
            groups.numbers(0, 0, scale);
            groups.numbers(0, 1, minimum);
        }
    }
}

pub(super) enum Iq4Nl {}
impl PanelBlock for Iq4Nl {
    const BYTES: usize = 18;
    const GROUPS: usize = 1;
    const SCALING: Scaling = Scaling::Whole;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            store_looked_up(groups, 0, &NON_LINEAR, load_columns(first.add(2), stride));
            groups.numbers(0, 0, load_halves(first, stride));
        }
    }
}

pub(super) enum Mxfp4 {}
impl PanelBlock for Mxfp4 {
    const BYTES: usize = 17;
    const GROUPS: usize = 1;
    const SCALING: Scaling = Scaling::Whole;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn unpack(first: *const u8, stride: usize, groups: PanelGroup) {
        // SAFETY: as the caller promises.
        unsafe {
            store_looked_up(groups, 0, &FLOAT4, load_columns(first.add(1), stride));
            // The exponent and the first three bytes of codes.
            let exponents = _mm512_and_si512(load_dwords(first, stride), _mm512_set1_epi32(255));
            groups.numbers(0, 0, halves_of_exponents(exponents));
        }
    }
}

/// 16 bytes whose low halves are the first 16 weights, the high halves the others.
///
/// # Safety
/// The panel has the group.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn store_nibbles(groups: PanelGroup, group: usize, columns: [__m512i; 4]) {
    for (step, x) in columns.into_iter().enumerate() {
        let [first, second] = nibbles(x);
        // SAFETY: as the caller promises.
        unsafe {
            groups.weights(group, step, first);
            groups.weights(group, 4 + step, second);
        }
    }
}

/// The same, with the fifth bits of 32 weights.
///
/// # Safety
/// The panel has the group.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn store_five_bits(groups: PanelGroup, group: usize, bits: __m512i, columns: [__m512i; 4]) {
    // Bits 0..4 of each dword to bit 4 of its bytes; a qword has two.
    let shifts = _mm512_set1_epi64(0x1f1e_1d1c_3f3e_3d3c);
    for (step, x) in columns.into_iter().enumerate() {
        let add = |weights, step: usize| {
            let shifts = _mm512_add_epi8(shifts, _mm512_set1_epi8(4 * step as i8));
            add_bits(weights, _mm512_multishift_epi64_epi8(shifts, bits), 0x10)
        };
        let [first, second] = nibbles(x);
        // SAFETY: as the caller promises.
        unsafe {
            groups.weights(group, step, add(first, step));
            groups.weights(group, 4 + step, add(second, 4 + step));
        }
    }
}

/// The same as indices into a table.
///
/// # Safety
/// The panel has the group.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn store_looked_up(groups: PanelGroup, group: usize, table: &[i8; 16], columns: [__m512i; 4]) {
    for (step, x) in columns.into_iter().enumerate() {
        let [first, second] = nibbles(x).map(|codes| look_up(table, codes));
        // SAFETY: as the caller promises.
        unsafe {
            groups.weights(group, step, first);
            groups.weights(group, 4 + step, second);
        }
    }
}

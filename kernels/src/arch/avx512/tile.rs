use std::arch::x86_64::*;

use crate::arch::buffer::LINE;
use crate::arch::products::{PANEL_ROWS, PanelFunction, TILE_TOKENS, Tile, TileSums};
use crate::format::{Format, Scaling};
use crate::unpack::GROUP;

/// Weights of four columns of 16 rows, lane = row.
const STEPS: usize = GROUP / 4;

/// Bytes of a panel's group: 8 vectors of weights, one of scales for each part, one of minimums for each part.
pub(super) const fn group_bytes(scaling: Scaling) -> usize {
    let parts = if scaling.has_halves() { 2 } else { 1 };
    let numbers = if scaling.has_minimum() { 2 } else { 1 };
    (STEPS + parts * numbers) * LINE
}

/// The kernel that multiplies panels of a format. All with a minimum have offset 0, all others another.
pub(super) fn function(format: Format) -> PanelFunction {
    match format.scaling() {
        Scaling::Float => panic!("{} has no panels", format.name()),
        Scaling::Whole => multiply::<1, false>,
        Scaling::WholeMinimum => multiply::<1, true>,
        Scaling::Halves => multiply::<2, false>,
        Scaling::HalvesMinimum => multiply::<2, true>,
    }
}

/// # Safety
/// As [`PanelKernel::multiply`](crate::arch::products::PanelKernel::multiply) checks.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn multiply<const PARTS: usize, const MINIMUM: bool>(
    panel: &[u8],
    tile: &Tile<'_>,
    ahead: &[u8],
    sums: &mut TileSums,
) {
    // SAFETY: as the caller promises; the tile has as many tokens.
    unsafe {
        match tile.tokens {
            1 => multiply_tokens::<1, PARTS, MINIMUM>(panel, tile, ahead, sums),
            2 => multiply_tokens::<2, PARTS, MINIMUM>(panel, tile, ahead, sums),
            3 => multiply_tokens::<3, PARTS, MINIMUM>(panel, tile, ahead, sums),
            4 => multiply_tokens::<4, PARTS, MINIMUM>(panel, tile, ahead, sums),
            5 => multiply_tokens::<5, PARTS, MINIMUM>(panel, tile, ahead, sums),
            6 => multiply_tokens::<6, PARTS, MINIMUM>(panel, tile, ahead, sums),
            7 => multiply_tokens::<7, PARTS, MINIMUM>(panel, tile, ahead, sums),
            _ => multiply_tokens::<8, PARTS, MINIMUM>(panel, tile, ahead, sums),
        }
    }
}

/// # Safety
/// As above.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn multiply_tokens<const TOKENS: usize, const PARTS: usize, const MINIMUM: bool>(
    panel: &[u8],
    tile: &Tile<'_>,
    ahead: &[u8],
    sums: &mut TileSums,
) {
    let group_bytes = (STEPS + PARTS * (1 + MINIMUM as usize)) * LINE;
    let groups = panel.len() / group_bytes;
    let ahead_bytes = ahead.len().div_ceil(groups.max(1));
    let mut fetched = 0;
    let mut accumulators = [_mm512_setzero_ps(); TOKENS];
    for group in 0..groups {
        while fetched < (ahead_bytes * (group + 1)).min(ahead.len()) {
            _mm_prefetch(ahead.as_ptr().wrapping_add(fetched).cast(), _MM_HINT_T1);
            fetched += LINE;
        }
        // SAFETY: the panel has this group.
        let weights = unsafe { panel.as_ptr().add(group * group_bytes) };
        // SAFETY: and its tile has 8 tokens of it.
        let x = unsafe { tile.values.as_ptr().add(group * TILE_TOKENS * GROUP) };
        for part in 0..PARTS {
            let numbers = (group * PARTS + part) * TILE_TOKENS;
            let mut dots = [_mm512_setzero_si512(); TOKENS];
            if !MINIMUM {
                for (token, dot) in dots.iter_mut().enumerate() {
                    // SAFETY: without a minimum a tile has start values.
                    *dot = _mm512_set1_epi32(unsafe { *tile.starts.get_unchecked(numbers + token) });
                }
            }
            for step in part * STEPS / PARTS..(part + 1) * STEPS / PARTS {
                // SAFETY: the first 8 lines of a group are weights.
                let weight = unsafe { _mm512_load_si512(weights.add(step * LINE).cast()) };
                for (token, dot) in dots.iter_mut().enumerate() {
                    // SAFETY: every token has 32 values.
                    let x = unsafe { x.add(token * GROUP + step * 4).cast::<i32>().read_unaligned() };
                    *dot = placed_here(_mm512_dpbusd_epi32(*dot, weight, _mm512_set1_epi32(x)));
                }
            }
            let number = |index: usize| {
                // SAFETY: scales and minimums follow.
                unsafe { _mm512_load_ps(weights.add((STEPS + index) * LINE).cast()) }
            };
            let scale = number(part);
            for (token, (accumulator, dot)) in accumulators.iter_mut().zip(dots).enumerate() {
                // SAFETY: a tile has 8 scales for each group.
                let dx = unsafe { *tile.scales.get_unchecked(group * TILE_TOKENS + token) };
                let mut product = _mm512_mul_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(scale, _mm512_set1_ps(dx)));
                if MINIMUM {
                    // SAFETY: with a minimum a tile has weighted sums.
                    let weighted = unsafe { *tile.weighted.get_unchecked(numbers + token) };
                    product = _mm512_fmadd_ps(number(PARTS + part), _mm512_set1_ps(weighted), product);
                }
                *accumulator = _mm512_add_ps(*accumulator, product);
            }
        }
    }
    for (sums, accumulator) in sums.iter_mut().zip(accumulators) {
        const { assert!(PANEL_ROWS == 16) };
        // SAFETY: 16 floats.
        unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), accumulator) };
    }
}

/// Left alone, the compiler puts the dots of one token behind another's, and the last chain has nothing beside it:
/// 96 cycles instead of 80 for 8 tokens and a group.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn placed_here(mut dot: __m512i) -> __m512i {
    // SAFETY: no instruction; the order of such blocks is kept.
    unsafe { std::arch::asm!("/* {0} */", inout(zmm_reg) dot, options(nomem, nostack, preserves_flags)) };
    dot
}

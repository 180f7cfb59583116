//! Tiles of tokens with panels of rows: unsigned weights times signed activations, lane = row.
//!
//! `vpmaddubsw` adds two products in 16 bits. How many of its results fit 16 bits, before they must be widened to 32,
//! is decided by the largest weight: 8 for weights up to 15, 4 up to 31, 2 up to 63, 1 up to 127. Larger ones are two
//! weights up to 15, low and high.

use std::arch::asm;
use std::arch::x86_64::*;

use crate::arch::buffer::LINE;
use crate::arch::products::{PANEL_ROWS, PanelFunction, TILE_TOKENS, Tile, TileSums};
use crate::format::Scaling;
use crate::unpack::GROUP;

/// Weights of four columns of 16 rows, lane = row.
pub(super) const STEPS: usize = GROUP / 4;
/// Vectors that hold a panel's rows.
const VECTORS: usize = PANEL_ROWS / 8;

/// How weights lie in a panel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Width {
    UpTo15,
    UpTo31,
    UpTo63,
    UpTo127,
    /// The low halves of all bytes of a group, then the high halves.
    Split,
}

/// Bytes of a panel's group: lines of weights, one of scales for each part, one of minimums for each part.
pub(super) const fn group_bytes(width: Width, scaling: Scaling) -> usize {
    let parts = if scaling.has_halves() { 2 } else { 1 };
    let numbers = if scaling.has_minimum() { 2 } else { 1 };
    (weight_lines(width) + parts * numbers) * LINE
}

/// Lines of weights of a group.
pub(super) const fn weight_lines(width: Width) -> usize {
    match width {
        Width::Split => 2 * STEPS,
        _ => STEPS,
    }
}

/// The kernel for such panels; with an offset, the tile has start values.
pub(super) fn function(width: Width, scaling: Scaling, has_offset: bool) -> PanelFunction {
    use Scaling::*;
    match (width, scaling, has_offset) {
        (Width::UpTo15, Whole, true) => multiply::<8, 1, false, true>,
        (Width::UpTo15, WholeMinimum, false) => multiply::<8, 1, true, false>,
        (Width::UpTo15, Halves, true) => multiply::<4, 2, false, true>,
        (Width::UpTo15, HalvesMinimum, false) => multiply::<4, 2, true, false>,
        (Width::UpTo31, Whole, true) => multiply::<4, 1, false, true>,
        (Width::UpTo31, WholeMinimum, false) => multiply::<4, 1, true, false>,
        (Width::UpTo31, Halves, true) => multiply::<4, 2, false, true>,
        (Width::UpTo63, Halves, true) => multiply::<2, 2, false, true>,
        (Width::UpTo127, Whole, true) => multiply::<1, 1, false, true>,
        (Width::UpTo127, Halves, true) => multiply::<1, 2, false, true>,
        (Width::Split, Whole, true) => multiply::<SPLIT, 1, false, true>,
        other => panic!("no kernel for panels of {other:?}"),
    }
}

/// In the place of how many results are added in 16 bits.
const SPLIT: usize = 0;

/// # Safety
/// As [`PanelKernel::multiply`](crate::arch::products::PanelKernel::multiply) checks.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn multiply<const ADDED: usize, const PARTS: usize, const MINIMUM: bool, const OFFSET: bool>(
    panel: &[u8],
    tile: &Tile<'_>,
    ahead: &[u8],
    sums: &mut TileSums,
) {
    // SAFETY: as the caller promises; a tile has 8 tokens, those beyond `tokens` zeros.
    unsafe {
        match tile.tokens {
            1 => groups::<1, ADDED, PARTS, MINIMUM, OFFSET>(panel, tile, 1, ahead, sums),
            2 => groups::<2, ADDED, PARTS, MINIMUM, OFFSET>(panel, tile, 1, ahead, sums),
            3 => groups::<3, ADDED, PARTS, MINIMUM, OFFSET>(panel, tile, 1, ahead, sums),
            4 => groups::<4, ADDED, PARTS, MINIMUM, OFFSET>(panel, tile, 1, ahead, sums),
            5 | 6 => groups::<3, ADDED, PARTS, MINIMUM, OFFSET>(panel, tile, 2, ahead, sums),
            _ => groups::<4, ADDED, PARTS, MINIMUM, OFFSET>(panel, tile, 2, ahead, sums),
        }
    }
}

/// `passes` times `TOKENS` tokens: as many as fit the registers at once.
///
/// # Safety
/// As above.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn groups<
    const TOKENS: usize,
    const ADDED: usize,
    const PARTS: usize,
    const MINIMUM: bool,
    const OFFSET: bool,
>(
    panel: &[u8],
    tile: &Tile<'_>,
    passes: usize,
    ahead: &[u8],
    sums: &mut TileSums,
) {
    sums.fill([0.0; PANEL_ROWS]);
    let groups = tile.scales.len() / TILE_TOKENS;
    let group_bytes = panel.len() / groups;
    let ahead_bytes = ahead.len().div_ceil(groups).next_multiple_of(LINE);
    for group in 0..groups {
        for line in (group * ahead_bytes..(group + 1) * ahead_bytes).step_by(LINE) {
            if line < ahead.len() {
                _mm_prefetch(ahead.as_ptr().wrapping_add(line).cast(), _MM_HINT_T1);
            }
        }
        for pass in 0..passes {
            // SAFETY: the panel has the group, the tile 8 tokens of it.
            unsafe {
                let weights = panel.as_ptr().add(group * group_bytes);
                tokens::<TOKENS, ADDED, PARTS, MINIMUM, OFFSET>(weights, tile, group, pass * TOKENS, sums);
            }
        }
    }
}

/// The body for each of the numbers below `$count`, which is 8 at most: in a loop the sums would not stay in registers.
macro_rules! unrolled {
    ($count:expr, |$index:ident| $body:expr) => {
        unrolled!($count, |$index| $body, 0 1 2 3 4 5 6 7)
    };
    ($count:expr, |$index:ident| $body:expr, $($number:literal)*) => {
        $(if $number < $count {
            let $index = $number;
            $body
        })*
    };
}

/// Adds the products of a group with `TOKENS` tokens from `first` on to the sums.
///
/// # Safety
/// `weights` is a group of a panel, `tile` has that group.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn tokens<
    const TOKENS: usize,
    const ADDED: usize,
    const PARTS: usize,
    const MINIMUM: bool,
    const OFFSET: bool,
>(
    weights: *const u8,
    tile: &Tile<'_>,
    group: usize,
    first: usize,
    sums: &mut TileSums,
) {
    let number = |index: usize, vector: usize| {
        let lines = if ADDED == SPLIT { 2 * STEPS } else { STEPS };
        // SAFETY: lines of numbers follow those of weights.
        unsafe { _mm256_load_ps(weights.add((lines + index) * LINE + vector * 32).cast()) }
    };
    for part in 0..PARTS {
        let mut dots = [[_mm256_setzero_si256(); VECTORS]; TOKENS];
        // SAFETY: as the caller promises; every token has 32 values.
        unsafe {
            let x = tile.values.as_ptr().add((group * TILE_TOKENS + first) * GROUP);
            if ADDED == SPLIT {
                add_steps::<TOKENS, STEPS>(weights, x, 1, &mut dots);
                add_steps::<TOKENS, STEPS>(weights.add(STEPS * LINE), x, 16, &mut dots);
            } else {
                let steps = STEPS / PARTS;
                let (weights, x) = (weights.add(part * steps * LINE), x.add(part * steps * 4));
                unrolled!(steps.checked_div(ADDED).unwrap_or(0), |chunk| {
                    let (weights, x) = (weights.add(chunk * ADDED * LINE), x.add(chunk * ADDED * 4));
                    add_steps::<TOKENS, ADDED>(weights, x, 1, &mut dots);
                });
            }
        }
        let numbers = (group * PARTS + part) * TILE_TOKENS + first;
        for (token, dots) in dots.into_iter().enumerate() {
            let start = if OFFSET {
                // SAFETY: with an offset a tile has start values.
                _mm256_set1_epi32(unsafe { *tile.starts.get_unchecked(numbers + token) })
            } else {
                _mm256_setzero_si256()
            };
            // SAFETY: a tile has 8 scales for each group.
            let dx = _mm256_set1_ps(unsafe { *tile.scales.get_unchecked(group * TILE_TOKENS + first + token) });
            for (vector, dot) in dots.into_iter().enumerate() {
                let dot = if OFFSET { _mm256_add_epi32(dot, start) } else { dot };
                let scale = _mm256_mul_ps(number(part, vector), dx);
                let mut product = _mm256_mul_ps(_mm256_cvtepi32_ps(dot), scale);
                if MINIMUM {
                    // SAFETY: with a minimum a tile has weighted sums.
                    let weighted = _mm256_set1_ps(unsafe { *tile.weighted.get_unchecked(numbers + token) });
                    product = _mm256_fmadd_ps(number(PARTS + part, vector), weighted, product);
                }
                // SAFETY: a token has 16 sums.
                unsafe {
                    let sums = sums.as_mut_ptr().add(first + token).cast::<f32>().add(vector * 8);
                    _mm256_storeu_ps(sums, _mm256_add_ps(_mm256_loadu_ps(sums), product));
                }
            }
        }
    }
}

/// Adds `factor` times the sums over `ADDED` steps of four columns, for each token and vector of rows.
///
/// # Safety
/// There are as many lines of weights, and tokens of 32 values with as many columns from `x` on.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn add_steps<const TOKENS: usize, const ADDED: usize>(
    weights: *const u8,
    x: *const i8,
    factor: i16,
    dots: &mut [[__m256i; VECTORS]; TOKENS],
) {
    let mut words = [[_mm256_setzero_si256(); VECTORS]; TOKENS];
    unrolled!(ADDED, |step| {
        // SAFETY: as the caller promises.
        let weights: [__m256i; VECTORS] =
            std::array::from_fn(|vector| unsafe { _mm256_load_si256(weights.add(step * LINE + vector * 32).cast()) });
        for (token, words) in words.iter_mut().enumerate() {
            // SAFETY: as the caller promises.
            let x = unsafe { x.add(token * GROUP + step * 4).cast::<i32>().read_unaligned() };
            for (words, weights) in words.iter_mut().zip(weights) {
                *words = _mm256_add_epi16(*words, _mm256_maddubs_epi16(weights, _mm256_set1_epi32(x)));
            }
            if step > 0 {
                stay(words);
            }
        }
    });
    for (dots, words) in dots.iter_mut().zip(words) {
        for (dots, words) in dots.iter_mut().zip(words) {
            *dots = _mm256_add_epi32(*dots, _mm256_madd_epi16(words, _mm256_set1_epi16(factor)));
        }
        stay(dots);
    }
}

/// Keeps vectors in registers, and what comes before and after them there. The compiler would load activations far
/// ahead of their use, only to store them on the stack: a third of the speed.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn stay([x, y]: &mut [__m256i; VECTORS]) {
    // SAFETY: no instruction.
    unsafe {
        asm!(
            "/* {0} {1} */",
            inout(ymm_reg) * x,
            inout(ymm_reg) * y,
            options(nostack, preserves_flags)
        )
    };
}

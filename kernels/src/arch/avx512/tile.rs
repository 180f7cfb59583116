use std::arch::x86_64::*;

use super::panel::{PanelBlock, PanelGroup, unpack_any};
use crate::arch::buffer::LINE;
use crate::arch::products::{PANEL_ROWS, PanelFunction, StartFunction, TILE_TOKENS, Tile, TileSums};
use crate::format::{Format, Scaling};
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Weights of four columns of 16 rows, lane = row.
pub(super) const STEPS: usize = GROUP / 4;

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

/// The kernel that unpacks a panel while it multiplies it with the first tile.
pub(super) fn start_function<B: PanelBlock>() -> StartFunction {
    match B::SCALING {
        Scaling::Float => panic!("floats have no panels"),
        Scaling::Whole => start::<B, 1, false>,
        Scaling::WholeMinimum => start::<B, 1, true>,
        Scaling::Halves => start::<B, 2, false>,
        Scaling::HalvesMinimum => start::<B, 2, true>,
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
    // SAFETY: as the caller promises. Places without a token hold zeros.
    unsafe {
        match tile.tokens.div_ceil(2) {
            1 => multiply_tokens::<2, PARTS, MINIMUM>(panel, tile, ahead, sums),
            2 => multiply_tokens::<4, PARTS, MINIMUM>(panel, tile, ahead, sums),
            3 => multiply_tokens::<6, PARTS, MINIMUM>(panel, tile, ahead, sums),
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
    let mut ahead = Ahead::new(ahead, groups);
    let mut accumulators = [_mm512_setzero_ps(); TOKENS];
    for group in 0..groups {
        ahead.fetch();
        // SAFETY: the panel and the tile have this group.
        unsafe {
            let weights = panel.as_ptr().add(group * group_bytes);
            add_group::<TOKENS, PARTS, MINIMUM>(weights, tile, group, &mut accumulators);
        }
    }
    store(accumulators, sums);
}

/// # Safety
/// As [`PanelKernel::start`](crate::arch::products::PanelKernel::start) checks, for a matrix of the block's format.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn start<B: PanelBlock, const PARTS: usize, const MINIMUM: bool>(
    matrix: &Matrix<'_>,
    panel: &mut [u8],
    tile: &Tile<'_>,
    ahead: &[u8],
    sums: &mut TileSums,
) {
    // SAFETY: as the caller promises. Places without a token hold zeros.
    unsafe {
        if matrix.rows() < PANEL_ROWS {
            unpack_any(matrix, panel);
            return multiply::<PARTS, MINIMUM>(panel, tile, ahead, sums);
        }
        match tile.tokens.div_ceil(2) {
            1 => start_tokens::<B, 2, PARTS, MINIMUM>(matrix, panel, tile, ahead, sums),
            2 => start_tokens::<B, 4, PARTS, MINIMUM>(matrix, panel, tile, ahead, sums),
            3 => start_tokens::<B, 6, PARTS, MINIMUM>(matrix, panel, tile, ahead, sums),
            _ => start_tokens::<B, 8, PARTS, MINIMUM>(matrix, panel, tile, ahead, sums),
        }
    }
}

/// # Safety
/// As above, with 16 rows.
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn start_tokens<B: PanelBlock, const TOKENS: usize, const PARTS: usize, const MINIMUM: bool>(
    matrix: &Matrix<'_>,
    panel: &mut [u8],
    tile: &Tile<'_>,
    ahead: &[u8],
    sums: &mut TileSums,
) {
    let group_bytes = (STEPS + PARTS * (1 + MINIMUM as usize)) * LINE;
    let blocks = matrix.row_bytes() / B::BYTES;
    let mut ahead = Ahead::new(ahead, blocks * B::GROUPS);
    let mut accumulators = [_mm512_setzero_ps(); TOKENS];
    for block in 0..blocks {
        // SAFETY: the matrix has 16 rows of so many blocks, the panel and the tile their groups.
        unsafe {
            let weights = panel.as_mut_ptr().add(block * B::GROUPS * group_bytes);
            let first = matrix.bytes().as_ptr().add(block * B::BYTES);
            B::unpack(first, matrix.row_bytes(), PanelGroup::new(weights, group_bytes));
            for group in 0..B::GROUPS {
                ahead.fetch();
                let weights = weights.add(group * group_bytes);
                let group = block * B::GROUPS + group;
                add_group::<TOKENS, PARTS, MINIMUM>(weights, tile, group, &mut accumulators);
            }
        }
    }
    store(accumulators, sums);
}

/// Adds the products of a group.
///
/// # Safety
/// A group of a panel with so many parts, and minimums or not; the tile has `group`.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn add_group<const TOKENS: usize, const PARTS: usize, const MINIMUM: bool>(
    weights: *const u8,
    tile: &Tile<'_>,
    group: usize,
    accumulators: &mut [__m512; TOKENS],
) {
    // SAFETY: a tile has 8 tokens of a group.
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

#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn store<const TOKENS: usize>(accumulators: [__m512; TOKENS], sums: &mut TileSums) {
    for (sums, accumulator) in sums.iter_mut().zip(accumulators) {
        const { assert!(PANEL_ROWS == 16) };
        // SAFETY: 16 floats.
        unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), accumulator) };
    }
}

/// Left alone, the compiler puts the dots of one token behind another's, and the last chain has nothing beside it.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn placed_here(mut dot: __m512i) -> __m512i {
    // SAFETY: no instruction; the order of such blocks is kept.
    unsafe { std::arch::asm!("/* {0} */", inout(zmm_reg) dot, options(nomem, nostack, preserves_flags)) };
    dot
}

/// Fetches bytes into the second-level cache, a part of them for every group.
struct Ahead<'a> {
    bytes: &'a [u8],
    /// A group's part.
    step: usize,
    wanted: usize,
    fetched: usize,
}

impl<'a> Ahead<'a> {
    #[inline]
    fn new(bytes: &'a [u8], groups: usize) -> Self {
        Self {
            bytes,
            step: bytes.len().div_ceil(groups.max(1)),
            wanted: 0,
            fetched: 0,
        }
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    fn fetch(&mut self) {
        self.wanted += self.step;
        while self.fetched < self.wanted {
            _mm_prefetch(self.bytes.as_ptr().wrapping_add(self.fetched).cast(), _MM_HINT_T1);
            self.fetched += LINE;
        }
    }
}

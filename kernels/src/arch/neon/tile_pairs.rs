use std::arch::aarch64::*;

use super::dot::dot_pairs;
use super::numbers::zero;
use super::panel::{BLOCK_BYTES, BLOCK_ROWS, BLOCK_TOKENS, Layout, group_bytes, numbers_at};
use crate::arch::products::{TILE_TOKENS, Tile, TileSums};
use crate::unpack::GROUP;

/// Eight columns of all 4 pairs of rows of a block, then the next eight.
pub(super) enum Pairs {}

const ROW_PAIRS: usize = BLOCK_ROWS / 2;
const TOKEN_PAIRS: usize = BLOCK_TOKENS / 2;
const STEP_BYTES: usize = BLOCK_ROWS * 8;

impl Layout for Pairs {
    fn place(row: usize, column: usize) -> usize {
        row / BLOCK_ROWS * BLOCK_BYTES + column / 8 * STEP_BYTES + row % BLOCK_ROWS * 8 + column % 8
    }

    #[inline(always)]
    unsafe fn store(group: *mut u8, row: usize, values: [[int8x16_t; 2]; 4]) {
        for (pair, [a, b]) in values.as_chunks::<2>().0.iter().enumerate() {
            for (half, (a, b)) in a.iter().zip(b).enumerate() {
                for (step, columns) in eights(*a, *b).into_iter().enumerate() {
                    let place = Self::place(row + pair * 2, half * 16 + step * 8);
                    // SAFETY: as the caller promises.
                    unsafe { vst1q_s8(group.add(place).cast(), columns) };
                }
            }
        }
    }

    #[inline]
    unsafe fn multiply_block<const PARTS: usize, const MINIMUM: bool>(
        panel: &[u8],
        block: usize,
        tile: &Tile<'_>,
        first: usize,
        sums: &mut TileSums,
    ) {
        // SAFETY: as the caller promises.
        unsafe { multiply::<PARTS, MINIMUM>(panel, block, tile, first, sums) }
    }
}

/// Lanes of all sums and products: [row 0 token 0, row 0 token 1, row 1 token 0, row 1 token 1] of a pair of each.
///
/// # Safety
/// As [`Layout::multiply_block`].
#[target_feature(enable = "neon,i8mm")]
unsafe fn multiply<const PARTS: usize, const MINIMUM: bool>(
    panel: &[u8],
    block: usize,
    tile: &Tile<'_>,
    first: usize,
    sums: &mut TileSums,
) {
    let group_bytes = const { group_bytes(PARTS, MINIMUM) };
    let mut accumulators = [[zero(); TOKEN_PAIRS]; ROW_PAIRS];
    for (group, weights) in panel.chunks_exact(group_bytes).enumerate() {
        let slot = group * TILE_TOKENS + first;
        for part in 0..PARTS {
            let mut dots = [[vdupq_n_s32(0); TOKEN_PAIRS]; ROW_PAIRS];
            for half in part * 2 / PARTS..(part + 1) * 2 / PARTS {
                let x: [[int8x16_t; 2]; TOKEN_PAIRS] = std::array::from_fn(|pair| {
                    // SAFETY: the tile has 32 values of each of 8 tokens.
                    let x = |token: usize| unsafe {
                        vld1q_s8(tile.values.as_ptr().add((slot + pair * 2 + token) * GROUP + half * 16))
                    };
                    eights(x(0), x(1))
                });
                for step in 0..2 {
                    let weights = &weights[block * BLOCK_BYTES + (half * 2 + step) * STEP_BYTES..][..STEP_BYTES];
                    for (weights, dots) in weights.as_chunks::<16>().0.iter().zip(&mut dots) {
                        // SAFETY: 16 bytes.
                        let weights = unsafe { vld1q_s8(weights.as_ptr().cast()) };
                        for (x, dot) in x.iter().zip(dots) {
                            *dot = dot_pairs(*dot, weights, x[step]);
                        }
                    }
                }
            }
            let scales = of_rows(weights, block, part);
            let dx = of_tokens(&tile.scales[slot..]);
            let mut products = [[zero(); TOKEN_PAIRS]; ROW_PAIRS];
            for ((products, scale), dots) in products.iter_mut().zip(scales).zip(dots) {
                for ((product, dx), dot) in products.iter_mut().zip(dx).zip(dots) {
                    *product = vmulq_f32(vcvtq_f32_s32(dot), vmulq_f32(scale, dx));
                }
            }
            if MINIMUM {
                let minimums = of_rows(weights, block, PARTS + part);
                let weighted = of_tokens(&tile.weighted[(group * PARTS + part) * TILE_TOKENS + first..]);
                for (products, minimum) in products.iter_mut().zip(minimums) {
                    for (product, weighted) in products.iter_mut().zip(weighted) {
                        *product = vfmaq_f32(*product, minimum, weighted);
                    }
                }
            }
            for (accumulators, products) in accumulators.iter_mut().zip(products) {
                for (accumulator, product) in accumulators.iter_mut().zip(products) {
                    *accumulator = vaddq_f32(*accumulator, product);
                }
            }
        }
    }
    for (row_pair, accumulators) in accumulators.into_iter().enumerate() {
        for (token_pair, accumulator) in accumulators.into_iter().enumerate() {
            let mut lanes = [0.0f32; 4];
            // SAFETY: four floats.
            unsafe { vst1q_f32(lanes.as_mut_ptr(), accumulator) };
            for (lane, sum) in lanes.into_iter().enumerate() {
                sums[first + token_pair * 2 + lane % 2][block * BLOCK_ROWS + row_pair * 2 + lane / 2] = sum;
            }
        }
    }
}

/// Scales or minimums of the rows of a block, each twice.
#[inline(always)]
fn of_rows(group: &[u8], block: usize, index: usize) -> [float32x4_t; ROW_PAIRS] {
    let from = group[numbers_at(index) + 4 * block * BLOCK_ROWS..][..4 * BLOCK_ROWS].as_ptr();
    // SAFETY: 8 floats.
    unsafe {
        let (a, b) = (vld1q_f32(from.cast()), vld1q_f32(from.add(16).cast()));
        [vzip1q_f32(a, a), vzip2q_f32(a, a), vzip1q_f32(b, b), vzip2q_f32(b, b)]
    }
}

/// Numbers of the first 4 tokens in pairs, each pair twice.
#[inline(always)]
fn of_tokens(numbers: &[f32]) -> [float32x4_t; TOKEN_PAIRS] {
    let from = numbers[..BLOCK_TOKENS].as_ptr();
    // SAFETY: 4 floats.
    unsafe {
        let x = vreinterpretq_u64_f32(vld1q_f32(from));
        [vzip1q_u64(x, x), vzip2q_u64(x, x)].map(|x| vreinterpretq_f32_u64(x))
    }
}

/// The first 8 bytes of both, the last 8 bytes of both.
#[inline(always)]
fn eights(a: int8x16_t, b: int8x16_t) -> [int8x16_t; 2] {
    // SAFETY: part of the target.
    unsafe {
        let (a, b) = (vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b));
        [vzip1q_s64(a, b), vzip2q_s64(a, b)].map(|x| vreinterpretq_s8_s64(x))
    }
}

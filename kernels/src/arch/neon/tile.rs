use std::arch::aarch64::*;

use super::dot::dot_lane;
use super::numbers::zero;
use super::panel::{BLOCK_BYTES, BLOCK_ROWS, BLOCK_TOKENS, Layout, group_bytes, numbers_at};
use crate::arch::products::{TILE_TOKENS, Tile, TileSums};
use crate::unpack::GROUP;

/// Four columns of all 8 rows of a block, lane = row, then the next four.
pub(super) enum Rows {}

/// Vectors of a block's rows.
const VECTORS: usize = BLOCK_ROWS / 4;
const STEP_BYTES: usize = BLOCK_ROWS * 4;

impl Layout for Rows {
    fn place(row: usize, column: usize) -> usize {
        row / BLOCK_ROWS * BLOCK_BYTES + column / 4 * STEP_BYTES + row % BLOCK_ROWS * 4 + column % 4
    }

    #[inline(always)]
    unsafe fn store(group: *mut u8, row: usize, values: [[int8x16_t; 2]; 4]) {
        for half in 0..2 {
            let columns = transpose(values.map(|values| values[half]));
            for (step, columns) in columns.into_iter().enumerate() {
                // SAFETY: as the caller promises.
                unsafe { vst1q_s8(group.add(Self::place(row, half * 16 + step * 4)).cast(), columns) };
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

/// # Safety
/// As [`Layout::multiply_block`].
#[target_feature(enable = "neon,dotprod")]
unsafe fn multiply<const PARTS: usize, const MINIMUM: bool>(
    panel: &[u8],
    block: usize,
    tile: &Tile<'_>,
    first: usize,
    sums: &mut TileSums,
) {
    let group_bytes = const { group_bytes(PARTS, MINIMUM) };
    let mut accumulators = [[zero(); VECTORS]; BLOCK_TOKENS];
    for (group, weights) in panel.chunks_exact(group_bytes).enumerate() {
        let slot = group * TILE_TOKENS + first;
        for part in 0..PARTS {
            let mut dots = [[vdupq_n_s32(0); VECTORS]; BLOCK_TOKENS];
            for half in part * 2 / PARTS..(part + 1) * 2 / PARTS {
                // SAFETY: the group has the block, the tile 32 values of each of 8 tokens.
                unsafe {
                    let x: [int8x16_t; BLOCK_TOKENS] = std::array::from_fn(|token| {
                        vld1q_s8(tile.values.as_ptr().add((slot + token) * GROUP + half * 16))
                    });
                    let weights = weights.as_ptr().add(block * BLOCK_BYTES + half * 4 * STEP_BYTES);
                    step::<0>(weights, &x, &mut dots);
                    step::<1>(weights, &x, &mut dots);
                    step::<2>(weights, &x, &mut dots);
                    step::<3>(weights, &x, &mut dots);
                }
            }
            let numbers = |index: usize| -> [float32x4_t; VECTORS] {
                let from = weights[numbers_at(index) + 4 * block * BLOCK_ROWS..][..4 * BLOCK_ROWS].as_ptr();
                // SAFETY: 8 floats.
                std::array::from_fn(|i| unsafe { vld1q_f32(from.cast::<f32>().add(4 * i)) })
            };
            let scales = numbers(part);
            // SAFETY: a tile has 8 scales of a group.
            let dx = unsafe { vld1q_f32(tile.scales.as_ptr().add(slot)) };
            let mut products = [[zero(); VECTORS]; BLOCK_TOKENS];
            for (token, products) in products.iter_mut().enumerate() {
                let dx = lane(dx, token);
                for ((product, scale), dots) in products.iter_mut().zip(scales).zip(dots[token]) {
                    *product = vmulq_f32(vcvtq_f32_s32(dots), vmulq_n_f32(scale, dx));
                }
            }
            if MINIMUM {
                let minimums = numbers(PARTS + part);
                let at = (group * PARTS + part) * TILE_TOKENS + first;
                // SAFETY: with a minimum a tile has 8 weighted sums of a part.
                let weighted = unsafe { vld1q_f32(tile.weighted.as_ptr().add(at)) };
                for (token, products) in products.iter_mut().enumerate() {
                    for (product, minimum) in products.iter_mut().zip(minimums) {
                        *product = vfmaq_n_f32(*product, minimum, lane(weighted, token));
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
    for (sums, accumulators) in sums[first..].iter_mut().zip(accumulators) {
        for (sums, accumulator) in sums[block * BLOCK_ROWS..]
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .zip(accumulators)
        {
            // SAFETY: four floats.
            unsafe { vst1q_f32(sums.as_mut_ptr(), accumulator) };
        }
    }
}

/// Four columns, those of lane `STEP` of `x`.
///
/// # Safety
/// The columns can be read.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn step<const STEP: usize>(
    weights: *const u8,
    x: &[int8x16_t; BLOCK_TOKENS],
    dots: &mut [[int32x4_t; VECTORS]; BLOCK_TOKENS],
) {
    for vector in 0..VECTORS {
        // SAFETY: as the caller promises.
        let weights = unsafe { vld1q_s8(weights.add(STEP * STEP_BYTES + vector * 16).cast()) };
        for (x, dots) in x.iter().zip(&mut *dots) {
            dots[vector] = dot_lane::<STEP>(dots[vector], weights, *x);
        }
    }
}

#[inline(always)]
fn lane(x: float32x4_t, index: usize) -> f32 {
    // SAFETY: part of the target.
    unsafe {
        match index {
            0 => vgetq_lane_f32::<0>(x),
            1 => vgetq_lane_f32::<1>(x),
            2 => vgetq_lane_f32::<2>(x),
            _ => vgetq_lane_f32::<3>(x),
        }
    }
}

/// Dword l of vector k becomes dword k of vector l.
#[inline(always)]
fn transpose(x: [int8x16_t; 4]) -> [int8x16_t; 4] {
    // SAFETY: part of the target.
    unsafe {
        let [a, b, c, d] = x.map(|x| vreinterpretq_s32_s8(x));
        let (even, odd) = (vzip1q_s32(a, c), vzip1q_s32(b, d));
        let (even_last, odd_last) = (vzip2q_s32(a, c), vzip2q_s32(b, d));
        let columns = [
            vzip1q_s32(even, odd),
            vzip2q_s32(even, odd),
            vzip1q_s32(even_last, odd_last),
            vzip2q_s32(even_last, odd_last),
        ];
        columns.map(|x| vreinterpretq_s8_s32(x))
    }
}

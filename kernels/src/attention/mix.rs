use std::ops::Range;

use super::score::{AHEAD, Scores, ask_ahead, columns};
use super::source::{Floats, Plain, ValueSource, Whole};
use crate::arch::lanes::{Kernel, LANES, Lanes};
use crate::cache::tile::BLOCK;
use crate::cache::{CacheType, PAGE_TOKENS};

/// Values of a tile.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    Kept(CacheType, &'a [u8]),
    Plain(&'a [[f32; LANES]]),
}

/// Which weights are added up, and onto what.
pub struct Sums<'a> {
    /// Rows `first..first + rows` of the weights and of `sums`.
    pub first: usize,
    pub rows: usize,
    /// Positions in the tile.
    pub tokens: Range<usize>,
    pub weights: &'a Scores,
    /// (rows, stride) f32, stride being the padded dimensions of a value.
    pub sums: &'a mut [f32],
    pub stride: usize,
    /// Bytes that will be needed next.
    pub ahead: &'a [u8],
}

/// Adds weighted values to the sums: per element one chain of fma over the positions in order.
#[inline(always)]
pub fn mix<L: Lanes>(lanes: L, values: Values<'_>, mut sums: Sums<'_>) {
    if sums.tokens.is_empty() {
        return;
    }
    for block in 0..sums.stride.div_ceil(BLOCK) {
        let width = (sums.stride - block * BLOCK).min(BLOCK) / LANES;
        match values {
            Values::Kept(CacheType::F32, tile) => {
                by_rows(lanes, Floats::<64>::values(tile, block, width), block, width, &mut sums);
            }
            Values::Kept(CacheType::F16, tile) => {
                by_rows(lanes, Floats::<32>::values(tile, block, width), block, width, &mut sums);
            }
            Values::Kept(CacheType::Q8_0, tile) => {
                by_rows(lanes, Whole::<8>::values(tile, block, width), block, width, &mut sums);
            }
            Values::Kept(CacheType::Q4_0, tile) => {
                by_rows(lanes, Whole::<4>::values(tile, block, width), block, width, &mut sums);
            }
            Values::Plain(vectors) => {
                let vectors = &vectors[block * BLOCK / LANES * PAGE_TOKENS..];
                by_rows(lanes, Plain { vectors, width }, block, width, &mut sums);
            }
        }
    }
}

#[inline(always)]
fn by_rows<L: Lanes, V: ValueSource>(lanes: L, values: V, block: usize, width: usize, sums: &mut Sums<'_>) {
    macro_rules! call {
        ($rows:literal) => {
            lanes.call(Mix::<V, $rows> {
                values,
                width,
                tokens: sums.tokens.clone(),
                weights: sums.weights,
                first: sums.first,
                sums: &mut sums.sums[sums.first * sums.stride + block * BLOCK..],
                stride: sums.stride,
                ahead: sums.ahead.get(block * BLOCK * AHEAD..).unwrap_or(&[]),
            })
        };
    }
    match sums.rows {
        1 => call!(1),
        2 => call!(2),
        3 => call!(3),
        4 => call!(4),
        5 => call!(5),
        6 => call!(6),
        7 => call!(7),
        _ => call!(8),
    }
}

struct Mix<'a, V, const R: usize> {
    values: V,
    /// Vectors.
    width: usize,
    tokens: Range<usize>,
    weights: &'a Scores,
    first: usize,
    sums: &'a mut [f32],
    stride: usize,
    ahead: &'a [u8],
}

impl<V: ValueSource, const R: usize> Kernel for Mix<'_, V, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let most = columns(L::REGISTERS, R);
        let mut column = 0;
        while column < self.width {
            let left = self.width - column;
            column += if most >= 4 && left >= 4 {
                self.columns::<L, 4>(lanes, column)
            } else if most >= 2 && left >= 2 {
                self.columns::<L, 2>(lanes, column)
            } else {
                self.columns::<L, 1>(lanes, column)
            };
        }
    }
}

impl<V: ValueSource, const R: usize> Mix<'_, V, R> {
    /// `C` vectors of dimensions from vector `column` on.
    #[allow(
        clippy::needless_range_loop,
        reason = "loops over constant ranges keep the sums in registers"
    )]
    #[inline(always)]
    fn columns<L: Lanes, const C: usize>(&mut self, lanes: L, column: usize) -> usize {
        let weights = &self.weights[self.first..][..R];
        let mut sums = [[lanes.splat(0.0); C]; R];
        for index in 0..R {
            let from = self.sums[index * self.stride + column * LANES..].as_chunks().0;
            for offset in 0..C {
                sums[index][offset] = lanes.load(&from[offset]);
            }
        }
        for token in self.tokens.start..self.tokens.end.min(PAGE_TOKENS) {
            if column == 0 {
                ask_ahead(lanes, self.ahead, token);
            }
            let row = self.values.row(token);
            for offset in 0..C {
                let scale = self.values.scale(lanes, token, column + offset);
                let value = V::load(lanes, row, column + offset, scale);
                for index in 0..R {
                    let weight = lanes.splat(weights[index][token]);
                    sums[index][offset] = lanes.fma(weight, value, sums[index][offset]);
                }
            }
        }
        for index in 0..R {
            let to = self.sums[index * self.stride + column * LANES..].as_chunks_mut().0;
            for offset in 0..C {
                lanes.store(sums[index][offset], &mut to[offset]);
            }
        }
        C
    }
}

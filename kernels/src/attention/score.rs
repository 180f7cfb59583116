use super::source::{COLUMNS, Floats, KeySource, Plain, Whole};
use crate::arch::lanes::{Kernel, LANES, Lanes};
use crate::cache::tile::GROUP;
use crate::cache::{CacheType, PAGE_TOKENS};

/// Query rows that are multiplied together at most.
pub const MOST_ROWS: usize = 8;
/// Rows of a group when there are many: as many as leave most registers to sums of four vectors.
pub const USUAL_ROWS: usize = 6;

/// Scores, then weights, of a group of query rows at the positions of a tile.
pub type Scores = [[f32; PAGE_TOKENS]; MOST_ROWS];

/// Keys of a tile.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    Kept(CacheType, &'a [u8]),
    Plain(&'a [[f32; LANES]]),
}

/// Bytes that are asked for per dimension or position, ahead of their use. They come in step with the arithmetic:
/// a burst per tile would be slower than none.
pub const AHEAD: usize = 128;

/// Asks for part `step` of the bytes that come next.
#[inline(always)]
pub fn ask_ahead<L: Lanes>(lanes: L, ahead: &[u8], step: usize) {
    if step * AHEAD < ahead.len() {
        for line in 0..AHEAD / 64 {
            lanes.prefetch(ahead, step * AHEAD + line * 64);
        }
    }
}

/// Vectors whose sums for `rows` rows fit the registers.
pub const fn columns(registers: usize, rows: usize) -> usize {
    match (registers, rows) {
        (32.., ..=7) | (_, 1) => 4,
        (32.., _) | (_, 2 | 3) => 2,
        _ => 1,
    }
}

/// Products of `rows` query rows with all keys of a tile; `query` is (key_dim, rows) f32.
/// Each is one chain of fma over the dimensions in order, whatever is computed beside it.
#[inline(always)]
pub fn score<L: Lanes>(lanes: L, keys: Keys<'_>, rows: usize, query: &[f32], scores: &mut Scores, ahead: &[u8]) {
    match keys {
        Keys::Kept(CacheType::F32, tile) => by_rows(lanes, Floats::<64>::keys(tile), rows, query, scores, ahead),
        Keys::Kept(CacheType::F16, tile) => by_rows(lanes, Floats::<32>::keys(tile), rows, query, scores, ahead),
        Keys::Kept(CacheType::Q8_0, tile) => by_rows(lanes, Whole::<8>::keys(tile), rows, query, scores, ahead),
        Keys::Kept(CacheType::Q4_0, tile) => by_rows(lanes, Whole::<4>::keys(tile), rows, query, scores, ahead),
        Keys::Plain(vectors) => by_rows(lanes, Plain { vectors, width: 0 }, rows, query, scores, ahead),
    }
}

#[inline(always)]
fn by_rows<L: Lanes, S: KeySource>(lanes: L, keys: S, rows: usize, query: &[f32], scores: &mut Scores, ahead: &[u8]) {
    match rows {
        1 => lanes.call(Score::<S, 1> {
            keys,
            query,
            scores,
            ahead,
        }),
        2 => lanes.call(Score::<S, 2> {
            keys,
            query,
            scores,
            ahead,
        }),
        3 => lanes.call(Score::<S, 3> {
            keys,
            query,
            scores,
            ahead,
        }),
        4 => lanes.call(Score::<S, 4> {
            keys,
            query,
            scores,
            ahead,
        }),
        5 => lanes.call(Score::<S, 5> {
            keys,
            query,
            scores,
            ahead,
        }),
        6 => lanes.call(Score::<S, 6> {
            keys,
            query,
            scores,
            ahead,
        }),
        7 => lanes.call(Score::<S, 7> {
            keys,
            query,
            scores,
            ahead,
        }),
        _ => lanes.call(Score::<S, 8> {
            keys,
            query,
            scores,
            ahead,
        }),
    }
}

struct Score<'a, S, const R: usize> {
    keys: S,
    query: &'a [f32],
    scores: &'a mut Scores,
    /// Bytes that will be needed next.
    ahead: &'a [u8],
}

impl<S: KeySource, const R: usize> Kernel for Score<'_, S, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        match columns(L::REGISTERS, R) {
            4 => self.columns::<L, 4>(lanes),
            2 => self.columns::<L, 2>(lanes),
            _ => self.columns::<L, 1>(lanes),
        }
    }
}

impl<S: KeySource, const R: usize> Score<'_, S, R> {
    /// `C` vectors of tokens at a time.
    #[allow(
        clippy::needless_range_loop,
        reason = "loops over constant ranges keep the sums in registers"
    )]
    #[inline(always)]
    fn columns<L: Lanes, const C: usize>(self, lanes: L) {
        let zero = lanes.splat(0.0);
        for first in (0..COLUMNS).step_by(C) {
            let mut sums = [[zero; C]; R];
            for (group, query) in self.query.chunks(GROUP * R).enumerate() {
                let mut scales = [zero; C];
                for column in 0..C {
                    scales[column] = self.keys.scale(lanes, group, first + column);
                }
                let rows = self.keys.rows(group).iter().zip(query.as_chunks::<R>().0);
                for (index, (row, query)) in rows.enumerate() {
                    if first == 0 {
                        ask_ahead(lanes, self.ahead, group * GROUP + index);
                    }
                    for column in 0..C {
                        let key = S::load(lanes, row, first + column, scales[column]);
                        for index in 0..R {
                            sums[index][column] = lanes.fma(lanes.splat(query[index]), key, sums[index][column]);
                        }
                    }
                }
            }
            for index in 0..R {
                let scores = self.scores[index].as_chunks_mut().0;
                for column in 0..C {
                    lanes.store(sums[index][column], &mut scores[first + column]);
                }
            }
        }
    }
}

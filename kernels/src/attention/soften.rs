use super::score::{MOST_ROWS, Scores};
use super::source::COLUMNS;
use crate::arch::lanes::{LANES, Lanes};
use crate::cache::PAGE_TOKENS;
use crate::exponential::{exponential, hyperbolic_tangent};

/// A query row at one tile.
#[derive(Clone, Copy, Default)]
pub struct View<'a> {
    /// Positions of the tile that it sees, `low..high`.
    pub low: usize,
    pub high: usize,
    /// Position of the tile's first token less the row's.
    pub distance: f32,
    /// Of ALiBi.
    pub slope: f32,
    /// Added to the scores.
    pub bias: Option<&'a [f32; PAGE_TOKENS]>,
}

impl View<'_> {
    pub const fn is_empty(&self) -> bool {
        self.low >= self.high
    }

    const fn is_full(&self) -> bool {
        self.low == 0 && self.high == PAGE_TOKENS
    }
}

/// Per row a number; up to `MOST_ROWS` are in use.
pub type PerRow = [f32; LANES];

/// What soft-max has seen so far of some rows: the largest scores, and the sums of e^(score - largest).
pub struct Seen {
    pub largest: PerRow,
    pub sums: PerRow,
}

/// Turns scores into weights e^(score - largest), 0 outside a row's view. Gives the factors for all earlier weights;
/// those of rows whose view is empty, and what is seen of them, mean nothing.
#[inline(always)]
pub fn soften<L: Lanes>(
    lanes: L,
    scores: &mut Scores,
    views: &[View<'_>],
    softcap: Option<f32>,
    seen: &mut Seen,
) -> PerRow {
    let mut tile = [f32::NEG_INFINITY; LANES];
    for (row, view) in views.iter().enumerate().take(MOST_ROWS) {
        let scores = &mut scores[row];
        if softcap.is_some() || view.slope != 0.0 || view.bias.is_some() || !view.is_full() {
            adjust(lanes, scores, view, softcap);
        }
        let scores = scores.as_chunks::<LANES>().0;
        let left = lanes.max(lanes.load(&scores[0]), lanes.load(&scores[1]));
        let right = lanes.max(lanes.load(&scores[2]), lanes.load(&scores[3]));
        tile[row] = lanes.largest(lanes.max(left, right));
    }
    // The rows side by side.
    let before = lanes.load(&seen.largest);
    let largest = lanes.max(before, lanes.load(&tile));
    lanes.store(largest, &mut seen.largest);
    let factor = exponential(lanes, lanes.sub(before, largest));
    let mut added = [0.0; LANES];
    for row in 0..views.len().min(MOST_ROWS) {
        let shift = lanes.splat(seen.largest[row]);
        let scores = scores[row].as_chunks_mut::<LANES>().0;
        let mut weights = [shift; COLUMNS];
        for column in 0..COLUMNS {
            weights[column] = exponential(lanes, lanes.sub(lanes.load(&scores[column]), shift));
            lanes.store(weights[column], &mut scores[column]);
        }
        let left = lanes.add(weights[0], weights[1]);
        let right = lanes.add(weights[2], weights[3]);
        added[row] = lanes.sum(lanes.add(left, right));
    }
    let sums = lanes.mul(lanes.load(&seen.sums), factor);
    lanes.store(lanes.add(sums, lanes.load(&added)), &mut seen.sums);
    let mut factors = [0.0; LANES];
    lanes.store(factor, &mut factors);
    factors
}

/// Everything between a product and soft-max; scores outside the view become -infinity.
#[inline(always)]
fn adjust<L: Lanes>(lanes: L, scores: &mut [f32; PAGE_TOKENS], view: &View<'_>, softcap: Option<f32>) {
    const INDICES: [[f32; LANES]; COLUMNS] = {
        let mut indices = [[0.0; LANES]; COLUMNS];
        let mut token = 0;
        while token < PAGE_TOKENS {
            indices[token / LANES][token % LANES] = token as f32;
            token += 1;
        }
        indices
    };
    let zero = lanes.splat(0.0);
    let hidden = lanes.splat(f32::NEG_INFINITY);
    let low = lanes.splat(view.low as f32);
    let high = lanes.splat(view.high as f32);
    for (column, scores) in scores.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let index = lanes.load(&INDICES[column]);
        let mut score = lanes.load(scores);
        if let Some(cap) = softcap {
            let cap = lanes.splat(cap);
            score = lanes.mul(cap, hyperbolic_tangent(lanes, lanes.div(score, cap)));
        }
        if view.slope != 0.0 {
            let distance = lanes.add(index, lanes.splat(view.distance));
            let negative = lanes.select_less(distance, zero, distance, lanes.sub(zero, distance));
            score = lanes.fma(lanes.splat(view.slope), negative, score);
        }
        if let Some(bias) = view.bias {
            score = lanes.add(score, lanes.load(&bias.as_chunks::<LANES>().0[column]));
        }
        let seen = lanes.select_less(index, high, score, hidden);
        lanes.store(lanes.select_less(index, low, hidden, seen), scores);
    }
}

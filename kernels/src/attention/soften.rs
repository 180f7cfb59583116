use super::source::COLUMNS;
use crate::arch::lanes::{LANES, Lanes};
use crate::cache::PAGE_TOKENS;
use crate::exponential::{exponential, hyperbolic_tangent};

/// A query row at one tile.
pub struct View<'a> {
    /// Positions of the tile that it sees, `low..high`, not empty.
    pub low: usize,
    pub high: usize,
    /// Position of the tile's first token less the row's.
    pub distance: f32,
    /// Of ALiBi.
    pub slope: f32,
    /// Added to the scores.
    pub bias: Option<&'a [f32; PAGE_TOKENS]>,
}

/// What soft-max has seen so far of a row: the largest score, and the sum of e^(score - largest).
#[derive(Clone, Copy)]
pub struct Seen {
    pub largest: f32,
    pub sum: f32,
}

/// Turns scores into weights e^(score - largest), 0 outside the view. Gives the factor for all earlier weights.
#[inline(always)]
pub fn soften<L: Lanes>(
    lanes: L,
    scores: &mut [f32; PAGE_TOKENS],
    view: &View<'_>,
    softcap: Option<f32>,
    seen: &mut Seen,
) -> f32 {
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
    let scores = scores.as_chunks_mut::<LANES>().0;
    let mut vectors = [hidden; COLUMNS];
    for column in 0..COLUMNS {
        let index = lanes.load(&INDICES[column]);
        let mut score = lanes.load(&scores[column]);
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
        vectors[column] = lanes.select_less(index, low, hidden, seen);
    }
    let pairs = [lanes.max(vectors[0], vectors[1]), lanes.max(vectors[2], vectors[3])];
    let tile = lanes.largest(lanes.max(pairs[0], pairs[1]));
    let largest = if seen.largest > tile { seen.largest } else { tile };
    let shift = lanes.splat(largest);
    for column in 0..COLUMNS {
        vectors[column] = exponential(lanes, lanes.sub(vectors[column], shift));
        lanes.store(vectors[column], &mut scores[column]);
    }
    let sum = lanes.sum(lanes.add(lanes.add(vectors[0], vectors[1]), lanes.add(vectors[2], vectors[3])));
    let factor = exponential_of(lanes, seen.largest - largest);
    *seen = Seen {
        largest,
        sum: seen.sum * factor + sum,
    };
    factor
}

#[inline(always)]
pub fn exponential_of<L: Lanes>(lanes: L, x: f32) -> f32 {
    let mut result = [0.0; LANES];
    lanes.store(exponential(lanes, lanes.splat(x)), &mut result);
    result[0]
}

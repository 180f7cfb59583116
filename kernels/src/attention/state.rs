use super::soften::{PerRow, Seen};
use crate::arch::lanes::{LANES, Lanes};
use crate::exponential::exponential;

/// Attention of some query rows over some positions: per row the largest score, the sum of weights, and the
/// weighted sum of values, (rows, stride) f32. All in one buffer.
pub struct State<'a> {
    /// Both (rows, padded to whole vectors).
    largest: &'a mut [[f32; LANES]],
    weights: &'a mut [[f32; LANES]],
    pub sums: &'a mut [f32],
}

/// Numbers that a state of `rows` rows takes.
pub const fn state_length(rows: usize, stride: usize) -> usize {
    rows * stride + 2 * rows.next_multiple_of(LANES)
}

impl<'a> State<'a> {
    #[inline(always)]
    pub fn new(buffer: &'a mut [f32], rows: usize) -> Self {
        let padded = rows.next_multiple_of(LANES);
        let (largest, rest) = buffer.split_at_mut(padded);
        let (weights, sums) = rest.split_at_mut(padded);
        Self {
            largest: largest.as_chunks_mut().0,
            weights: weights.as_chunks_mut().0,
            sums,
        }
    }

    #[inline(always)]
    pub fn clear(&mut self) {
        self.largest.as_flattened_mut().fill(f32::NEG_INFINITY);
        self.weights.as_flattened_mut().fill(0.0);
        self.sums.fill(0.0);
    }

    /// What was seen of `count` rows from `first` on.
    #[inline(always)]
    pub fn seen(&self, first: usize, count: usize) -> Seen {
        let mut seen = Seen {
            largest: [0.0; LANES],
            sums: [0.0; LANES],
        };
        seen.largest[..count].copy_from_slice(&self.largest.as_flattened()[first..first + count]);
        seen.sums[..count].copy_from_slice(&self.weights.as_flattened()[first..first + count]);
        seen
    }

    /// Takes over what is seen of row `row`, number `index` of its group, and shrinks its earlier values.
    #[inline(always)]
    pub fn update<L: Lanes>(
        &mut self,
        lanes: L,
        row: usize,
        index: usize,
        seen: &Seen,
        factors: &PerRow,
        stride: usize,
    ) {
        self.largest.as_flattened_mut()[row] = seen.largest[index];
        self.weights.as_flattened_mut()[row] = seen.sums[index];
        if factors[index] != 1.0 {
            let factor = lanes.splat(factors[index]);
            for vector in self.sums[row * stride..][..stride].as_chunks_mut::<LANES>().0 {
                lanes.store(lanes.mul(lanes.load(vector), factor), vector);
            }
        }
    }

    /// Takes in what `other`, over later positions, has of the rows that `takes` says; `first` says of which there was
    /// nothing before.
    #[inline(always)]
    pub fn merge<L: Lanes>(
        &mut self,
        lanes: L,
        other: &State<'_>,
        stride: usize,
        rows: usize,
        takes: impl Fn(usize) -> bool,
        first: impl Fn(usize) -> bool,
    ) {
        for block in 0..self.largest.len() {
            // The rows of a vector side by side.
            let before = lanes.load(&self.largest[block]);
            let after = lanes.load(&other.largest[block]);
            let largest = lanes.max(before, after);
            let keep = exponential(lanes, lanes.sub(before, largest));
            let take = exponential(lanes, lanes.sub(after, largest));
            let kept = lanes.mul(lanes.load(&self.weights[block]), keep);
            let weights = lanes.fma(lanes.load(&other.weights[block]), take, kept);
            let [mut largests, mut sums, mut keeps, mut takens] = [[0.0; LANES]; 4];
            lanes.store(largest, &mut largests);
            lanes.store(weights, &mut sums);
            lanes.store(keep, &mut keeps);
            lanes.store(take, &mut takens);
            for index in 0..LANES.min(rows - block * LANES) {
                let row = block * LANES + index;
                if !takes(row) {
                    continue;
                }
                let own = &mut self.sums[row * stride..][..stride];
                let from = &other.sums[row * stride..][..stride];
                if first(row) {
                    self.largest[block][index] = other.largest[block][index];
                    self.weights[block][index] = other.weights[block][index];
                    own.copy_from_slice(from);
                    continue;
                }
                self.largest[block][index] = largests[index];
                self.weights[block][index] = sums[index];
                let (keep, take) = (lanes.splat(keeps[index]), lanes.splat(takens[index]));
                for (own, from) in own
                    .as_chunks_mut::<LANES>()
                    .0
                    .iter_mut()
                    .zip(from.as_chunks::<LANES>().0)
                {
                    let kept = lanes.mul(lanes.load(own), keep);
                    lanes.store(lanes.fma(lanes.load(from), take, kept), own);
                }
            }
        }
    }

    /// The attention of a row, (value_dim,) f32; a sink takes part in the sum of weights only.
    #[inline(always)]
    pub fn finish_row<L: Lanes>(&self, lanes: L, row: usize, stride: usize, sink: Option<f32>, output: &mut [f32]) {
        let largest = self.largest.as_flattened()[row];
        let weights = self.weights.as_flattened()[row];
        let factor = match sink {
            None => 1.0 / weights,
            Some(sink) => {
                let both = if largest > sink { largest } else { sink };
                let mut powers = [0.0; LANES];
                powers[0] = largest - both;
                powers[1] = sink - both;
                let vector = exponential(lanes, lanes.load(&powers));
                lanes.store(vector, &mut powers);
                powers[0] / (weights * powers[0] + powers[1])
            }
        };
        for (output, sum) in output.iter_mut().zip(&self.sums[row * stride..][..stride]) {
            *output = sum * factor;
        }
    }
}

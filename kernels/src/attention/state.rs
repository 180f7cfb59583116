use super::soften::{Seen, exponential_of};
use crate::arch::lanes::{LANES, Lanes};

/// Attention of some query rows over some positions: per row the largest score and the sum of weights, then the
/// weighted sums of values, (rows, stride) f32. All in one buffer.
pub struct State<'a> {
    pub seen: &'a mut [[f32; 2]],
    pub sums: &'a mut [f32],
}

/// Numbers that a state of `rows` rows takes.
pub const fn state_length(rows: usize, stride: usize) -> usize {
    rows * (stride + 2)
}

impl<'a> State<'a> {
    #[inline(always)]
    pub fn new(buffer: &'a mut [f32], rows: usize) -> Self {
        let (seen, sums) = buffer.split_at_mut(2 * rows);
        Self {
            seen: seen.as_chunks_mut().0,
            sums,
        }
    }

    #[inline(always)]
    pub fn clear(&mut self) {
        self.seen.fill([f32::NEG_INFINITY, 0.0]);
        self.sums.fill(0.0);
    }

    #[inline(always)]
    pub fn seen(&self, row: usize) -> Seen {
        let [largest, sum] = self.seen[row];
        Seen { largest, sum }
    }

    #[inline(always)]
    pub fn set_seen(&mut self, row: usize, seen: Seen) {
        self.seen[row] = [seen.largest, seen.sum];
    }

    #[inline(always)]
    pub fn scale_row<L: Lanes>(&mut self, lanes: L, row: usize, stride: usize, factor: f32) {
        let factor = lanes.splat(factor);
        for vector in self.sums[row * stride..][..stride].as_chunks_mut::<LANES>().0 {
            lanes.store(lanes.mul(lanes.load(vector), factor), vector);
        }
    }

    /// Takes in what a row of `other`, over later positions, has; `first`: there was nothing before.
    #[inline(always)]
    pub fn merge_row<L: Lanes>(&mut self, lanes: L, row: usize, stride: usize, other: &State<'_>, first: bool) {
        let (old, new) = (self.seen(row), other.seen(row));
        let own = &mut self.sums[row * stride..][..stride];
        let from = &other.sums[row * stride..][..stride];
        if first {
            self.seen[row] = other.seen[row];
            own.copy_from_slice(from);
            return;
        }
        let largest = if old.largest > new.largest {
            old.largest
        } else {
            new.largest
        };
        let keep = exponential_of(lanes, old.largest - largest);
        let take = exponential_of(lanes, new.largest - largest);
        let sum = old.sum * keep + new.sum * take;
        let (keep, take) = (lanes.splat(keep), lanes.splat(take));
        for (own, from) in own
            .as_chunks_mut::<LANES>()
            .0
            .iter_mut()
            .zip(from.as_chunks::<LANES>().0)
        {
            let kept = lanes.mul(lanes.load(own), keep);
            lanes.store(lanes.fma(lanes.load(from), take, kept), own);
        }
        self.set_seen(row, Seen { largest, sum });
    }

    /// The attention of a row, (value_dim,) f32; a sink takes part in the sum of weights only.
    #[inline(always)]
    pub fn finish_row<L: Lanes>(&self, lanes: L, row: usize, stride: usize, sink: Option<f32>, output: &mut [f32]) {
        let seen = self.seen(row);
        let factor = match sink {
            None => 1.0 / seen.sum,
            Some(sink) => {
                let largest = if seen.largest > sink { seen.largest } else { sink };
                let keep = exponential_of(lanes, seen.largest - largest);
                keep / (seen.sum * keep + exponential_of(lanes, sink - largest))
            }
        };
        for (output, sum) in output.iter_mut().zip(&self.sums[row * stride..][..stride]) {
            *output = sum * factor;
        }
    }
}

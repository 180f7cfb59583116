use super::BLOCK;
use super::summary::Summaries;
use super::view::View;
use crate::arch::lanes::{Kernel, LANES, Lanes, run};
use crate::isa::Isa;

/// Survivors held before they are cut back: this many times the asked count, and at least so many.
const BUFFER_FACTOR: usize = 4;
const SMALLEST_BUFFER: usize = 1024;

/// The best of a row: falling logit, ties by lower id. Both (n,).
pub struct Ranked {
    pub ids: Vec<i32>,
    pub logits: Vec<f32>,
}

/// The `count` best of a row, all when it is shorter.
///
/// The count-th largest of the blocks' largest logits is a bound that as many tokens reach; only blocks that reach
/// it are looked at.
pub fn rank(isa: Isa, view: &View<'_>, summaries: &Summaries, count: usize) -> Ranked {
    let wanted = count.min(view.len());
    let mut survivors = Survivors::new(wanted, view.len(), bound(&summaries.largest, wanted));
    if wanted > 0 {
        let collect = Collect {
            view,
            largest: &summaries.largest,
            survivors: &mut survivors,
        };
        run(isa, collect);
    }
    survivors.finish(view, wanted)
}

/// The least logit that is worth a look; never minus infinity, as tokens without a chance are not ranked.
fn bound(largest: &[f32], wanted: usize) -> f32 {
    if wanted == 0 || wanted > largest.len() {
        return f32::MIN;
    }
    if wanted == 1 {
        return largest.iter().copied().fold(f32::MIN, f32::max);
    }
    let mut ordered: Vec<_> = largest.iter().map(|logit| order(*logit)).collect();
    let (_, at, _) = ordered.select_nth_unstable(largest.len() - wanted);
    unorder(*at).max(f32::MIN)
}

struct Survivors {
    /// Logit and id as one number: a larger logit, then a lower id, is larger.
    keys: Vec<u64>,
    /// Keys are cut back before they pass it.
    capacity: usize,
    wanted: usize,
    /// Tokens below it are not among the best.
    bound: f32,
}

impl Survivors {
    fn new(wanted: usize, all: usize, bound: f32) -> Self {
        let capacity = wanted.saturating_mul(BUFFER_FACTOR).max(SMALLEST_BUFFER).min(all) + LANES;
        Self {
            keys: Vec::with_capacity(capacity),
            capacity,
            wanted,
            bound,
        }
    }

    /// Takes the logits whose bit is set; `first` is the id of the first.
    fn collect(&mut self, first: usize, logits: &[f32; LANES], mut hits: u16) {
        while hits != 0 {
            let index = hits.trailing_zeros() as usize;
            self.keys.push(key(logits[index], first + index));
            hits &= hits - 1;
        }
        if self.keys.len() + LANES > self.capacity {
            self.cut();
            let (least, _) = parts(*self.keys.last().unwrap_or(&0));
            self.bound = self.bound.max(least);
        }
    }

    /// Keeps the best, the least of them last.
    fn cut(&mut self) {
        if self.keys.len() > self.wanted {
            self.keys
                .select_nth_unstable_by(self.wanted - 1, |left, right| right.cmp(left));
            self.keys.truncate(self.wanted);
        }
    }

    fn finish(mut self, view: &View<'_>, wanted: usize) -> Ranked {
        if wanted > 0 {
            self.cut();
        }
        self.keys.sort_unstable_by(|left, right| right.cmp(left));
        let (mut logits, mut ids): (Vec<_>, Vec<_>) = self.keys.iter().map(|key| parts(*key)).unzip();
        for id in view.hopeless().take(wanted - ids.len()) {
            ids.push(id as i32);
            logits.push(f32::NEG_INFINITY);
        }
        Ranked { ids, logits }
    }
}

fn key(logit: f32, id: usize) -> u64 {
    // Adding 0 turns -0 into 0: both are one logit.
    u64::from(order(logit + 0.0)) << 32 | u64::from(u32::MAX - id as u32)
}

fn parts(key: u64) -> (f32, i32) {
    (unorder((key >> 32) as u32), (u32::MAX - key as u32) as i32)
}

/// IEEE 754 order as the order of whole numbers.
fn order(logit: f32) -> u32 {
    let bits = logit.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn unorder(ordered: u32) -> f32 {
    f32::from_bits(if ordered >> 31 == 1 {
        ordered & !(1 << 31)
    } else {
        !ordered
    })
}

struct Collect<'a> {
    view: &'a View<'a>,
    largest: &'a [f32],
    survivors: &'a mut Survivors,
}

impl Kernel for Collect<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let mut space = [0.0; BLOCK];
        for (block, largest) in self.largest.iter().enumerate() {
            if *largest < self.survivors.bound {
                continue;
            }
            let logits = self.view.block(lanes, block, &mut space);
            for (group, vector) in logits.as_chunks::<LANES>().0.iter().enumerate() {
                let hits = lanes.at_least(lanes.load(vector), lanes.splat(self.survivors.bound));
                if hits != 0 {
                    self.survivors.collect(block * BLOCK + group * LANES, vector, hits);
                }
            }
        }
    }
}

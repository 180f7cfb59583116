use super::BLOCK;
use super::adjust::Adjustment;
use super::view::{Cover, View};
use crate::arch::compiled_per_isa;
use crate::arch::lanes::{Kernel, LANES, Lanes, run};
use crate::error::Result;
use crate::isa::Isa;

/// The largest logit of each block and the sum of exp(logit - largest) over the block; both (nBlocks,).
///
/// Sums are short chains of f32 (16 additions, then 4), so they are good to 1e-6 at worst; blocks are added in f64.
pub struct Summaries {
    pub largest: Vec<f32>,
    /// NaN where the block has one.
    sums: Vec<f32>,
}

impl Summaries {
    pub fn of_row(isa: Isa, row: &[f32]) -> Self {
        let blocks = row.len().div_ceil(BLOCK);
        let mut summaries = Self {
            largest: vec![f32::NEG_INFINITY; blocks],
            sums: vec![0.0; blocks],
        };
        summaries.fill(isa, &View::new(row, None), 0..blocks);
        summaries
    }

    /// Those of the adjusted and masked row, made anew only where something changed.
    pub fn adjusted(&self, isa: Isa, view: &View<'_>, adjustment: &Adjustment) -> Self {
        let mut summaries = Self {
            largest: self.largest.clone(),
            sums: self.sums.clone(),
        };
        let mut partial = Vec::new();
        for block in 0..self.sums.len() {
            match view.cover(block) {
                Cover::Open => {}
                Cover::Closed => {
                    summaries.largest[block] = f32::NEG_INFINITY;
                    summaries.sums[block] = 0.0;
                }
                Cover::Partial => partial.push(block),
            }
        }
        partial.extend(adjustment.blocks().filter(|block| view.cover(*block) == Cover::Open));
        summaries.fill(isa, view, partial);
        summaries
    }

    /// Fails where the row is not all numbers.
    pub fn check(&self, view: &View<'_>) -> Result<()> {
        if self.sums.iter().any(|sum| sum.is_nan()) {
            return Err(view.not_finite());
        }
        Ok(())
    }

    fn fill(&mut self, isa: Isa, view: &View<'_>, blocks: impl IntoIterator<Item = usize>) {
        let summaries = self;
        run(
            isa,
            Summarize {
                summaries,
                view,
                blocks,
            },
        );
    }
}

struct Summarize<'a, I> {
    summaries: &'a mut Summaries,
    view: &'a View<'a>,
    blocks: I,
}

impl<I: IntoIterator<Item = usize>> Kernel for Summarize<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let mut space = [0.0; BLOCK];
        for block in self.blocks {
            let logits = self.view.block(lanes, block, &mut space);
            let (largest, sum) = summarize(lanes, logits);
            self.summaries.largest[block] = largest;
            self.summaries.sums[block] = sum;
        }
    }
}

#[inline(always)]
fn summarize<L: Lanes>(lanes: L, logits: &[f32; BLOCK]) -> (f32, f32) {
    let (vectors, _) = logits.as_chunks::<LANES>();
    let mut most = lanes.splat(f32::NEG_INFINITY);
    for vector in vectors {
        // NaN as the first operand is passed over; it comes out of the sum below.
        most = lanes.max(lanes.load(vector), most);
    }
    let largest = lanes.largest(most);
    if largest.is_infinite() {
        // Differences to infinity say nothing.
        let bad = logits.iter().any(|logit| logit.is_nan());
        return (largest, if bad { f32::NAN } else { f32::from(largest > 0.0) });
    }
    let most = lanes.splat(largest);
    let mut total = lanes.splat(0.0);
    for vector in vectors {
        total = add_exponential(lanes, total, lanes.sub(lanes.load(vector), most));
    }
    (largest, lanes.sum(total))
}

/// total + exp(x) for x <= 0 (or NaN); the exponential to 1.5e-7 down to 1e-38, and that below.
///
/// Two thirds of the operations of `exponential`: this is most of the time that choosing a token takes.
#[inline(always)]
fn add_exponential<L: Lanes>(lanes: L, total: L::Vector, x: L::Vector) -> L::Vector {
    let to_whole = lanes.splat(12_582_912.0);
    // `x` second: NaN passes.
    let raised = lanes.max(lanes.splat(-87.0), x);
    let shifted = lanes.fma(raised, lanes.splat(std::f32::consts::LOG2_E), to_whole);
    let whole = lanes.sub(shifted, to_whole);
    // ln 2 in one part: its rounding changes terms of e^-20 by 6e-8, smaller ones more.
    let rest = lanes.fma(whole, lanes.splat(-std::f32::consts::LN_2), raised);
    let mut series = lanes.splat(8.312_501e-3);
    for coefficient in [4.189_033e-2, 1.666_711_6e-1, 4.999_923e-1, 1.0, 1.0] {
        series = lanes.fma(series, rest, lanes.splat(coefficient));
    }
    lanes.fma(series, lanes.power_of_two(shifted), total)
}

/// Natural logarithm of the sum of exp over the whole row.
pub fn log_sum_exp(isa: Isa, summaries: &Summaries) -> f64 {
    let largest = summaries.largest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if largest.is_infinite() {
        return f64::from(largest);
    }
    let largest = f64::from(largest);
    let mut parts = vec![0.0; summaries.sums.len()];
    scale_sums(isa, &summaries.largest, largest, &summaries.sums, &mut parts);
    largest + parts.iter().sum::<f64>().ln()
}

compiled_per_isa! {
    /// `parts[i] = sums[i] * exp(largest[i] - most)`.
    fn scale_sums(largest: &[f32], most: f64, sums: &[f32], parts: &mut [f64]) = scale_sums_loop;
}

#[inline(always)]
fn scale_sums_loop(largest: &[f32], most: f64, sums: &[f32], parts: &mut [f64]) {
    for ((part, largest), sum) in parts.iter_mut().zip(largest).zip(sums) {
        *part = f64::from(*sum) * exp_of_negative(f64::from(*largest) - most);
    }
}

/// exp(x) for x <= 0; relative error below 1e-11, what is under 1e-300 counts as that.
#[inline(always)]
fn exp_of_negative(x: f64) -> f64 {
    /// 1.5 * 2^52: a sum with it has a whole number in its low bits.
    const TO_WHOLE: f64 = 6_755_399_441_055_744.0;
    let x = if x < -690.0 { -690.0 } else { x };
    let shifted = x.mul_add(std::f64::consts::LOG2_E, TO_WHOLE);
    let rest = (shifted - TO_WHOLE).mul_add(-std::f64::consts::LN_2, x);
    let mut series = SERIES[0];
    for coefficient in &SERIES[1..] {
        series = series.mul_add(rest, *coefficient);
    }
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1f64.to_bits()));
    series * power
}

/// Minimax polynomial of exp over half a ln 2 to both sides, the highest power first.
const SERIES: [f64; 9] = [
    2.472_714_299_986_956_7e-5,
    1.991_549_575_223_13e-4,
    1.388_917_922_016_139_5e-3,
    8.333_266_900_259_845e-3,
    4.166_666_421_274_78e-2,
    1.666_666_688_609_819_5e-1,
    5.000_000_000_620_689e-1,
    9.999_999_999_805_463e-1,
    9.999_999_999_997_612e-1,
];

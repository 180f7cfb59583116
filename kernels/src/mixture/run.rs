use std::ops::Range;

use super::choose::choose;
use super::experts::{Experts, Pair};
use super::request::{ExpertWeight, MixtureRequest};
use crate::activate::{activate_slice, gate_within_slice};
use crate::arch::compiled_per_isa;
use crate::arch::strip::{Strip, Strips};
use crate::error::Result;
use crate::linear::{Combine, LinearRequest, LinearWeight, Scratch, linear_each};
use crate::pool::Team;

/// Experts of up to so many tokens share regions; those of more have enough work for one each, and threads share
/// it evenly only there.
const FEW_TOKENS: usize = 8;
/// Hidden values that are held at most, unless a single expert has more.
const BATCH_VALUES: usize = 1 << 22;
/// Fewer values than this are not worth waking threads for.
const PARALLEL_VALUES: usize = 16_384;

/// Memory that mixtures reuse from call to call.
#[derive(Default)]
pub struct MixtureScratch {
    /// (nPairs, columns)
    input: Vec<f32>,
    /// Each (nPairs, width), or the first (nPairs, 2 * width).
    hidden: [Vec<f32>; 2],
    /// (nPairs, width)
    activated: Vec<f32>,
    /// (nPairs, rows of the second matrix)
    output: Vec<f32>,
}

/// Experts that are computed together.
type Batch<'a> = [(usize, &'a [Pair])];

/// `output`, (nTokens, rows of `down`): the sum over the chosen experts, in the order of their numbers, of
/// weight * expert(x), or of expert(weight * x). A token's result does not depend on other tokens.
pub fn mixture(
    team: &Team<'_>,
    scratch: &mut Scratch,
    memory: &mut MixtureScratch,
    request: &MixtureRequest<'_>,
    output: &mut [f32],
) -> Result<()> {
    request.check(output)?;
    output.fill(0.0);
    let routing = choose(request.isa, &request.router, request.logits, request.selection_bias);
    let experts = Experts::new(&request.router, &routing);
    let busy: Vec<_> = experts.busy().collect();
    let mut rest = busy.as_slice();
    while !rest.is_empty() {
        let (batch, others) = rest.split_at(batch_length(request, rest));
        Run { team, request, batch }.run(scratch, memory, output)?;
        rest = others;
    }
    Ok(())
}

/// How many of the next experts share regions. They are taken in order, whatever their size: their results are
/// added in this order.
fn batch_length(request: &MixtureRequest<'_>, experts: &Batch<'_>) -> usize {
    let mut pairs = 0;
    let fits = |(_, own): &&(usize, &[Pair])| {
        pairs += own.len();
        own.len() <= FEW_TOKENS && pairs * request.width().max(request.columns()) <= BATCH_VALUES
    };
    experts.iter().take_while(fits).count().max(1)
}

struct Run<'a> {
    team: &'a Team<'a>,
    request: &'a MixtureRequest<'a>,
    batch: &'a Batch<'a>,
}

impl Run<'_> {
    fn run(&self, scratch: &mut Scratch, memory: &mut MixtureScratch, output: &mut [f32]) -> Result<()> {
        let MixtureScratch {
            input,
            hidden,
            activated,
            output: products,
        } = memory;
        let experts = self.request.router.experts;
        let pairs = self.pairs().count();
        let hidden = &mut hidden[..self.request.hidden.len()];
        for (weight, values) in self.request.hidden.iter().zip(&mut *hidden) {
            values.resize(pairs * weight.rows(experts), 0.0);
        }
        // One token goes to all its experts as it is: quantized once.
        if self.request.tokens == 1 && !self.request.weighs_input {
            self.expand(scratch, hidden)?;
        } else {
            self.gather(input);
            let weights: Vec<_> = self.request.hidden.iter().collect();
            self.multiply(scratch, &weights, input, hidden)?;
        }
        activated.resize(pairs * self.request.width(), 0.0);
        self.activate(hidden, activated);
        products.resize(pairs * self.request.down.rows(experts), 0.0);
        self.multiply(
            scratch,
            &[&self.request.down],
            activated,
            std::slice::from_mut(products),
        )?;
        self.add(products, output);
        Ok(())
    }

    fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.batch.iter().flat_map(|(_, pairs)| *pairs)
    }

    /// The inputs of all pairs, one below the other.
    fn gather(&self, input: &mut Vec<f32>) {
        let columns = self.request.columns();
        let pairs: Vec<_> = self.pairs().collect();
        input.resize(pairs.len() * columns, 0.0);
        let rows = |rows: Range<usize>, to: &mut [f32]| {
            for (pair, to) in pairs[rows].iter().zip(to.chunks_exact_mut(columns)) {
                to.copy_from_slice(&self.request.input[pair.token as usize * columns..][..columns]);
                if self.request.weighs_input {
                    to.iter_mut().for_each(|value| *value *= pair.weight);
                }
            }
        };
        self.split_rows(input, columns, &rows);
    }

    /// All rows of (nRows, width) in parts, by the caller alone where they are few.
    fn split_rows(&self, values: &mut [f32], width: usize, body: &(dyn Fn(Range<usize>, &mut [f32]) + Sync)) {
        if values.len() < PARALLEL_VALUES {
            body(0..values.len() / width, values);
        } else {
            self.team.split_slice(values, width, 1, body);
        }
    }

    /// The products of a single token with the hidden matrices of all its experts.
    fn expand(&self, scratch: &mut Scratch, hidden: &mut [Vec<f32>]) -> Result<()> {
        let experts = self.request.router.experts;
        let mut weights = Vec::with_capacity(self.batch.len() * hidden.len());
        let mut outputs = Vec::with_capacity(weights.capacity());
        for (weight, values) in self.request.hidden.iter().zip(&mut *hidden) {
            weights.extend(self.batch.iter().map(|(expert, _)| weight.of(*expert, experts)));
            outputs.extend(values.chunks_exact_mut(weight.rows(experts)));
        }
        let request = self.linear(self.request.input, 1, &weights);
        linear_each(self.team, scratch, &[request], &mut outputs)?;
        for (weight, values) in self.request.hidden.iter().zip(hidden) {
            self.scale(weight, values);
        }
        Ok(())
    }

    /// Products of each expert's rows of `input`, (nPairs, columns), with its matrix of each of the `weights`;
    /// `outputs` are (nPairs, rows).
    fn multiply(
        &self,
        scratch: &mut Scratch,
        weights: &[&ExpertWeight<'_>],
        input: &[f32],
        outputs: &mut [Vec<f32>],
    ) -> Result<()> {
        let experts = self.request.router.experts;
        let columns = weights[0].matrix.columns();
        let matrices: Vec<Vec<_>> = self
            .batch
            .iter()
            .map(|(expert, _)| weights.iter().map(|weight| weight.of(*expert, experts)).collect())
            .collect();
        let mut requests = Vec::with_capacity(self.batch.len());
        let mut slices: Vec<&mut [f32]> = Vec::with_capacity(self.batch.len() * weights.len());
        let mut rest: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let mut first = 0;
        for ((_, pairs), matrices) in self.batch.iter().zip(&matrices) {
            let own = &input[first * columns..(first + pairs.len()) * columns];
            requests.push(self.linear(own, pairs.len(), matrices));
            for (rest, matrix) in rest.iter_mut().zip(matrices) {
                let (own, others) = std::mem::take(rest).split_at_mut(pairs.len() * matrix.matrix.rows());
                slices.push(own);
                *rest = others;
            }
            first += pairs.len();
        }
        linear_each(self.team, scratch, &requests, &mut slices)?;
        for (weight, values) in weights.iter().zip(outputs) {
            self.scale(weight, values);
        }
        Ok(())
    }

    fn linear<'b>(&self, input: &'b [f32], tokens: usize, weights: &'b [LinearWeight<'b>]) -> LinearRequest<'b>
    where
        Self: 'b,
    {
        LinearRequest {
            isa: self.request.isa,
            cancel: self.request.cancel,
            input,
            tokens,
            weights,
            combine: Combine::Separate,
            scale: 1.0,
            residual: None,
        }
    }

    /// Scales and biases of the experts on (nPairs, rows), where the weight has scales.
    fn scale(&self, weight: &ExpertWeight<'_>, mut values: &mut [f32]) {
        if weight.scales.is_none() {
            return;
        }
        let rows = weight.rows(self.request.router.experts);
        for (expert, pairs) in self.batch {
            let (own, others) = values.split_at_mut(pairs.len() * rows);
            weight.scale(*expert, own);
            values = others;
        }
    }

    fn activate(&self, hidden: &[Vec<f32>], activated: &mut [f32]) {
        let MixtureRequest {
            isa,
            activation,
            limits,
            holds_gate,
            ..
        } = *self.request;
        let width = self.request.width();
        let rows = |rows: Range<usize>, to: &mut [f32]| match hidden {
            [gate, up] => {
                let range = rows.start * width..rows.end * width;
                gate_within_slice(isa, activation, &limits, &gate[range.clone()], &up[range], to);
            }
            [both] if holds_gate => {
                let both = &both[2 * rows.start * width..2 * rows.end * width];
                for (both, to) in both.chunks_exact(2 * width).zip(to.chunks_exact_mut(width)) {
                    let (gate, up) = both.split_at(width);
                    gate_within_slice(isa, activation, &limits, gate, up, to);
                }
            }
            _ => {
                to.copy_from_slice(&hidden[0][rows.start * width..rows.end * width]);
                activate_slice(isa, activation, to);
            }
        };
        self.split_rows(activated, width, &rows);
    }

    /// Adds the experts' results, (nPairs, rows), to the output of their tokens.
    fn add(&self, products: &[f32], output: &mut [f32]) {
        let isa = self.request.isa;
        let rows = self.request.down.rows(self.request.router.experts);
        let count = if products.len() < PARALLEL_VALUES {
            1
        } else {
            self.team.threads()
        };
        // By columns: a token may occur in several experts of a batch, and must be added to in their order.
        let mut strips = Strips::new(output, self.request.tokens);
        let mut parts: Vec<_> = (1..=count)
            .map(|index| strips.up_to((rows * index / count).next_multiple_of(16).min(rows)))
            .collect();
        let add = |strips: &mut [Strip<'_>]| {
            for strip in strips {
                let columns = strip.columns();
                for (pair, product) in self.pairs().zip(products.chunks_exact(rows)) {
                    let weight = if self.request.weighs_input { 1.0 } else { pair.weight };
                    let to = strip.token(pair.token as usize, columns.clone());
                    add_scaled(isa, &product[columns.clone()], weight, to);
                }
            }
        };
        match parts.as_mut_slice() {
            [_] => add(&mut parts),
            many => self.team.split_slice(many, 1, 1, &|_, own| add(own)),
        }
    }
}

compiled_per_isa! {
    /// `to[i] += weight * values[i]`, rounded twice.
    fn add_scaled(values: &[f32], weight: f32, to: &mut [f32]) = add_scaled_loop;
}

#[inline(always)]
fn add_scaled_loop(values: &[f32], weight: f32, to: &mut [f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += weight * value;
    }
}

use std::ops::Range;

use super::request::{Combine, LinearRequest, LinearWeight, Product};
use crate::activate::{activate_slice, gate_slice};
use crate::arch::strip::Strip;

/// Sums of some rows with some tokens, all (nTokens, width); what is beyond the rows has no meaning.
pub(super) struct Sums<'a> {
    pub width: usize,
    pub sums: &'a mut [f32],
    /// Of the `up` of a gated product.
    pub up: &'a mut [f32],
    /// Room for as many.
    pub gated: &'a mut [f32],
}

impl LinearRequest<'_> {
    /// Everything after the sums of `rows` with the tokens from `first` on, into `output`.
    pub(super) fn finish(
        &self,
        product: &Product<'_>,
        rows: Range<usize>,
        first: usize,
        sums: Sums<'_>,
        output: &mut Strip<'_>,
    ) {
        let Sums { width, sums, up, gated } = sums;
        if self.combine == Combine::Pairs {
            for (row, pair) in (first / 2..).zip(sums.chunks_exact(2 * width)) {
                let (one, other) = pair.split_at(width);
                add(one, &other[..rows.len()], output.token(row, rows.clone()));
            }
            return;
        }
        add_bias(&product.weight, &rows, width, sums);
        let values = match (self.combine, &product.up) {
            (Combine::Gated(activation), Some(weight)) => {
                add_bias(weight, &rows, width, up);
                gate_slice(self.isa, activation, sums, up, gated);
                gated
            }
            (Combine::Activated(activation), _) => {
                activate_slice(self.isa, activation, sums);
                sums
            }
            _ => sums,
        };
        if self.scale != 1.0 {
            values.iter_mut().for_each(|value| *value *= self.scale);
        }
        for (token, values) in (first..).zip(values.chunks_exact(width)) {
            let output = output.token(token, rows.clone());
            match self.residual {
                Some(residual) => add(values, &residual[token * product.rows()..][rows.clone()], output),
                None => copy(values, output),
            }
        }
    }
}

/// Values of a line, so that short copies are vector instructions instead of calls.
const LINE: usize = 16;

fn copy(values: &[f32], output: &mut [f32]) {
    let values = &values[..output.len()];
    let (lines, rest) = output.as_chunks_mut::<LINE>();
    let (line_values, rest_values) = values.as_chunks::<LINE>();
    for (to, from) in lines.iter_mut().zip(line_values) {
        *to = *from;
    }
    for (to, from) in rest.iter_mut().zip(rest_values) {
        *to = *from;
    }
}

fn add(values: &[f32], residual: &[f32], output: &mut [f32]) {
    let (lines, rest) = output.as_chunks_mut::<LINE>();
    let (line_values, rest_values) = values[..residual.len()].as_chunks::<LINE>();
    let (line_residuals, rest_residuals) = residual.as_chunks::<LINE>();
    for ((to, value), residual) in lines.iter_mut().zip(line_values).zip(line_residuals) {
        *to = std::array::from_fn(|i| value[i] + residual[i]);
    }
    for ((to, value), residual) in rest.iter_mut().zip(rest_values).zip(rest_residuals) {
        *to = value + residual;
    }
}

fn add_bias(weight: &LinearWeight<'_>, rows: &Range<usize>, width: usize, sums: &mut [f32]) {
    if let Some(bias) = weight.bias {
        for sums in sums.chunks_exact_mut(width) {
            for (sum, bias) in sums.iter_mut().zip(&bias[rows.clone()]) {
                *sum += bias;
            }
        }
    }
}

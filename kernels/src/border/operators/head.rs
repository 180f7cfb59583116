use super::Node;
use crate::border::io::{NodeData, NodeReader, failed};
use crate::border::step::Step;
use crate::border::weights::StoredMatrix;
use crate::error::Result;
use crate::format::Scaling;
use crate::linear::{Combine, LinearRequest, LinearWeight, linear};
use crate::unpack::GROUP;

/// (nWanted, columns) f32 → logits (nWanted, rows).
///
/// The input becomes int8 in two terms, the second for what the first leaves over: what rounding loses in the head goes
/// straight into the logits, and as few rows come here, two products per row cost next to nothing. Both are rows of one
/// request, so the weights are read once.
struct Head {
    weight: StoredMatrix,
    bias: Option<Vec<f32>>,
    scale: f32,
    /// (2 * nWanted, columns)
    terms: Vec<f32>,
}

/// Inputs: rows, bias if `bias` is set.
pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    let mut matrices = reader.matrices()?;
    Ok(Box::new(Head {
        weight: matrices.pop().ok_or_else(|| failed("the head has no matrix"))?,
        bias: reader.flag("bias").then(|| reader.constant(1)).transpose()?,
        scale: reader.float("scale")?,
        terms: Vec::new(),
    }))
}

impl Node for Head {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let (rows, columns, width) = (step.rows.len(), self.weight.columns(), self.weight.rows());
        let input = data.input(0)?;
        let values = input.floats(rows * columns)?;
        let mut output = data.output(0, rows, width)?;
        let weight = [LinearWeight {
            matrix: self.weight.matrix()?,
            bias: None,
        }];
        let mut request = LinearRequest {
            isa: step.isa,
            cancel: &step.cancel,
            input: values,
            tokens: rows,
            weights: &weight,
            combine: Combine::Separate,
            scale: 1.0,
            residual: None,
        };
        let output = output.floats()?;
        if weight[0].matrix.format().scaling() == Scaling::Float {
            linear(&step.team, &mut step.buffers.linear, &request, &mut [&mut *output])?;
        } else {
            self.terms.clear();
            for row in values.chunks_exact(columns) {
                push_terms(&mut self.terms, row);
            }
            request.input = &self.terms;
            request.tokens = 2 * rows;
            request.combine = Combine::Pairs;
            linear(&step.team, &mut step.buffers.linear, &request, &mut [&mut *output])?;
        }
        if let Some(bias) = &self.bias {
            for row in output.chunks_exact_mut(width) {
                row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
            }
        }
        if self.scale != 1.0 {
            output.iter_mut().for_each(|value| *value *= self.scale);
        }
        Ok(())
    }
}

/// Appends the row rounded to int8 per group, then what that leaves over. NaN and infinities stay in the first term.
fn push_terms(terms: &mut Vec<f32>, row: &[f32]) {
    let start = terms.len();
    for group in row.chunks(GROUP) {
        let largest = group.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let (scale, inverse) = (largest / 127.0, 127.0 / largest);
        terms.extend(group.iter().map(|value| {
            if inverse.is_finite() && value.is_finite() {
                (value * inverse).round_ties_even() * scale
            } else {
                *value
            }
        }));
    }
    for (index, value) in row.iter().enumerate() {
        let rest = value - terms[start + index];
        terms.push(if rest.is_finite() { rest } else { 0.0 });
    }
}

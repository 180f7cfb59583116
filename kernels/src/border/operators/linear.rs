use super::Node;
use super::limits::{BoundedGate, limits};
use super::norm::Rows;
use super::pointwise::activation;
use crate::activate::GateLimits;
use crate::border::io::{NodeData, NodeReader, failed};
use crate::border::step::Step;
use crate::border::weights::StoredMatrix;
use crate::error::Result;
use crate::linear::{Combine, LinearRequest, LinearWeight, linear};

/// (nRows, columns) f32 → one (nRows, rows) f32 per matrix, or one of all when gated.
struct Linear {
    weights: Vec<(StoredMatrix, Option<Vec<f32>>)>,
    combine: Combine,
    scale: f32,
    /// Input index of the residual.
    residual: Option<usize>,
    rows: Rows,
    widths: Vec<usize>,
    /// Gates whose halves are bounded are combined here.
    bounded: Option<BoundedGate>,
    halves: [Vec<f32>; 2],
}

/// Inputs: rows; the biases of those matrices whose bit in `biases` is set; the residual if `residual` is set.
pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    let matrices = reader.matrices()?;
    let biases = reader.integers("biases")?;
    let mut next = 1;
    let mut weights = Vec::with_capacity(matrices.len());
    for (index, matrix) in matrices.into_iter().enumerate() {
        let bias = if biases.get(index).is_some_and(|&flag| flag != 0) {
            next += 1;
            Some(reader.constant(next - 1)?)
        } else {
            None
        };
        weights.push((matrix, bias));
    }
    let combine = match reader.text("combine")?.as_str() {
        "separate" => Combine::Separate,
        "gated" => Combine::Gated(activation(reader)?),
        "activated" => Combine::Activated(activation(reader)?),
        other => return Err(failed(format!("products cannot be combined by '{other}'"))),
    };
    let rows: Vec<usize> = weights.iter().map(|(matrix, _)| matrix.rows()).collect();
    let widths = match (&combine, rows.as_slice()) {
        (Combine::Gated(_), [gate, up]) if gate == up => vec![*gate],
        (Combine::Gated(_), [both]) if both.is_multiple_of(2) => vec![both / 2],
        (Combine::Gated(_), _) => return Err(failed(format!("no gate and up matrix of one size in {rows:?}"))),
        (_, rows) => rows.to_vec(),
    };
    Ok(Box::new(Linear {
        weights,
        combine,
        scale: reader.float("scale")?,
        residual: reader.flag("residual").then_some(next),
        rows: Rows::read(reader),
        widths,
        bounded: match combine {
            Combine::Gated(activation) => Some(BoundedGate {
                activation,
                limits: limits(reader),
            })
            .filter(|gate| gate.limits != GateLimits::NONE),
            _ => None,
        },
        halves: [Vec::new(), Vec::new()],
    }))
}

impl Node for Linear {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let tokens = self.rows.count(step);
        let columns = self.weights.first().map_or(0, |(matrix, _)| matrix.columns());
        let input = data.input(0)?;
        let residual = self.residual.map(|index| data.input(index)).transpose()?;
        let weights = self
            .weights
            .iter()
            .map(|(matrix, bias)| {
                Ok(LinearWeight {
                    matrix: matrix.matrix()?,
                    bias: bias.as_deref(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let request = LinearRequest {
            isa: step.isa,
            cancel: &step.cancel,
            input: input.floats(tokens * columns)?,
            tokens,
            weights: &weights,
            combine: self.combine,
            scale: self.scale,
            residual: residual
                .as_ref()
                .map(|value| value.floats(tokens * self.widths[0]))
                .transpose()?,
        };
        let mut values = self
            .widths
            .iter()
            .enumerate()
            .map(|(index, &width)| data.output(index, tokens, width))
            .collect::<Result<Vec<_>>>()?;
        let mut outputs = values
            .iter_mut()
            .map(|value| value.floats())
            .collect::<Result<Vec<_>>>()?;
        let Some(gate) = &self.bounded else {
            return linear(&step.team, &mut step.buffers.linear, &request, &mut outputs);
        };
        let separate = LinearRequest {
            combine: Combine::Separate,
            ..request
        };
        let width = self.widths[0];
        let sizes = if self.weights.len() == 1 { [2, 0] } else { [1, 1] };
        for (half, size) in self.halves.iter_mut().zip(sizes) {
            half.resize(tokens * width * size, 0.0);
        }
        let [first, second] = &mut self.halves;
        let mut parts: Vec<&mut [f32]> = vec![first, second];
        parts.truncate(self.weights.len());
        linear(&step.team, &mut step.buffers.linear, &separate, &mut parts)?;
        gate.combine(step.isa, first, second, width, outputs[0]);
        Ok(())
    }
}

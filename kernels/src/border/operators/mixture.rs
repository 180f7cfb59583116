use super::Node;
use super::limits::limits;
use super::pointwise::activation;
use crate::activate::{Activation, GateLimits};
use crate::border::io::{NodeData, NodeReader, failed};
use crate::border::step::Step;
use crate::border::weights::StoredMatrix;
use crate::error::Result;
use crate::mixture::{ExpertWeight, Groups, MixtureRequest, RouterGate, RouterSettings, mixture};

/// Input (nTokens, columns) and router logits (nTokens, experts) → (nTokens, rows of the down matrices), all f32.
struct Mixture {
    router: RouterSettings,
    selection_bias: Option<Vec<f32>>,
    weighs_input: bool,
    hidden: Vec<StoredExperts>,
    holds_gate: bool,
    activation: Activation,
    limits: GateLimits,
    down: StoredExperts,
}

/// The matrices of all experts, one below the other.
struct StoredExperts {
    matrix: StoredMatrix,
    scales: Option<Vec<f32>>,
    bias: Option<Vec<f32>>,
}

/// Inputs: rows, logits, the selection bias if `selection_bias` is set, then the biases and the scales of those
/// matrices (hidden ones, then down) whose flags are set.
pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    let mut next = 2;
    let mut constant = |present: bool| {
        present
            .then(|| {
                next += 1;
                reader.constant(next - 1)
            })
            .transpose()
    };
    let selection_bias = constant(reader.flag("selection_bias"))?;
    let mut matrices = reader.matrices()?;
    matrices.extend(reader.matrices_of("down_weights", "down_columns")?);
    let (biases, scales) = (reader.integers("biases")?, reader.integers("scales")?);
    if biases.len() != matrices.len() || scales.len() != matrices.len() {
        return Err(failed("a mixture has other numbers of matrices and flags"));
    }
    let biases = biases
        .iter()
        .map(|flag| constant(*flag != 0))
        .collect::<Result<Vec<_>>>()?;
    let scales = scales
        .iter()
        .map(|flag| constant(*flag != 0))
        .collect::<Result<Vec<_>>>()?;
    let mut hidden: Vec<_> = matrices
        .into_iter()
        .zip(biases.into_iter().zip(scales))
        .map(|(matrix, (bias, scales))| StoredExperts { matrix, scales, bias })
        .collect();
    let down = hidden.pop().ok_or_else(|| failed("a mixture has no matrices"))?;
    Ok(Box::new(Mixture {
        router: router(reader)?,
        selection_bias,
        weighs_input: reader.flag("weighs_input"),
        hidden,
        holds_gate: reader.flag("holds_gate"),
        activation: activation(reader)?,
        limits: limits(reader),
        down,
    }))
}

fn router(reader: &NodeReader<'_>) -> Result<RouterSettings> {
    Ok(RouterSettings {
        experts: reader.size("experts")?,
        used: reader.size("used")?,
        gate: match reader.text("gate")?.as_str() {
            "softmax" => RouterGate::Softmax,
            "sigmoid" => RouterGate::Sigmoid,
            "softmax-chosen" => RouterGate::SoftmaxChosen,
            other => return Err(failed(format!("no router's gate is called '{other}'"))),
        },
        groups: match reader.optional_size("groups") {
            Some(count) => Some(Groups {
                count,
                used: reader.size("used_groups")?,
            }),
            None => None,
        },
        normalizes: reader.flag("normalizes"),
        scale: reader.float("scale")?,
    })
}

impl StoredExperts {
    fn weight(&self) -> Result<ExpertWeight<'_>> {
        Ok(ExpertWeight {
            matrix: self.matrix.matrix()?,
            scales: self.scales.as_deref(),
            bias: self.bias.as_deref(),
        })
    }
}

impl Node for Mixture {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let tokens = step.tokens;
        let columns = self.hidden.first().map_or(0, |weight| weight.matrix.columns());
        let width = self.down.matrix.rows() / self.router.experts.max(1);
        let (input, logits) = (data.input(0)?, data.input(1)?);
        let hidden = self
            .hidden
            .iter()
            .map(StoredExperts::weight)
            .collect::<Result<Vec<_>>>()?;
        let request = MixtureRequest {
            isa: step.isa,
            cancel: &step.cancel,
            input: input.floats(tokens * columns)?,
            tokens,
            logits: logits.floats(tokens * self.router.experts)?,
            selection_bias: self.selection_bias.as_deref(),
            router: self.router,
            weighs_input: self.weighs_input,
            hidden: &hidden,
            holds_gate: self.holds_gate,
            activation: self.activation,
            limits: self.limits,
            down: self.down.weight()?,
        };
        let mut output = data.output(0, tokens, width)?;
        mixture(
            &step.team,
            &mut step.buffers.linear,
            &mut step.buffers.mixture,
            &request,
            output.floats()?,
        )
    }
}

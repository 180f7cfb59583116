use super::Node;
use crate::border::io::{NodeData, NodeReader, failed};
use crate::border::step::Step;
use crate::error::Result;
use crate::norm::{NormKind, norm};

/// (nRows, width) f32 → the same, each row normalised on its own.
struct Norm {
    kind: NormKind,
    epsilon: f32,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    rows: Rows,
}

/// Which rows come in.
pub enum Rows {
    /// One per token of the step.
    Tokens,
    /// One per wanted token.
    Wanted,
    /// One per vector of a text.
    Pooled,
}

impl Rows {
    pub fn read(reader: &NodeReader<'_>) -> Self {
        if reader.flag("pooled") {
            Self::Pooled
        } else if reader.flag("wanted") {
            Self::Wanted
        } else {
            Self::Tokens
        }
    }

    pub fn count(&self, step: &Step) -> usize {
        match self {
            Self::Tokens => step.tokens,
            Self::Wanted => step.rows.len(),
            Self::Pooled => step.pooled(),
        }
    }
}

pub fn kind(text: &str) -> Result<NormKind> {
    match text {
        "rms" => Ok(NormKind::Rms),
        "layer" => Ok(NormKind::Layer),
        other => Err(failed(format!("no norm is called '{other}'"))),
    }
}

/// Inputs: rows, weight, bias if `bias` is set.
pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    Ok(Box::new(Norm {
        kind: kind(&reader.text("kind")?)?,
        epsilon: reader.float("epsilon")?,
        weight: reader.constant(1)?,
        bias: reader.flag("bias").then(|| reader.constant(2)).transpose()?,
        rows: Rows::read(reader),
    }))
}

impl Node for Norm {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let width = self.weight.len();
        let rows = self.rows.count(step);
        let input = data.input(0)?;
        let mut output = data.output(0, rows, width)?;
        norm(
            &step.team,
            step.isa,
            self.kind,
            input.floats(rows * width)?,
            width,
            Some(&self.weight),
            self.bias.as_deref(),
            self.epsilon,
            output.floats()?,
        );
        Ok(())
    }
}

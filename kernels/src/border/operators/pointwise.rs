use super::Node;
use super::norm::Rows;
use crate::activate::{Activation, activate};
use crate::border::io::{NodeData, NodeReader, failed};
use crate::border::step::Step;
use crate::combine::{scale, softcap};
use crate::error::Result;

/// (nRows, width) f32 → the same, number by number.
struct Pointwise {
    function: Function,
    width: usize,
    rows: Rows,
}

enum Function {
    Activate(Activation),
    /// tanh(x / cap) * cap
    Softcap(f32),
    Scale(f32),
    /// Within ± this.
    Clamp(f32),
}

/// The activation that a node's attribute names.
pub fn activation(reader: &NodeReader<'_>) -> Result<Activation> {
    Ok(match reader.text("activation")?.as_str() {
        "silu" => Activation::Silu,
        "gelu" => Activation::Gelu,
        "gelu-erf" => Activation::GeluErf,
        "gelu-quick" => Activation::GeluQuick,
        "relu" => Activation::Relu,
        "relu-squared" => Activation::ReluSquared,
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "softplus" => Activation::Softplus,
        "xielu" => Activation::Xielu {
            positive: reader.float("xielu_positive")?,
            negative: reader.float("xielu_negative")?,
            beta: reader.float("xielu_beta")?,
            epsilon: reader.float("xielu_epsilon")?,
        },
        other => return Err(failed(format!("no activation is called '{other}'"))),
    })
}

pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    let function = match reader.text("function")?.as_str() {
        "activate" => Function::Activate(activation(reader)?),
        "softcap" => Function::Softcap(reader.float("value")?),
        "scale" => Function::Scale(reader.float("value")?),
        "clamp" => Function::Clamp(reader.float("value")?),
        other => return Err(failed(format!("no function of numbers is called '{other}'"))),
    };
    Ok(Box::new(Pointwise {
        function,
        width: reader.size("width")?,
        rows: Rows::read(reader),
    }))
}

impl Node for Pointwise {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let rows = self.rows.count(step);
        let input = data.input(0)?;
        let mut value = data.output(0, rows, self.width)?;
        let output = value.floats()?;
        output.copy_from_slice(input.floats(rows * self.width)?);
        match self.function {
            Function::Activate(activation) => activate(&step.team, step.isa, activation, output),
            Function::Softcap(cap) => softcap(&step.team, step.isa, output, cap),
            Function::Scale(factor) => scale(&step.team, step.isa, output, factor),
            // Not `f32::clamp`, which panics for a NaN limit; a NaN number stays one.
            Function::Clamp(limit) => output.iter_mut().for_each(|number| {
                if *number > limit {
                    *number = limit;
                } else if *number < -limit {
                    *number = -limit;
                }
            }),
        }
        Ok(())
    }
}

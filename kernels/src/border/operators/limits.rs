use crate::activate::{Activation, activate_slice};
use crate::border::io::NodeReader;
use crate::isa::Isa;

/// Bounds on the two halves of activation(gate) * up.
#[derive(Clone, Copy)]
pub struct Limits {
    activation: Activation,
    /// The gate is at most this before its activation.
    gate: f32,
    /// The gate is at most this after its activation.
    activated: f32,
    /// Up stays within ± this.
    up: f32,
    /// Added to up after that.
    up_offset: f32,
}

impl Limits {
    /// None when the node has no bounds.
    pub fn read(reader: &NodeReader<'_>, activation: Activation) -> Option<Self> {
        let limit = |name| reader.optional_float(name).unwrap_or(f32::INFINITY);
        let limits = Self {
            activation,
            gate: limit("gate_limit"),
            activated: limit("activated_limit"),
            up: limit("up_limit"),
            up_offset: reader.optional_float("up_offset").unwrap_or(0.0),
        };
        let bounded = [limits.gate, limits.activated, limits.up]
            .iter()
            .any(|limit| limit.is_finite());
        (bounded || limits.up_offset != 0.0).then_some(limits)
    }

    /// `gate` and `up` are (nRows, width); or `gate` is (nRows, 2 * width), gate then up, and `up` is empty.
    pub fn combine(&self, isa: Isa, gate: &mut [f32], up: &mut [f32], width: usize, output: &mut [f32]) {
        let stride = if up.is_empty() { 2 * width } else { width };
        for (row, to) in output.chunks_exact_mut(width).enumerate() {
            let (gate, rest) = gate[row * stride..(row + 1) * stride].split_at_mut(width);
            let up = if up.is_empty() {
                rest
            } else {
                &mut up[row * width..(row + 1) * width]
            };
            for value in gate.iter_mut() {
                *value = below(*value, self.gate);
            }
            activate_slice(isa, self.activation, gate);
            for ((to, &gate), &up) in to.iter_mut().zip(&*gate).zip(&*up) {
                let bounded = -below(-below(up, self.up), self.up);
                *to = below(gate, self.activated) * (bounded + self.up_offset);
            }
        }
    }
}

/// At most `limit`; NaN stays NaN.
fn below(value: f32, limit: f32) -> f32 {
    if value > limit { limit } else { value }
}

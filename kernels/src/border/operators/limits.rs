use crate::activate::{Activation, GateLimits, gate_within_slice};
use crate::border::io::NodeReader;
use crate::isa::Isa;

/// The limits that a node's attributes name.
pub fn limits(reader: &NodeReader<'_>) -> GateLimits {
    let limit = |name| reader.optional_float(name).unwrap_or(f32::INFINITY);
    GateLimits {
        gate: limit("gate_limit"),
        activated: limit("activated_limit"),
        up: limit("up_limit"),
        up_offset: reader.optional_float("up_offset").unwrap_or(0.0),
    }
}

/// A gate whose halves are bounded: activation(gate) * up.
#[derive(Clone, Copy)]
pub struct BoundedGate {
    pub activation: Activation,
    pub limits: GateLimits,
}

impl BoundedGate {
    /// `gate` and `up` are (nRows, width); or `gate` is (nRows, 2 * width), gate then up, and `up` is empty.
    pub fn combine(&self, isa: Isa, gate: &[f32], up: &[f32], width: usize, output: &mut [f32]) {
        if !up.is_empty() {
            return gate_within_slice(isa, self.activation, &self.limits, gate, up, output);
        }
        for (both, to) in gate.chunks_exact(2 * width).zip(output.chunks_exact_mut(width)) {
            let (gate, up) = both.split_at(width);
            gate_within_slice(isa, self.activation, &self.limits, gate, up, to);
        }
    }
}

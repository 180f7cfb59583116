use crate::arch::compiled_per_isa;
use crate::isa::Isa;
use crate::pool::Team;
use crate::transcendental::{exp_minus_one_of_negative, normal_share, sigmoid, softplus, tanh};

/// Fewer elements than this are not worth waking threads for.
const PARALLEL_ELEMENTS: usize = 8192;
/// Threads take multiples of this many elements, so that they share no cache line.
const GRAIN: usize = 64;

/// A function of single elements between the matrices of a feed-forward network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// x * sigmoid(x)
    Silu,
    /// The tanh form: x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
    Gelu,
    /// x / 2 * (1 + erf(x / sqrt 2))
    GeluErf,
    /// x * sigmoid(1.702 x)
    GeluQuick,
    Relu,
    ReluSquared,
    Sigmoid,
    Tanh,
    /// ln(1 + exp(x))
    Softplus,
    /// x > 0: positive * x^2 + beta * x; else negative * (exp(min(x, epsilon)) - 1 - x) + beta * x.
    /// `positive` and `negative` are the effective factors, after softplus.
    Xielu {
        positive: f32,
        negative: f32,
        beta: f32,
        epsilon: f32,
    },
}

/// Bounds on the two halves of activation(gate) * up; infinite = none. NaN passes all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateLimits {
    /// The gate is at most this before its activation.
    pub gate: f32,
    /// The gate is at most this after its activation.
    pub activated: f32,
    /// Up stays within ± this.
    pub up: f32,
    /// Added to up after that.
    pub up_offset: f32,
}

impl GateLimits {
    pub const NONE: Self = Self {
        gate: f32::INFINITY,
        activated: f32::INFINITY,
        up: f32::INFINITY,
        up_offset: 0.0,
    };
}

/// `values[i] = activation(values[i])`.
pub fn activate(team: &Team<'_>, isa: Isa, activation: Activation, values: &mut [f32]) {
    if values.len() < PARALLEL_ELEMENTS {
        return activate_slice(isa, activation, values);
    }
    team.split_slice(values, 1, GRAIN, &|_, part| activate_slice(isa, activation, part));
}

/// `output[i] = activation(gate[i]) * up[i]`, all of one length.
pub fn gate(team: &Team<'_>, isa: Isa, activation: Activation, gate: &[f32], up: &[f32], output: &mut [f32]) {
    assert!(gate.len() == output.len() && up.len() == output.len());
    if output.len() < PARALLEL_ELEMENTS {
        return gate_slice(isa, activation, gate, up, output);
    }
    team.split_slice(output, 1, GRAIN, &|range, part| {
        gate_slice(isa, activation, &gate[range.clone()], &up[range], part);
    });
}

compiled_per_isa! {
    /// [`activate`] on the caller's thread alone.
    pub fn activate_slice(activation: Activation, values: &mut [f32]) = activate_loop;
}

compiled_per_isa! {
    /// [`gate`] on the caller's thread alone.
    pub fn gate_slice(activation: Activation, gate: &[f32], up: &[f32], output: &mut [f32]) = gate_loop;
}

/// [`gate_slice`] within limits.
pub fn gate_within_slice(
    isa: Isa,
    activation: Activation,
    limits: &GateLimits,
    gate: &[f32],
    up: &[f32],
    output: &mut [f32],
) {
    if *limits == GateLimits::NONE {
        return gate_slice(isa, activation, gate, up, output);
    }
    bounded(isa, gate, limits.gate, output);
    activate_slice(isa, activation, output);
    multiply_bounded(isa, limits, up, output);
}

compiled_per_isa! {
    fn bounded(input: &[f32], limit: f32, output: &mut [f32]) = bounded_loop;
}

#[inline(always)]
fn bounded_loop(input: &[f32], limit: f32, output: &mut [f32]) {
    for (value, x) in output.iter_mut().zip(input) {
        *value = at_most(*x, limit);
    }
}

compiled_per_isa! {
    fn multiply_bounded(limits: &GateLimits, up: &[f32], output: &mut [f32]) = multiply_bounded_loop;
}

#[inline(always)]
fn multiply_bounded_loop(limits: &GateLimits, up: &[f32], output: &mut [f32]) {
    let GateLimits {
        activated,
        up: limit,
        up_offset,
        ..
    } = *limits;
    for (value, up) in output.iter_mut().zip(up) {
        let up = at_most(if *up < -limit { -limit } else { *up }, limit);
        *value = at_most(*value, activated) * (up + up_offset);
    }
}

#[inline(always)]
fn activate_loop(activation: Activation, values: &mut [f32]) {
    #[inline(always)]
    fn map(values: &mut [f32], function: impl Fn(f32) -> f32) {
        for value in values {
            *value = function(*value);
        }
    }
    match activation {
        Activation::Silu => map(values, silu),
        Activation::Gelu => map(values, gelu),
        Activation::GeluErf => map(values, gelu_erf),
        Activation::GeluQuick => map(values, gelu_quick),
        Activation::Relu => map(values, relu),
        Activation::ReluSquared => map(values, relu_squared),
        Activation::Sigmoid => map(values, sigmoid),
        Activation::Tanh => map(values, tanh),
        Activation::Softplus => map(values, softplus),
        Activation::Xielu {
            positive,
            negative,
            beta,
            epsilon,
        } => map(values, |x| xielu(x, positive, negative, beta, epsilon)),
    }
}

#[inline(always)]
fn gate_loop(activation: Activation, gate: &[f32], up: &[f32], output: &mut [f32]) {
    #[inline(always)]
    fn map(gate: &[f32], up: &[f32], output: &mut [f32], function: impl Fn(f32) -> f32) {
        for ((value, gate), up) in output.iter_mut().zip(gate).zip(up) {
            *value = function(*gate) * up;
        }
    }
    assert!(gate.len() == output.len() && up.len() == output.len());
    match activation {
        Activation::Silu => map(gate, up, output, silu),
        Activation::Gelu => map(gate, up, output, gelu),
        Activation::GeluErf => map(gate, up, output, gelu_erf),
        Activation::GeluQuick => map(gate, up, output, gelu_quick),
        Activation::Relu => map(gate, up, output, relu),
        Activation::ReluSquared => map(gate, up, output, relu_squared),
        Activation::Sigmoid => map(gate, up, output, sigmoid),
        Activation::Tanh => map(gate, up, output, tanh),
        Activation::Softplus => map(gate, up, output, softplus),
        Activation::Xielu {
            positive,
            negative,
            beta,
            epsilon,
        } => map(gate, up, output, |x| xielu(x, positive, negative, beta, epsilon)),
    }
}

/// NaN stays NaN, unlike with `f32::min`.
#[inline(always)]
fn at_most(x: f32, limit: f32) -> f32 {
    if x > limit { limit } else { x }
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// (1 + tanh(u)) / 2 = sigmoid(2 u), which keeps its accuracy where tanh is nearly -1.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    const TWICE_SQRT_2_BY_PI: f32 = 1.595_769;
    let cubic = (0.044_715 * x).mul_add(x, 1.0);
    x * sigmoid(TWICE_SQRT_2_BY_PI * x * cubic)
}

#[inline(always)]
fn gelu_erf(x: f32) -> f32 {
    x * normal_share(x)
}

#[inline(always)]
fn gelu_quick(x: f32) -> f32 {
    x * sigmoid(1.702 * x)
}

#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

#[inline(always)]
fn relu_squared(x: f32) -> f32 {
    let kept = relu(x);
    kept * kept
}

#[inline(always)]
fn xielu(x: f32, positive: f32, negative: f32, beta: f32, epsilon: f32) -> f32 {
    // The exponent is positive only where epsilon is, and then tiny.
    let exponent = at_most(x, epsilon);
    let below = (exp_minus_one_of_negative(exponent) - x) * negative;
    let above = positive * x * x;
    let curve = if x > 0.0 { above } else { below };
    beta.mul_add(x, curve)
}

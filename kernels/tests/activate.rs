//! Activations and their gated forms against f64, on every instruction set.

use proptest::prelude::*;
use rivulet_kernels::activate::{
    Activation, GateLimits, activate, activate_slice, gate, gate_slice, gate_within_slice,
};
use rivulet_kernels::isa::Isa;
use rivulet_kernels::pool::Pool;

const ALL: [Activation; 10] = [
    Activation::Silu,
    Activation::Gelu,
    Activation::GeluErf,
    Activation::GeluQuick,
    Activation::Relu,
    Activation::ReluSquared,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Softplus,
    Activation::Xielu {
        positive: 0.8,
        negative: 1.3,
        beta: 0.5,
        epsilon: -1e-6,
    },
];
/// By the definition. With the condition number of the exponent, which an f32 argument cannot escape.
fn exact(activation: Activation, x: f64) -> (f64, f64) {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        Activation::Silu => (x * sigmoid(x), 1.0),
        Activation::Gelu => {
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            (x * sigmoid(2.0 * u), 1.0 + (2.0 * u).min(0.0).abs())
        }
        Activation::GeluErf => (x * 0.5 * erfc(-x / 2f64.sqrt()), 1.0),
        Activation::GeluQuick => (x * sigmoid(1.702 * x), 1.0 + (1.702 * x).min(0.0).abs() / 2.0),
        Activation::Relu => (x.max(0.0), 1.0),
        Activation::ReluSquared => (x.max(0.0).powi(2), 1.0),
        Activation::Sigmoid => (sigmoid(x), 1.0),
        Activation::Tanh => (x.tanh(), 1.0),
        Activation::Softplus => (x.max(0.0) + (-x.abs()).exp().ln_1p(), 1.0),
        Activation::Xielu {
            positive,
            negative,
            beta,
            epsilon,
        } => {
            let [positive, negative, beta, epsilon] = [positive, negative, beta, epsilon].map(f64::from);
            if x > 0.0 {
                (positive * x * x + beta * x, 1.0)
            } else {
                // exp(x) - 1 - x cancels near zero, where beta * x is what counts.
                let terms = x.abs() * (negative + beta);
                let value = (x.min(epsilon).exp_m1() - x) * negative + beta * x;
                (value, (terms / value.abs()).max(1.0))
            }
        }
    }
}

/// 1 - erf(z): the Taylor series near zero, the continued fraction further out.
fn erfc(z: f64) -> f64 {
    if z < 0.0 {
        return 2.0 - erfc(-z);
    }
    let norm = 2.0 / std::f64::consts::PI.sqrt();
    if z < 2.0 {
        let (mut term, mut sum) = (z, z);
        for n in 1..100 {
            term *= -z * z / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return 1.0 - norm * sum;
    }
    let mut fraction = 0.0;
    for n in (1..200).rev() {
        fraction = f64::from(n) / 2.0 / (z + fraction);
    }
    (-z * z).exp() / (z + fraction) / std::f64::consts::PI.sqrt()
}

fn assert_near(activation: Activation, x: f32, found: f32) {
    let (expected, condition) = exact(activation, f64::from(x));
    let allowed = 4e-7 * condition * expected.abs() + 2e-37 * f64::from(x.abs().max(1.0));
    assert!(
        (f64::from(found) - expected).abs() <= allowed,
        "{activation:?}({x:e}): expected {expected:e}, found {found:e}"
    );
}

#[test]
fn all_are_accurate_over_their_whole_range() {
    let mut inputs: Vec<f32> = (-60_000..60_000).map(|step| step as f32 * 0.002).collect();
    for exponent in -120..=12 {
        let magnitude = 2f32.powi(exponent);
        inputs.extend([magnitude, -magnitude, 1.37 * magnitude, -1.37 * magnitude]);
    }
    for activation in ALL {
        for isa in Isa::available() {
            let mut values = inputs.clone();
            activate_slice(isa, activation, &mut values);
            for (x, found) in inputs.iter().zip(values) {
                assert_near(activation, *x, found);
            }
        }
    }
}

#[test]
fn special_values() {
    for isa in Isa::available() {
        for activation in ALL {
            let mut values = [f32::NAN, 0.0, -0.0, f32::INFINITY];
            activate_slice(isa, activation, &mut values);
            assert!(values[0].is_nan(), "{activation:?}");
            let at_zero = match activation {
                Activation::Sigmoid => 0.5,
                Activation::Softplus => std::f32::consts::LN_2,
                _ => 0.0,
            };
            // Xielu holds the exponent at epsilon.
            assert!(
                (values[1] - at_zero).abs() < 2e-6 && (values[2] - at_zero).abs() < 2e-6,
                "{activation:?}"
            );
            let at_infinity = match activation {
                Activation::Sigmoid | Activation::Tanh => 1.0,
                _ => f32::INFINITY,
            };
            assert_eq!(values[3], at_infinity, "{activation:?}");
        }
    }
}

#[test]
fn a_gate_stays_within_its_limits() {
    // gpt-oss: gelu-quick of the gate times up + 1.
    let limits = GateLimits {
        gate: 7.0,
        up: 7.0,
        up_offset: 1.0,
        ..GateLimits::NONE
    };
    let gates = [1.5, 100.0, -100.0, -1.0, 0.5, f32::NAN];
    let ups = [0.25, 100.0, -100.0, -9.0, f32::NAN, 0.0];
    for isa in Isa::available() {
        let mut output = [0.0; 6];
        gate_within_slice(isa, Activation::GeluQuick, &limits, &gates, &ups, &mut output);
        for index in 0..4 {
            let up = f64::from(ups[index]).clamp(-7.0, 7.0) + 1.0;
            let expected = exact(Activation::GeluQuick, f64::from(gates[index]).min(7.0)).0 * up;
            assert!(
                (f64::from(output[index]) - expected).abs() <= 1e-6 * expected.abs() + 1e-30,
                "{index}"
            );
        }
        assert!(output[4].is_nan() && output[5].is_nan());

        let limits = GateLimits {
            activated: 2.0,
            ..GateLimits::NONE
        };
        gate_within_slice(isa, Activation::Relu, &limits, &gates, &[3.0; 6], &mut output);
        assert_eq!(output[..5], [4.5, 6.0, 0.0, 0.0, 1.5]);
        let mut free = [0.0; 6];
        gate_within_slice(isa, Activation::Silu, &GateLimits::NONE, &gates, &ups, &mut free);
        gate_slice(isa, Activation::Silu, &gates, &ups, &mut output);
        assert_eq!(free[..4], output[..4]);
    }
}

#[test]
fn threads_change_nothing() {
    let values: Vec<f32> = (0..40_001).map(|index| (index as f32 * 0.37).sin() * 9.0).collect();
    let ups: Vec<f32> = values.iter().rev().copied().collect();
    for isa in Isa::available() {
        for activation in ALL {
            let mut alone = values.clone();
            activate_slice(isa, activation, &mut alone);
            let mut gated_alone = vec![0.0; values.len()];
            gate_slice(isa, activation, &values, &ups, &mut gated_alone);
            for threads in [1, 2, 3] {
                let team = Pool::global().team(threads);
                let mut together = values.clone();
                activate(&team, isa, activation, &mut together);
                assert_eq!(alone, together);
                let mut gated = vec![0.0; values.len()];
                gate(&team, isa, activation, &values, &ups, &mut gated);
                assert_eq!(gated_alone, gated);
            }
        }
    }
}

proptest! {
    #[test]
    fn an_element_has_the_same_bits_wherever_it_lies(
        values in prop::collection::vec(-30f32..30.0, 1..200),
        start in 0usize..100,
        which in 0..ALL.len(),
    ) {
        let start = start.min(values.len() - 1);
        let mut reference = values.clone();
        activate_slice(Isa::Scalar, ALL[which], &mut reference);
        for isa in Isa::available() {
            let mut part = values[start..].to_vec();
            activate_slice(isa, ALL[which], &mut part);
            let mut gated = vec![0.0; values.len() - start];
            let ones = vec![1.0; values.len() - start];
            gate_slice(isa, ALL[which], &values[start..], &ones, &mut gated);
            for (index, found) in part.iter().enumerate() {
                prop_assert_eq!(found.to_bits(), reference[start + index].to_bits());
                prop_assert_eq!(found.to_bits(), gated[index].to_bits());
            }
        }
    }
}

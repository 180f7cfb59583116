//! Mixtures of experts: routing against f64, results bit for bit against each expert computed alone.

use std::cell::Cell;

use proptest::prelude::*;
use rivulet_kernels::activate::{Activation, GateLimits, activate_slice, gate_within_slice};
use rivulet_kernels::cancel::Cancel;
use rivulet_kernels::error::ErrorCode;
use rivulet_kernels::format::Format;
use rivulet_kernels::isa::Isa;
use rivulet_kernels::linear::Scratch;
use rivulet_kernels::mixture::{
    ExpertWeight, Groups, MixtureRequest, MixtureScratch, RouterGate, RouterSettings, Routing, choose, mixture,
};
use rivulet_kernels::pool::Pool;

#[allow(dead_code, reason = "other tests use the rest of it")]
mod support;
use support::{Random, Weights, expected_products, random_floats};

const PLAIN: RouterSettings = RouterSettings {
    experts: 8,
    used: 3,
    gate: RouterGate::Softmax,
    groups: None,
    normalizes: false,
    scale: 1.0,
};

/// Scores closer than this may have another order, or be equal, in f32: those of this file are sums below 16.
const INDISTINCT: f64 = 4e-6;

/// By the definition, for one token: experts and weights, the best first. None where rounding may choose others.
fn route(settings: &RouterSettings, logits: &[f32], bias: &[f32]) -> Option<(Vec<u32>, Vec<f64>)> {
    let nearest = Cell::new(f64::INFINITY);
    let softmax = |logits: &[f64]| -> Vec<f64> {
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
        logits.iter().map(|logit| (logit - largest).exp() / sum).collect()
    };
    let logits: Vec<f64> = logits.iter().map(|logit| f64::from(*logit)).collect();
    let scores = match settings.gate {
        RouterGate::Softmax => softmax(&logits),
        RouterGate::Sigmoid => logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
        RouterGate::SoftmaxChosen => logits,
    };
    let biased: Vec<f64> = scores
        .iter()
        .zip(bias)
        .map(|(score, bias)| score + f64::from(*bias))
        .collect();
    let best = |values: &[f64], allowed: &dyn Fn(usize) -> bool, count: usize| -> Vec<usize> {
        let mut indices: Vec<_> = (0..values.len()).filter(|index| allowed(*index)).collect();
        indices.sort_by(|left, right| values[*right].total_cmp(&values[*left]));
        for pair in indices.windows(2).take(count) {
            nearest.set(nearest.get().min(values[pair[0]] - values[pair[1]]));
        }
        indices.truncate(count);
        indices
    };
    let groups = settings.groups.unwrap_or(Groups { count: 1, used: 1 });
    let size = settings.experts / groups.count;
    let sums: Vec<f64> = (0..groups.count)
        .map(|group| {
            let two = best(&biased, &|expert| expert / size == group, 2);
            two.iter().map(|expert| biased[*expert]).sum()
        })
        .collect();
    let open = best(&sums, &|_| true, groups.used);
    let chosen = best(&biased, &|expert| open.contains(&(expert / size)), settings.used);
    let mut weights: Vec<f64> = chosen.iter().map(|expert| scores[*expert]).collect();
    if settings.gate == RouterGate::SoftmaxChosen {
        weights = softmax(&weights);
    }
    if settings.normalizes {
        let sum = weights.iter().sum::<f64>().max(2f64.powi(-14));
        weights.iter_mut().for_each(|weight| *weight /= sum);
    }
    let experts = chosen.into_iter().map(|expert| expert as u32).collect();
    let weights = weights
        .iter()
        .map(|weight| weight * f64::from(settings.scale))
        .collect();
    (nearest.get() > INDISTINCT).then_some((experts, weights))
}

proptest! {
    #[test]
    fn routes_as_the_definition_does(
        seed in any::<u64>(),
        (experts, groups) in prop::sample::select(vec![
            (4, None),
            (16, None),
            (16, Some(Groups { count: 4, used: 2 })),
            (64, Some(Groups { count: 8, used: 3 })),
            (256, Some(Groups { count: 8, used: 4 })),
        ]),
        used in 1usize..5,
        gate in prop::sample::select(vec![RouterGate::Softmax, RouterGate::Sigmoid, RouterGate::SoftmaxChosen]),
        normalizes in any::<bool>(),
        scale in prop::sample::select(vec![1.0, 2.5]),
    ) {
        let settings = RouterSettings { experts, used, gate, groups, normalizes, scale };
        let mut random = Random::new(seed);
        let mut uniform = || random.next() as f32 / u32::MAX as f32 - 0.5;
        let logits: Vec<f32> = (0..5 * experts).map(|_| uniform() * 12.0).collect();
        let bias: Vec<f32> = (0..experts).map(|_| uniform() * 0.3).collect();
        let mut compared = 0;
        for bias in [None, Some(&bias[..])] {
            let zeros = vec![0.0; experts];
            let reference = choose(Isa::Scalar, &settings, &logits, bias);
            for (token, logits) in logits.chunks(experts).enumerate() {
                let Some((chosen, weights)) = route(&settings, logits, bias.unwrap_or(&zeros)) else { continue };
                compared += 1;
                prop_assert_eq!(&reference.experts[token * used..(token + 1) * used], chosen);
                for (found, expected) in reference.weights[token * used..].iter().zip(weights) {
                    prop_assert!((f64::from(*found) - expected).abs() <= 1e-6 * expected.abs(), "{found} {expected}");
                }
            }
            for isa in Isa::available() {
                prop_assert_eq!(&choose(isa, &settings, &logits, bias), &reference);
            }
        }
        prop_assert!(compared > 0, "one token in a hundred is indistinct, not all");
    }
}

#[test]
fn of_equal_experts_the_lower_is_chosen_and_bias_does_not_weigh() {
    let settings = RouterSettings {
        gate: RouterGate::SoftmaxChosen,
        ..PLAIN
    };
    let found = choose(Isa::Scalar, &settings, &[1.0, 0.0, 1.0, -0.0, 1.0, 0.0, 1.0, 1.0], None);
    assert_eq!(found.experts, [0, 2, 4]);
    assert_eq!(found.weights, [1.0 / 3.0; 3]);
    let bias = [0.0, 9.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0];
    let biased = choose(Isa::Scalar, &settings, &[1.0; 8], Some(&bias));
    assert_eq!(biased.experts, [1, 3, 0]);
    assert_eq!(biased.weights, [1.0 / 3.0; 3]);
}

#[test]
fn a_logit_that_is_not_a_number_stays_visible() {
    for gate in [RouterGate::Softmax, RouterGate::Sigmoid, RouterGate::SoftmaxChosen] {
        let settings = RouterSettings { gate, ..PLAIN };
        for isa in Isa::available() {
            let mut logits = [0.5; 8];
            logits[5] = f32::NAN;
            assert!(
                choose(isa, &settings, &logits, None)
                    .weights
                    .iter()
                    .any(|weight| weight.is_nan())
            );
        }
    }
}

/// A mixture with random weights.
struct Case {
    router: RouterSettings,
    hidden: Vec<Weights>,
    down: Weights,
    holds_gate: bool,
    weighs_input: bool,
    scaled: bool,
    biased: bool,
    activation: Activation,
    limits: GateLimits,
    tokens: usize,
    input: Vec<f32>,
    logits: Vec<f32>,
}

const COLUMNS: usize = 256;
const WIDTH: usize = 512;
const ROWS: usize = 70;

impl Case {
    fn new(router: RouterSettings, hidden: usize, holds_gate: bool, tokens: usize, seed: u64) -> Self {
        let formats = [Format::Q4_K, Format::Q8_0, Format::F16, Format::Q4_0];
        let format = |index: u64| formats[((seed + index) % 4) as usize];
        let rows = if holds_gate { 2 * WIDTH } else { WIDTH };
        let weights = |index| Weights::random(format(index), router.experts * rows, COLUMNS, seed + index);
        Self {
            router,
            hidden: (0..hidden as u64).map(weights).collect(),
            down: Weights::random(format(7), router.experts * ROWS, WIDTH, seed + 7),
            holds_gate,
            weighs_input: false,
            scaled: false,
            biased: false,
            activation: Activation::Silu,
            limits: GateLimits::NONE,
            tokens,
            input: random_floats(tokens * COLUMNS, seed + 8),
            logits: random_floats(tokens * router.experts, seed + 9),
        }
    }

    /// (experts,) and (experts, rows)
    fn factors(&self, weights: &Weights) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
        let scales = random_floats(self.router.experts, weights.rows as u64);
        let bias = random_floats(weights.rows, 3);
        (self.scaled.then_some(scales), self.biased.then_some(bias))
    }

    fn run(&self, isa: Isa, threads: usize) -> Vec<f32> {
        let factors: Vec<_> = self.hidden.iter().map(|weights| self.factors(weights)).collect();
        let down = self.factors(&self.down);
        let hidden: Vec<_> = self
            .hidden
            .iter()
            .zip(&factors)
            .map(|(weights, factors)| expert(weights, factors))
            .collect();
        let request = MixtureRequest {
            isa,
            cancel: &Cancel::new(),
            input: &self.input,
            tokens: self.tokens,
            logits: &self.logits,
            selection_bias: None,
            router: self.router,
            weighs_input: self.weighs_input,
            hidden: &hidden,
            holds_gate: self.holds_gate,
            activation: self.activation,
            limits: self.limits,
            down: expert(&self.down, &down),
        };
        let mut output = vec![f32::NAN; self.tokens * ROWS];
        let team = Pool::global().team(threads);
        let mut memory = MixtureScratch::default();
        mixture(&team, &mut Scratch::new(), &mut memory, &request, &mut output).expect("a mixture");
        output
    }

    /// Every expert of every token alone.
    fn expected(&self) -> Vec<f32> {
        let Routing { experts, weights } = choose(Isa::Scalar, &self.router, &self.logits, None);
        let used = self.router.used;
        let mut output = vec![0.0; self.tokens * ROWS];
        for token in 0..self.tokens {
            let own = token * used..(token + 1) * used;
            let mut chosen: Vec<_> = experts[own.clone()].iter().zip(&weights[own]).collect();
            chosen.sort_by_key(|(expert, _)| **expert);
            for (expert, weight) in chosen {
                let expert = *expert as usize;
                let mut input = self.input[token * COLUMNS..(token + 1) * COLUMNS].to_vec();
                if self.weighs_input {
                    input.iter_mut().for_each(|value| *value *= weight);
                }
                let products: Vec<_> = self
                    .hidden
                    .iter()
                    .map(|weights| self.product(weights, expert, &input))
                    .collect();
                let mut inner = vec![0.0; WIDTH];
                match products.as_slice() {
                    [gate, up] => gate_within_slice(Isa::Scalar, self.activation, &self.limits, gate, up, &mut inner),
                    [both] if self.holds_gate => {
                        let (gate, up) = both.split_at(WIDTH);
                        gate_within_slice(Isa::Scalar, self.activation, &self.limits, gate, up, &mut inner);
                    }
                    _ => {
                        inner.copy_from_slice(&products[0]);
                        activate_slice(Isa::Scalar, self.activation, &mut inner);
                    }
                }
                let weight = if self.weighs_input { 1.0 } else { *weight };
                for (to, value) in output[token * ROWS..]
                    .iter_mut()
                    .zip(self.product(&self.down, expert, &inner))
                {
                    *to += weight * value;
                }
            }
        }
        output
    }

    fn product(&self, weights: &Weights, expert: usize, input: &[f32]) -> Vec<f32> {
        let rows = weights.rows / self.router.experts;
        let (scales, bias) = self.factors(weights);
        let bytes = weights.bytes.len() / self.router.experts;
        let own = Weights {
            rows,
            bytes: weights.bytes[expert * bytes..(expert + 1) * bytes].to_vec(),
            ..weights.clone()
        };
        let mut products = expected_products(&own, input);
        for (row, product) in products.iter_mut().enumerate() {
            *product *= scales.as_ref().map_or(1.0, |scales| scales[expert]);
            *product += bias.as_ref().map_or(0.0, |bias| bias[expert * rows + row]);
        }
        products
    }
}

fn expert<'a>(weights: &'a Weights, (scales, bias): &'a (Option<Vec<f32>>, Option<Vec<f32>>)) -> ExpertWeight<'a> {
    ExpertWeight {
        matrix: weights.matrix(),
        scales: scales.as_deref(),
        bias: bias.as_deref(),
    }
}

fn check(case: &Case) {
    let expected = case.expected();
    for isa in Isa::available() {
        for threads in [1, 2, 3] {
            assert_eq!(case.run(isa, threads), expected, "{isa:?}, {threads} threads");
        }
    }
}

#[test]
fn equals_every_expert_of_every_token_alone() {
    for (seed, tokens) in [1, 2, 5, 40].into_iter().enumerate() {
        for (hidden, holds_gate) in [(2, false), (1, true), (1, false)] {
            check(&Case::new(PLAIN, hidden, holds_gate, tokens, seed as u64));
        }
    }
}

#[test]
fn the_mixture_of_gpt_oss() {
    let router = RouterSettings {
        gate: RouterGate::SoftmaxChosen,
        ..PLAIN
    };
    for tokens in [1, 7] {
        for (scaled, biased) in [(false, true), (true, false), (true, true)] {
            check(&Case {
                scaled,
                biased,
                activation: Activation::GeluQuick,
                limits: GateLimits {
                    gate: 7.0,
                    up: 7.0,
                    up_offset: 1.0,
                    ..GateLimits::NONE
                },
                ..Case::new(router, 2, false, tokens, 5)
            });
        }
    }
}

#[test]
fn the_mixture_of_llama_4_weighs_the_input() {
    let router = RouterSettings {
        gate: RouterGate::Sigmoid,
        used: 1,
        ..PLAIN
    };
    for tokens in [1, 3, 30] {
        check(&Case {
            weighs_input: true,
            ..Case::new(router, 2, false, tokens, 6)
        });
    }
}

#[test]
fn a_token_has_the_same_result_alone() {
    let router = RouterSettings {
        normalizes: true,
        scale: 2.5,
        ..PLAIN
    };
    let together = Case::new(router, 2, false, 90, 3);
    for isa in Isa::available() {
        let found = together.run(isa, 2);
        for token in [0, 13, 89] {
            let alone = Case {
                tokens: 1,
                input: together.input[token * COLUMNS..(token + 1) * COLUMNS].to_vec(),
                logits: together.logits[token * PLAIN.experts..(token + 1) * PLAIN.experts].to_vec(),
                ..Case::new(router, 2, false, 1, 3)
            };
            assert_eq!(alone.run(isa, 1), found[token * ROWS..(token + 1) * ROWS]);
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let case = Case::new(PLAIN, 2, false, 2, 1);
    let other = Weights::random(Format::Q8_0, 8 * WIDTH, 2 * COLUMNS, 1);
    let bare = |weights| expert(weights, &(None, None));
    let hidden = [bare(&case.hidden[0]), bare(&case.hidden[1])];
    let cancel = Cancel::new();
    let request = MixtureRequest {
        isa: Isa::Scalar,
        cancel: &cancel,
        input: &case.input,
        tokens: 2,
        logits: &case.logits,
        selection_bias: None,
        router: PLAIN,
        weighs_input: false,
        hidden: &hidden,
        holds_gate: false,
        activation: Activation::Silu,
        limits: GateLimits::NONE,
        down: bare(&case.down),
    };
    let groups = |count, used| RouterSettings {
        groups: Some(Groups { count, used }),
        ..PLAIN
    };
    let mixed = [hidden[0], bare(&other)];
    let short = [0.0; 7];
    let bad = [
        MixtureRequest { tokens: 3, ..request },
        MixtureRequest { hidden: &[], ..request },
        MixtureRequest {
            hidden: &mixed,
            ..request
        },
        MixtureRequest {
            holds_gate: true,
            ..request
        },
        MixtureRequest {
            selection_bias: Some(&short),
            ..request
        },
        MixtureRequest {
            down: ExpertWeight {
                bias: Some(&short),
                ..request.down
            },
            ..request
        },
        MixtureRequest {
            down: ExpertWeight {
                scales: Some(&short),
                ..request.down
            },
            ..request
        },
        MixtureRequest {
            router: RouterSettings { used: 9, ..PLAIN },
            ..request
        },
        MixtureRequest {
            router: groups(3, 2),
            ..request
        },
        MixtureRequest {
            router: groups(8, 4),
            ..request
        },
        MixtureRequest {
            router: groups(4, 1),
            ..request
        },
        MixtureRequest {
            router: groups(0, 0),
            ..request
        },
    ];
    let team = Pool::global().team(1);
    let run = |request: &MixtureRequest<'_>| {
        let mut output = vec![0.0; 2 * ROWS];
        mixture(
            &team,
            &mut Scratch::new(),
            &mut MixtureScratch::default(),
            request,
            &mut output,
        )
    };
    for (index, request) in bad.iter().enumerate() {
        assert_eq!(
            run(request).map_err(|error| error.code),
            Err(ErrorCode::TensorShapeMismatch),
            "{index}"
        );
    }
    run(&request).expect("a mixture");
    cancel.set();
    assert_eq!(run(&request).map_err(|error| error.code), Err(ErrorCode::Cancelled));
}

//! Products with weights: every instruction set against the order of `unpack`, bit for bit, whatever the shape.

use proptest::prelude::*;
use rivulet_kernels::activate::{Activation, activate_slice, gate_slice};
use rivulet_kernels::cancel::Cancel;
use rivulet_kernels::error::ErrorCode;
use rivulet_kernels::format::{Format, Scaling};
use rivulet_kernels::isa::Isa;
use rivulet_kernels::linear::{Combine, LinearRequest, LinearWeight, Scratch, linear, linear_each};
use rivulet_kernels::pool::Pool;
use rivulet_kernels::unpack::{GROUP, dequantize_row};

mod brief;
mod support;
use support::{Weights, expected_products, random_floats};

/// Outputs (nTokens, rows), one per weight.
struct Case {
    weights: Vec<Weights>,
    tokens: usize,
    input: Vec<f32>,
    threads: usize,
}

fn run(isa: Isa, case: &Case) -> Vec<Vec<f32>> {
    let team = Pool::global().team(case.threads);
    let weights: Vec<_> = case.weights.iter().map(Weights::linear).collect();
    let mut outputs: Vec<_> = case
        .weights
        .iter()
        .map(|weights| vec![f32::NAN; case.tokens * weights.rows])
        .collect();
    let mut slices: Vec<_> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    let request = LinearRequest {
        isa,
        cancel: &Cancel::new(),
        input: &case.input,
        tokens: case.tokens,
        weights: &weights,
        combine: Combine::Separate,
        scale: 1.0,
        residual: None,
    };
    linear(&team, &mut Scratch::new(), &request, &mut slices).expect("a product");
    outputs
}

fn assert_same(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
        assert!(same, "{what}: value {index} is {found}, expected {expected}");
    }
}

fn case(formats: Vec<Format>, shape: (usize, usize, usize), threads: usize, seed: u64) -> Case {
    let (rows, blocks, tokens) = shape;
    let granule = formats
        .iter()
        .map(|format| format.block_elements().max(GROUP))
        .max()
        .expect("a format");
    let columns = blocks * granule;
    let weights = formats
        .iter()
        .enumerate()
        .map(|(index, format)| Weights::random(*format, rows + 5 * index, columns, seed + index as u64))
        .collect();
    Case {
        weights,
        tokens,
        input: random_floats(tokens * columns, seed ^ 0x5eed),
        threads,
    }
}

#[test]
fn every_format_of_every_instruction_set_keeps_the_order() {
    for isa in Isa::available() {
        for format in Format::all() {
            for (shape, threads) in [((33, 2, 9), 2), ((16, 1, 1), 1), ((5, 3, 3), 2), ((70, 5, 2), 3)] {
                let case = case(vec![format], shape, threads, 7);
                let found = run(isa, &case);
                let what = format!("{} {} {shape:?}", isa.name(), format.name());
                assert_same(&found[0], &expected_products(&case.weights[0], &case.input), &what);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if brief::is_brief() { 30 } else { 300 }))]

    #[test]
    fn random_shapes_keep_the_order(
        formats in proptest::collection::vec(proptest::sample::select(Format::all().collect::<Vec<_>>()), 1..4),
        rows in 1usize..80,
        blocks in 1usize..7,
        tokens in 1usize..41,
        threads in 1usize..4,
        seed in any::<u32>(),
    ) {
        let case = case(formats, (rows, blocks, tokens), threads, u64::from(seed));
        let expected: Vec<_> = case.weights.iter().map(|weights| expected_products(weights, &case.input)).collect();
        for isa in Isa::available() {
            for ((found, expected), weights) in run(isa, &case).iter().zip(&expected).zip(&case.weights) {
                assert_same(found, expected, &format!("{} {}", isa.name(), weights.format.name()));
            }
        }
    }
}

#[test]
fn sums_of_the_largest_values_fit() {
    for format in Format::all() {
        for byte in [0x00, 0x0f, 0x55, 0x77, 0x7f, 0x80, 0x88, 0xaa, 0xf0, 0xff] {
            let random = case(vec![format], (17, 2, 5), 2, u64::from(byte));
            let weights = random.weights[0].clone().filled(byte);
            let columns = weights.columns;
            let mut first_row = vec![0.0; columns];
            dequantize_row(format, weights.matrix().row(0), &mut first_row);
            // Each becomes 127 or -127; the first token's have the signs of the first row.
            let mut input: Vec<f32> = first_row.iter().map(|weight| 1f32.copysign(*weight)).collect();
            for token in 1..random.tokens {
                input.extend((0..columns).map(|column| if column % 5 < token { 1.0 } else { -1.0 }));
            }
            let expected = expected_products(&weights, &input);
            let case = Case {
                weights: vec![weights],
                input,
                ..random
            };
            for isa in Isa::available() {
                let what = format!("{} {} {byte:x}", isa.name(), format.name());
                assert_same(&run(isa, &case)[0], &expected, &what);
            }
        }
    }
}

#[test]
fn a_row_alone_equals_the_row_among_others() {
    for isa in Isa::available() {
        for format in Format::all() {
            let all = case(vec![format], (48, 4, 40), 2, 11);
            let columns = all.weights[0].columns;
            let rows = all.weights[0].rows;
            let together = run(isa, &all);
            for tokens in [1, 2, 4, 7] {
                let alone = Case {
                    weights: all.weights.clone(),
                    tokens,
                    input: all.input[3 * columns..(3 + tokens) * columns].to_vec(),
                    threads: 1,
                };
                let what = format!("{} {} {tokens}", isa.name(), format.name());
                assert_same(&run(isa, &alone)[0], &together[0][3 * rows..(3 + tokens) * rows], &what);
            }
        }
    }
}

#[test]
fn steps_after_the_sum_come_in_their_order() {
    for isa in Isa::available() {
        for tokens in [1, 3, 11] {
            for one_matrix in [false, true] {
                check_steps(isa, tokens, one_matrix);
            }
        }
    }
}

fn check_steps(isa: Isa, tokens: usize, one_matrix: bool) {
    let (rows, columns) = (37, 512);
    let both = Weights::random(Format::Q4_K, 2 * rows, columns, 3);
    let (gate, up) = both.halves();
    let [gate_bias, up_bias, residual] = [rows, rows, tokens * rows].map(|length| random_floats(length, length as u64));
    let bias = [&gate_bias[..], &up_bias].concat();
    let input = random_floats(tokens * columns, 5);
    let single = [LinearWeight {
        bias: Some(&bias),
        ..both.linear()
    }];
    let pair = [
        LinearWeight {
            bias: Some(&gate_bias),
            ..gate.linear()
        },
        LinearWeight {
            bias: Some(&up_bias),
            ..up.linear()
        },
    ];
    let request = LinearRequest {
        isa,
        cancel: &Cancel::new(),
        input: &input,
        tokens,
        weights: if one_matrix { &single } else { &pair },
        combine: Combine::Gated(Activation::Silu),
        scale: 0.3,
        residual: Some(&residual),
    };
    let team = Pool::global().team(2);
    let mut scratch = Scratch::new();
    let mut found = vec![0.0; tokens * rows];
    linear(&team, &mut scratch, &request, &mut [&mut found]).expect("a product");
    let biased = |weights: &Weights, bias: &[f32]| -> Vec<f32> {
        let sums = expected_products(weights, &input);
        sums.iter()
            .enumerate()
            .map(|(index, sum)| sum + bias[index % rows])
            .collect()
    };
    let mut expected = vec![0.0; tokens * rows];
    gate_slice(
        isa,
        Activation::Silu,
        &biased(&gate, &gate_bias),
        &biased(&up, &up_bias),
        &mut expected,
    );
    for (value, residual) in expected.iter_mut().zip(&residual) {
        *value = *value * 0.3 + residual;
    }
    assert_same(&found, &expected, "gated");

    let activated = LinearRequest {
        weights: &pair[..1],
        combine: Combine::Activated(Activation::Gelu),
        ..request
    };
    linear(&team, &mut scratch, &activated, &mut [&mut found]).expect("a product");
    let mut expected = biased(&gate, &gate_bias);
    activate_slice(isa, Activation::Gelu, &mut expected);
    for (value, residual) in expected.iter_mut().zip(&residual) {
        *value = *value * 0.3 + residual;
    }
    assert_same(&found, &expected, "activated");
}

#[test]
fn pairs_are_the_sums_of_two_rows() {
    for isa in Isa::available() {
        // One or several tiles of tokens, whole panels or not.
        for (rows, tokens) in [(20, 2), (40, 18), (3, 4)] {
            let case = case(vec![Format::Q8_0], (rows, 2, tokens), 2, 5);
            let separate = &run(isa, &case)[0];
            let expected: Vec<f32> = (separate.chunks_exact(2 * rows))
                .flat_map(|pair| {
                    let (first, second) = pair.split_at(rows);
                    first.iter().zip(second).map(|(first, second)| first + second)
                })
                .collect();
            let request = LinearRequest {
                isa,
                cancel: &Cancel::new(),
                input: &case.input,
                tokens,
                weights: &[case.weights[0].linear()],
                combine: Combine::Pairs,
                scale: 1.0,
                residual: None,
            };
            let mut found = vec![f32::NAN; tokens / 2 * rows];
            let team = Pool::global().team(case.threads);
            linear(&team, &mut Scratch::new(), &request, &mut [&mut found]).expect("a product");
            assert_same(&found, &expected, isa.name());

            let odd = LinearRequest {
                input: &case.input[..case.input.len() / tokens],
                tokens: 1,
                ..request
            };
            let refused = linear(&team, &mut Scratch::new(), &odd, &mut [&mut []]).expect_err("one row has no other");
            assert_eq!(refused.code, ErrorCode::TensorShapeMismatch);
        }
    }
}

#[test]
fn an_activation_that_is_not_finite_spoils_its_row_alone() {
    for isa in Isa::available() {
        for format in Format::all() {
            for (tokens, bad) in [(1, f32::NAN), (3, f32::INFINITY), (12, f32::NEG_INFINITY)] {
                let mut case = case(vec![format], (20, 2, tokens), 2, 13);
                let columns = case.weights[0].columns;
                let clean = run(isa, &case);
                case.input[(tokens - 1) * columns + columns / 2 + 1] = bad;
                let found = run(isa, &case);
                let (before, row) = found[0].split_at((tokens - 1) * 20);
                assert_same(before, &clean[0][..before.len()], format.name());
                if format.scaling() != Scaling::Float {
                    assert!(
                        row.iter().all(|value| value.is_nan()),
                        "{} {}: {row:?}",
                        isa.name(),
                        format.name()
                    );
                } else {
                    assert!(
                        row.iter().all(|value| !value.is_finite()),
                        "{} {}: {row:?}",
                        isa.name(),
                        format.name()
                    );
                }
            }
        }
    }
}

#[test]
fn no_requests_are_no_work() {
    let team = Pool::global().team(2);
    linear_each(&team, &mut Scratch::new(), &[], &mut []).expect("nothing to do");
}

#[test]
fn requests_in_one_region_equal_each_alone() {
    let cases: Vec<_> = [
        (Format::Q4_K, 1),
        (Format::F16, 3),
        (Format::Q8_0, 5),
        (Format::Q4_0, 20),
    ]
    .into_iter()
    .enumerate()
    .map(|(seed, (format, tokens))| case(vec![format; 2], (20 + 9 * seed, 3, tokens), 1, seed as u64))
    .collect();
    for isa in Isa::available() {
        let expected: Vec<_> = cases.iter().flat_map(|case| run(isa, case)).collect();
        let weights: Vec<Vec<_>> = cases
            .iter()
            .map(|case| case.weights.iter().map(Weights::linear).collect())
            .collect();
        let cancel = Cancel::new();
        let requests: Vec<_> = cases
            .iter()
            .zip(&weights)
            .map(|(case, weights)| LinearRequest {
                isa,
                cancel: &cancel,
                input: &case.input,
                tokens: case.tokens,
                weights,
                combine: Combine::Separate,
                scale: 1.0,
                residual: None,
            })
            .collect();
        for threads in [1, 2, 3] {
            let team = Pool::global().team(threads);
            let mut found: Vec<_> = expected.iter().map(|output| vec![f32::NAN; output.len()]).collect();
            let mut slices: Vec<_> = found.iter_mut().map(Vec::as_mut_slice).collect();
            linear_each(&team, &mut Scratch::new(), &requests, &mut slices).expect("products");
            for (found, expected) in found.iter().zip(&expected) {
                assert_same(found, expected, isa.name());
            }
            let mut slices: Vec<_> = found.iter_mut().map(Vec::as_mut_slice).collect();
            assert!(linear_each(&team, &mut Scratch::new(), &requests[1..], &mut slices).is_err());
            assert!(linear_each(&team, &mut Scratch::new(), &requests, &mut slices[1..]).is_err());
            let nothing = LinearRequest {
                tokens: 0,
                input: &[],
                ..requests[0]
            };
            assert!(linear_each(&team, &mut Scratch::new(), &[nothing], &mut [&mut [], &mut []]).is_err());
        }
    }
}

#[test]
fn a_cancelled_product_says_so() {
    let case = case(vec![Format::Q8_0], (64, 4, 4), 2, 17);
    let cancel = Cancel::new();
    cancel.set();
    let weights = [case.weights[0].linear()];
    let request = LinearRequest {
        isa: Isa::Scalar,
        cancel: &cancel,
        input: &case.input,
        tokens: case.tokens,
        weights: &weights,
        combine: Combine::Separate,
        scale: 1.0,
        residual: None,
    };
    let mut output = vec![0.0; 4 * 64];
    let team = Pool::global().team(2);
    let error = linear(&team, &mut Scratch::new(), &request, &mut [&mut output]).unwrap_err();
    assert_eq!(error.code, ErrorCode::Cancelled);
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let case = case(vec![Format::Q8_0], (8, 2, 2), 1, 19);
    let weight = case.weights[0].linear();
    let other = Weights::random(Format::Q8_0, 8, 96, 1);
    let request = LinearRequest {
        isa: Isa::Scalar,
        cancel: &Cancel::new(),
        input: &case.input,
        tokens: 2,
        weights: &[weight],
        combine: Combine::Separate,
        scale: 1.0,
        residual: None,
    };
    let short = [0.0; 7];
    let odd = [Weights::random(Format::Q8_0, 7, 64, 1)];
    let bad = [
        LinearRequest {
            weights: &[],
            ..request
        },
        LinearRequest { tokens: 3, ..request },
        LinearRequest {
            tokens: usize::MAX,
            ..request
        },
        LinearRequest {
            weights: &[weight, other.linear()],
            ..request
        },
        LinearRequest {
            weights: &[weight, weight],
            ..request
        },
        LinearRequest {
            weights: &[LinearWeight {
                bias: Some(&short),
                ..weight
            }],
            ..request
        },
        LinearRequest {
            residual: Some(&short),
            ..request
        },
        LinearRequest {
            weights: &[odd[0].linear()],
            combine: Combine::Gated(Activation::Silu),
            ..request
        },
    ];
    let team = Pool::global().team(1);
    for request in bad {
        let mut output = vec![0.0; 16];
        let error = linear(&team, &mut Scratch::new(), &request, &mut [&mut output]).unwrap_err();
        assert_eq!(error.code, ErrorCode::TensorShapeMismatch);
    }
    let mut output = vec![0.0; 15];
    assert!(linear(&team, &mut Scratch::new(), &request, &mut [&mut output]).is_err());
    let nothing = LinearRequest {
        tokens: 0,
        input: &[],
        ..request
    };
    linear(&team, &mut Scratch::new(), &nothing, &mut [&mut []]).expect("nothing to do");
}

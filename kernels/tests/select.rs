//! Candidate selection and scores against a full sort and f64, on every instruction set.

use proptest::prelude::*;
use rivulet_kernels::error::ErrorCode;
use rivulet_kernels::isa::Isa;
use rivulet_kernels::select::{Candidates, Penalties, Selection, score, select};

/// The definition, without any of the shortcuts.
fn ranked(row: &[f32]) -> Vec<i32> {
    let mut ids: Vec<_> = (0..row.len() as i32).collect();
    ids.sort_by(|left, right| {
        let [left_logit, right_logit] = [left, right].map(|id| row[*id as usize]);
        right_logit.partial_cmp(&left_logit).unwrap().then(left.cmp(right))
    });
    ids
}

fn exact_log_sum_exp(row: &[f32]) -> f64 {
    let largest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    if largest.is_infinite() {
        return largest;
    }
    largest
        + row
            .iter()
            .map(|logit| (f64::from(*logit) - largest).exp())
            .sum::<f64>()
            .ln()
}

fn adjusted(row: &[f32], selection: &Selection<'_>) -> Vec<f32> {
    let mut row = row.to_vec();
    for (id, value) in selection.bias {
        if let Some(logit) = row.get_mut(*id as usize) {
            *logit = if value.is_finite() { *logit + value } else { *value };
        }
    }
    if let Some(penalties) = selection.penalties {
        for (id, count) in penalties.ids.iter().zip(penalties.counts) {
            if let Some(logit) = row.get_mut(*id as usize) {
                let repeated = if *logit <= 0.0 {
                    *logit * penalties.repeat
                } else {
                    *logit / penalties.repeat
                };
                *logit = repeated - (*count as f32 * penalties.frequency + penalties.presence);
            }
        }
    }
    if let Some(mask) = selection.mask {
        for (id, logit) in row.iter_mut().enumerate() {
            if mask.get(id / 32).is_none_or(|word| word >> (id % 32) & 1 == 0) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
    row
}

/// Compares with the definition, on every instruction set, and with each other bit by bit.
fn check(row: &[f32], selection: &Selection<'_>) {
    let expected = adjusted(row, selection);
    let mut first: Option<Candidates> = None;
    for isa in Isa::available() {
        let mut copy = row.to_vec();
        let found = select(isa, &mut copy, selection).unwrap();
        assert!(
            copy.iter()
                .zip(row)
                .all(|(left, right)| left.to_bits() == right.to_bits()),
            "the row is as it was"
        );
        let ids = &ranked(&expected)[..selection.count.min(row.len())];
        assert_eq!(found.ids, ids);
        for (rank, id) in ids.iter().enumerate() {
            assert_eq!(found.logits[rank], expected[*id as usize]);
            assert_eq!(found.raw_logits[rank], row[*id as usize]);
        }
        assert_eq!([found.logits.len(), found.raw_logits.len()], [ids.len(); 2]);
        let raw_ids = &ranked(row)[..selection.raw_top.min(row.len())];
        assert_eq!(found.raw_top_ids, raw_ids);
        let raw_logits: Vec<_> = raw_ids.iter().map(|id| row[*id as usize]).collect();
        assert_eq!(found.raw_top_logits, raw_logits);
        for (found, row) in [(found.log_sum_exp, &expected[..]), (found.raw_log_sum_exp, row)] {
            let exact = exact_log_sum_exp(row);
            // An error of the logarithm is a relative error of the sum.
            assert!(
                found == exact || (found - exact).abs() < 5e-7 + 1e-15 * exact.abs(),
                "{found} {exact}"
            );
        }
        match &first {
            None => first = Some(found),
            Some(first) => assert_eq!(*first, found, "{isa:?}"),
        }
    }
}

fn logit() -> impl Strategy<Value = f32> {
    prop_oneof![
        12 => -60f32..60.0,
        4 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, 7.5]),
        1 => prop::sample::select(vec![f32::NEG_INFINITY, 3.4e38, -3.4e38]),
    ]
}

proptest! {
    #[test]
    fn ranks_as_a_full_sort_does(
        row in prop::collection::vec(logit(), 1..1500),
        count in 0usize..1600,
        raw_top in 0usize..20,
    ) {
        check(&row, &Selection { count, raw_top, ..Selection::default() });
    }

    #[test]
    fn adjusts_as_the_definition_does(
        row in prop::collection::vec(-20f32..20.0, 1..1500),
        count in 1usize..100,
        raw_top in 0usize..5,
        bias in prop::collection::vec((-2i32..1600, prop_oneof![-5f32..5.0, Just(f32::NEG_INFINITY)]), 0..8),
        ids in prop::collection::vec(0i32..1600, 0..40),
        words in prop::option::of(prop::collection::vec(prop_oneof![Just(0i32), Just(-1), any::<i32>()], 0..50)),
    ) {
        let counts: Vec<_> = ids.iter().map(|id| id % 4 + 1).collect();
        let penalties = Penalties { ids: &ids, counts: &counts, repeat: 1.3, frequency: 0.4, presence: 0.2 };
        let bias: Vec<_> = bias.into_iter().filter(|(id, _)| *id >= 0).collect();
        let selection = Selection { count, raw_top, bias: &bias, penalties: Some(penalties), mask: words.as_deref() };
        check(&row, &selection);
        check(&row, &Selection { penalties: None, ..selection });
        check(&row, &Selection { penalties: None, bias: &[], ..selection });
    }
}

#[test]
fn cuts_its_buffer_right_on_long_rows_of_every_order() {
    let mut state = 3u64;
    let mut row: Vec<f32> = (0..40_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f32 / 2f32.powi(31) * 50.0
        })
        .map(|value| (value * 100.0).round() / 100.0)
        .collect();
    let rows = [
        row.clone(),
        {
            row.sort_by(f32::total_cmp);
            row.clone()
        },
        {
            row.reverse();
            row
        },
    ];
    for row in &rows {
        for count in [1, 40, 157, 300, 5_000] {
            check(
                row,
                &Selection {
                    count,
                    raw_top: 2,
                    ..Selection::default()
                },
            );
        }
    }
}

#[test]
fn applies_bias_then_penalties_then_mask() {
    let row = [1.0, 2.0, -3.0, 4.0, 0.5];
    let selection = Selection {
        count: 5,
        raw_top: 2,
        bias: &[(0, 4.0), (2, 1.0)],
        penalties: Some(Penalties {
            ids: &[0, 2],
            counts: &[1, 3],
            repeat: 2.0,
            frequency: 0.5,
            presence: 0.25,
        }),
        mask: Some(&[0b10111]),
    };
    for isa in Isa::available() {
        let found = select(isa, &mut row.clone(), &selection).unwrap();
        // 0: (1 + 4) / 2 - 0.75; 2: (-3 + 1) * 2 - 1.75; 3: forbidden.
        assert_eq!(found.ids, [1, 0, 4, 2, 3]);
        assert_eq!(found.logits, [2.0, 1.75, 0.5, -5.75, f32::NEG_INFINITY]);
        assert_eq!(found.raw_logits, [2.0, 1.0, 0.5, -3.0, 4.0]);
        assert_eq!((found.raw_top_ids, found.raw_top_logits), (vec![3, 1], vec![4.0, 2.0]));
    }
    check(&row, &selection);
}

#[test]
fn infinite_logits_rank_first_and_last_and_an_infinite_bias_wins() {
    let row = [1.0, f32::INFINITY, f32::NEG_INFINITY, 2.0];
    for isa in Isa::available() {
        let ask = |selection: &Selection<'_>| select(isa, &mut row.clone(), selection).unwrap();
        let plain = ask(&Selection {
            count: 4,
            ..Selection::default()
        });
        assert_eq!((plain.ids, plain.log_sum_exp), (vec![1, 3, 0, 2], f64::INFINITY));
        let forbidden = ask(&Selection {
            count: 1,
            bias: &[(1, f32::NEG_INFINITY)],
            ..Selection::default()
        });
        assert_eq!((forbidden.ids, forbidden.raw_log_sum_exp), (vec![3], f64::INFINITY));
        assert!((forbidden.log_sum_exp - (1f64.exp() + 2f64.exp()).ln()).abs() < 1e-6);
        let chosen = ask(&Selection {
            count: 1,
            bias: &[(2, f32::INFINITY), (1, f32::NEG_INFINITY)],
            ..Selection::default()
        });
        assert_eq!((chosen.ids, chosen.log_sum_exp), (vec![2], f64::INFINITY));
        let none = ask(&Selection {
            count: 2,
            mask: Some(&[0]),
            ..Selection::default()
        });
        assert_eq!((none.ids, none.log_sum_exp), (vec![0, 1], f64::NEG_INFINITY));
    }
}

#[test]
fn not_a_number_is_damaged_weights_with_and_without_adjustments() {
    for length in [6, 300, 1000] {
        for position in [0, 1, 4, 5, length - 1] {
            for fill in [1.0, f32::NEG_INFINITY, f32::INFINITY] {
                let mut row = vec![fill; length];
                row[position] = f32::NAN;
                let mut mask = vec![-1; length.div_ceil(32)];
                mask[position / 32] = !(1 << (position % 32));
                let selections = [
                    Selection {
                        count: 1,
                        ..Selection::default()
                    },
                    Selection {
                        count: 6,
                        ..Selection::default()
                    },
                    Selection {
                        count: 2,
                        bias: &[(position as i32, f32::NEG_INFINITY)],
                        ..Selection::default()
                    },
                    Selection {
                        count: 2,
                        mask: Some(&mask),
                        ..Selection::default()
                    },
                ];
                for isa in Isa::available() {
                    for selection in &selections {
                        let error = select(isa, &mut row.clone(), selection).unwrap_err();
                        assert_eq!(error.code, ErrorCode::WeightsNotFinite);
                        assert!(error.message.contains(&format!("token {position}.")));
                    }
                    let error = score(isa, &row, length, &[1], 0).unwrap_err();
                    assert_eq!(error.code, ErrorCode::WeightsNotFinite);
                }
            }
        }
    }
    // An adjustment that makes one is told as well, and undone.
    let mut row = [1.0, 2.0];
    let bias = [(0, f32::INFINITY)];
    let penalties = Penalties {
        ids: &[0],
        counts: &[1],
        repeat: 1.0,
        frequency: f32::INFINITY,
        presence: 0.0,
    };
    let selection = Selection {
        count: 1,
        bias: &bias,
        penalties: Some(penalties),
        ..Selection::default()
    };
    assert!(select(Isa::Scalar, &mut row, &selection).is_err());
    assert_eq!(row, [1.0, 2.0]);
}

#[test]
fn scores_targets_and_the_best() {
    let rows = [1.0, 2.0, 3.0, 0.0, 0.0, f32::NEG_INFINITY];
    let sum = (1f64.exp() + 2f64.exp() + 3f64.exp()).ln();
    for isa in Isa::available() {
        let scores = score(isa, &rows, 3, &[0, -1], 2).unwrap();
        assert!((f64::from(scores.logprobs[0]) - (1.0 - sum)).abs() < 1e-6);
        assert!(scores.logprobs[1].is_nan());
        assert_eq!(scores.top_ids, [2, 1, 0, 1]);
        assert!((f64::from(scores.top_logprobs[0]) - (3.0 - sum)).abs() < 1e-6);
        assert!((f64::from(scores.top_logprobs[2]) - 0.5f64.ln()).abs() < 1e-6);
        let wide = score(isa, &rows, 3, &[0, 2], 9).unwrap();
        assert_eq!(wide.top_ids, [2, 1, 0, 0, 1, 2]);
        assert_eq!([wide.logprobs[1], wide.top_logprobs[5]], [f32::NEG_INFINITY; 2]);
        assert!(
            score(isa, &rows, 4, &[0, -1], 2)
                .unwrap_err()
                .message
                .contains("2 rows of 4")
        );
        assert_eq!(
            score(isa, &rows, 3, &[0, 3], 0).unwrap_err().code,
            ErrorCode::InvalidArgument
        );
    }
}

#[test]
fn the_sum_keeps_its_accuracy_for_any_length_and_depth() {
    let mut state = 9u64;
    for length in [1, 2, 3, 5, 1023, 262_144] {
        for spread in [0.01, 5.0, 30.0, 200.0] {
            let row: Vec<f32> = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    ((state >> 33) as f32 / 2f32.powi(31) - 0.5) * spread
                })
                .collect();
            check(
                &row,
                &Selection {
                    count: 3,
                    ..Selection::default()
                },
            );
        }
    }
}

//! Norms against f64, on every instruction set.

use proptest::prelude::*;
use rivulet_kernels::isa::Isa;
use rivulet_kernels::norm::{NormKind, norm, norm_slice};
use rivulet_kernels::pool::Pool;

const KINDS: [NormKind; 3] = [NormKind::Rms, NormKind::Layer, NormKind::Length];
const EPSILON: f32 = 1e-6;

fn exact(kind: NormKind, row: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
    let count = row.len() as f64;
    let mean = match kind {
        NormKind::Layer => row.iter().map(|x| f64::from(*x)).sum::<f64>() / count,
        _ => 0.0,
    };
    let squares: f64 = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum();
    let length = match kind {
        NormKind::Length => squares.sqrt().max(f64::from(EPSILON)),
        _ => (squares / count + f64::from(EPSILON)).sqrt(),
    };
    row.iter()
        .zip(weight.iter().zip(bias))
        .map(|(x, (weight, bias))| (f64::from(*x) - mean) / length * f64::from(*weight) + f64::from(*bias))
        .collect()
}

proptest! {
    #[test]
    fn near_the_exact_value_and_the_same_on_every_instruction_set(
        width in 1usize..300,
        seed in prop::collection::vec(-100f32..100.0, 900),
        offset in prop::sample::select(vec![0.0f32, 1000.0]),
        size in prop::sample::select(vec![1e-4f32, 1.0, 1e10]),
    ) {
        let row: Vec<f32> = seed[..width].iter().map(|x| (x + offset) * size).collect();
        let (weight, bias) = (&seed[300..300 + width], &seed[600..600 + width]);
        for kind in KINDS {
            let expected = exact(kind, &row, weight, bias);
            let mut reference = vec![0.0; width];
            norm_slice(Isa::Scalar, kind, &row, width, Some(weight), Some(bias), EPSILON, &mut reference);
            for (index, (expected, found)) in expected.iter().zip(&reference).enumerate() {
                let size = (expected.abs() + 2.0 * f64::from(bias[index]).abs()).max(1e-30);
                prop_assert!((expected - f64::from(*found)).abs() <= 3e-7 * size, "{kind:?} {expected} {found}");
            }
            for isa in Isa::available() {
                let mut found = vec![0.0; width];
                norm_slice(isa, kind, &row, width, Some(weight), Some(bias), EPSILON, &mut found);
                prop_assert_eq!(&found, &reference);
            }
        }
    }
}

#[test]
fn a_row_depends_on_itself_alone() {
    let width = 576;
    let input: Vec<f32> = (0..37 * width)
        .map(|index| (index as f32 * 0.7311).sin() * 5.0)
        .collect();
    let weight: Vec<f32> = (0..width).map(|index| 0.5 + index as f32 * 0.001).collect();
    for isa in Isa::available() {
        for kind in KINDS {
            let mut single = vec![0.0; input.len()];
            for (row, output) in input.chunks(width).zip(single.chunks_mut(width)) {
                norm_slice(isa, kind, row, width, Some(&weight), None, EPSILON, output);
            }
            for threads in [1, 2, 3] {
                let team = Pool::global().team(threads);
                let mut together = vec![0.0; input.len()];
                norm(
                    &team,
                    isa,
                    kind,
                    &input,
                    width,
                    Some(&weight),
                    None,
                    EPSILON,
                    &mut together,
                );
                assert_eq!(single, together);
            }
        }
    }
}

#[test]
fn without_weight_and_bias_and_for_rows_of_zeros() {
    for isa in Isa::available() {
        let mut output = [0.0; 8];
        let input = [3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        norm_slice(isa, NormKind::Rms, &input, 4, None, None, 0.0025, &mut output[..8]);
        let length = (25.0f64 / 4.0 + 0.0025).sqrt();
        assert_eq!(
            output,
            [
                (3.0 / length) as f32,
                (4.0 / length) as f32,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0
            ]
        );
        norm_slice(isa, NormKind::Length, &input, 4, None, None, 1e-6, &mut output);
        assert_eq!(output, [3.0 * 0.2, 4.0 * 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        norm_slice(
            isa,
            NormKind::Layer,
            &[5.0; 4],
            4,
            None,
            Some(&[1.0; 4]),
            1e-6,
            &mut output[..4],
        );
        assert_eq!(output[..4], [1.0; 4]);
    }
}

//! Rows against others and themselves, compared with f64, on every instruction set.

use proptest::prelude::*;
use rivulet_kernels::contrast::{keep_peaks, match_length};
use rivulet_kernels::isa::Isa;

fn length(row: &[f32]) -> f64 {
    row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
}

proptest! {
    #[test]
    fn a_row_gets_the_length_of_the_other(
        width in 1usize..200,
        seed in prop::collection::vec(-100f32..100.0, 400),
        size in prop::sample::select(vec![1e-6f32, 1.0, 1e10]),
    ) {
        let input: Vec<f32> = seed[..width].iter().map(|x| x * size).collect();
        let like = &seed[200..200 + width];
        let factor = if length(&input) == 0.0 { 0.0 } else { length(like) / length(&input) };
        let mut reference = vec![0.0; width];
        match_length(Isa::Scalar, &input, like, width, &mut reference);
        for (x, found) in input.iter().zip(&reference) {
            let expected = f64::from(*x) * factor;
            prop_assert!((expected - f64::from(*found)).abs() <= 2e-7 * expected.abs(), "{expected} {found}");
        }
        for isa in Isa::available() {
            let mut found = vec![0.0; width];
            match_length(isa, &input, like, width, &mut found);
            prop_assert_eq!(&found, &reference);
        }
    }

    #[test]
    fn only_peaks_stay(
        width in 2usize..200,
        seed in prop::collection::vec(-100f32..100.0, 200),
        deviations in 0f32..2.0,
    ) {
        let row = &seed[..width];
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / width as f64;
        let squares: f64 = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum();
        let threshold = mean + f64::from(deviations) * (squares / (width as f64 - 1.0)).sqrt();
        let mut reference = vec![0.0; width];
        keep_peaks(Isa::Scalar, row, width, deviations, &mut reference);
        for (x, found) in row.iter().zip(&reference) {
            let expected = (f64::from(*x) - threshold).max(0.0);
            prop_assert!((expected - f64::from(*found)).abs() <= 4e-5, "{expected} {found}");
        }
        for isa in Isa::available() {
            let mut found = vec![0.0; width];
            keep_peaks(isa, row, width, deviations, &mut found);
            prop_assert_eq!(&found, &reference);
        }
    }
}

#[test]
fn rows_depend_on_themselves_alone() {
    let width = 48;
    let input: Vec<f32> = (0..5 * width).map(|index| (index as f32 * 0.73).sin()).collect();
    let like: Vec<f32> = (0..5 * width).map(|index| (index as f32 * 1.31).cos()).collect();
    for isa in Isa::available() {
        let mut matched = vec![0.0; input.len()];
        let mut peaks = vec![0.0; input.len()];
        match_length(isa, &input, &like, width, &mut matched);
        keep_peaks(isa, &input, width, 1.5, &mut peaks);
        for row in 0..5 {
            let range = row * width..(row + 1) * width;
            let mut alone = vec![0.0; width];
            match_length(isa, &input[range.clone()], &like[range.clone()], width, &mut alone);
            assert_eq!(alone, matched[range.clone()]);
            keep_peaks(isa, &input[range.clone()], width, 1.5, &mut alone);
            assert_eq!(alone, peaks[range]);
        }
    }
}

#[test]
fn zeros_and_nan_stay() {
    for isa in Isa::available() {
        let mut output = [1.0; 4];
        match_length(isa, &[0.0; 4], &[1.0; 4], 4, &mut output);
        assert_eq!(output, [0.0; 4]);
        keep_peaks(isa, &[1.0, f32::NAN, 2.0, 3.0], 4, 1.0, &mut output);
        assert!(output.iter().all(|value| value.is_nan()));
    }
}

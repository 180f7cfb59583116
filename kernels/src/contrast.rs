//! Rows measured against others or against themselves: what norms do not do.

use crate::arch::lanes::run;
use crate::isa::Isa;
use crate::norm::Sum;

/// Each row of `input` made as long, in the Euclidean sense, as the row of `like`; all are (nRows, width).
/// A row of zeros stays one.
pub fn match_length(isa: Isa, input: &[f32], like: &[f32], width: usize, output: &mut [f32]) {
    assert!(width > 0 && input.len() == output.len() && like.len() == output.len());
    let rows = input.chunks_exact(width).zip(like.chunks_exact(width));
    for ((row, like), output) in rows.zip(output.chunks_exact_mut(width)) {
        let [own, wanted] = [row, like].map(|row| squares(isa, row, 0.0).sqrt());
        let factor = if own == 0.0 { 0.0 } else { (wanted / own) as f32 };
        for (value, x) in output.iter_mut().zip(row) {
            *value = x * factor;
        }
    }
}

/// max(0, x - threshold), the threshold `deviations` standard deviations (of a sample) above the mean of each
/// row; `input` and `output` are (nRows, width).
pub fn keep_peaks(isa: Isa, input: &[f32], width: usize, deviations: f32, output: &mut [f32]) {
    assert!(width > 0 && input.len() == output.len());
    for (row, output) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
        let mean = run(isa, Sum { row, center: None }) / width as f64;
        let deviation = (squares(isa, row, mean) / (width as f64 - 1.0).max(1.0)).sqrt();
        let threshold = (mean + f64::from(deviations) * deviation) as f32;
        for (value, x) in output.iter_mut().zip(row) {
            let above = x - threshold;
            // Not `f32::max`, which turns NaN into a number.
            *value = if above < 0.0 { 0.0 } else { above };
        }
    }
}

/// The sum of (x - center)^2.
fn squares(isa: Isa, row: &[f32], center: f64) -> f64 {
    run(
        isa,
        Sum {
            row,
            center: Some(center),
        },
    )
}

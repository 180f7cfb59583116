use crate::arch::compiled_per_isa;
use crate::isa::Isa;
use crate::pool::Team;

/// Fewer elements than this are not worth waking threads for.
const PARALLEL_ELEMENTS: usize = 8192;
/// Lane j sums the columns j, j + 16, …; lanes are then added pairwise: (l, l + 8), (l, l + 4), (l, l + 2), (l, l + 1).
const LANES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// x / sqrt(mean(x^2) + epsilon)
    Rms,
    /// (x - mean(x)) / sqrt(variance(x) + epsilon)
    Layer,
    /// x / max(|x|, epsilon), |x| the Euclidean length
    Length,
}

/// Normalizes each row on its own, then multiplies by `weight` and adds `bias`, both (width,).
/// `input` and `output` are (nRows, width). Sums are made in f64.
#[allow(clippy::too_many_arguments)]
pub fn norm(
    team: &Team<'_>,
    isa: Isa,
    kind: NormKind,
    input: &[f32],
    width: usize,
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
    epsilon: f32,
    output: &mut [f32],
) {
    assert_eq!(input.len(), output.len());
    if input.len() < PARALLEL_ELEMENTS || input.len() < 2 * width {
        return norm_slice(isa, kind, input, width, weight, bias, epsilon, output);
    }
    team.split_slice(output, width, 1, &|rows, part| {
        let input = &input[rows.start * width..rows.end * width];
        norm_slice(isa, kind, input, width, weight, bias, epsilon, part);
    });
}

compiled_per_isa! {
    /// [`norm`] on the caller's thread alone.
    #[allow(clippy::too_many_arguments)]
    pub fn norm_slice(
        kind: NormKind,
        input: &[f32],
        width: usize,
        weight: Option<&[f32]>,
        bias: Option<&[f32]>,
        epsilon: f32,
        output: &mut [f32],
    ) = norm_loop;
}

#[allow(clippy::too_many_arguments)]
#[inline(always)]
fn norm_loop(
    kind: NormKind,
    input: &[f32],
    width: usize,
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
    epsilon: f32,
    output: &mut [f32],
) {
    assert!(width > 0 && input.len() == output.len() && input.len().is_multiple_of(width));
    assert!(weight.is_none_or(|weight| weight.len() == width) && bias.is_none_or(|bias| bias.len() == width));
    for (row, output) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
        let count = width as f64;
        let epsilon = f64::from(epsilon);
        match kind {
            NormKind::Rms => scale(
                row,
                (1.0 / (sum_of_squares(row, 0.0) / count + epsilon).sqrt()) as f32,
                output,
            ),
            NormKind::Length => scale(row, (1.0 / sum_of_squares(row, 0.0).sqrt().max(epsilon)) as f32, output),
            NormKind::Layer => {
                let mean = sum(row) / count;
                let factor = (1.0 / (sum_of_squares(row, mean) / count + epsilon).sqrt()) as f32;
                for (value, x) in output.iter_mut().zip(row) {
                    *value = (f64::from(*x) - mean) as f32 * factor;
                }
            }
        }
        // Rows are short enough to be in the first cache for these.
        if let Some(weight) = weight {
            for (value, weight) in output.iter_mut().zip(weight) {
                *value *= weight;
            }
        }
        if let Some(bias) = bias {
            for (value, bias) in output.iter_mut().zip(bias) {
                *value += bias;
            }
        }
    }
}

#[inline(always)]
fn scale(row: &[f32], factor: f32, output: &mut [f32]) {
    for (value, x) in output.iter_mut().zip(row) {
        *value = x * factor;
    }
}

#[inline(always)]
fn sum(row: &[f32]) -> f64 {
    sum_of(row, |x| x)
}

/// The sum of (x - center)^2.
#[inline(always)]
fn sum_of_squares(row: &[f32], center: f64) -> f64 {
    sum_of(row, |x| (x - center) * (x - center))
}

#[inline(always)]
fn sum_of(row: &[f32], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += term(f64::from(chunk[lane]));
        }
    }
    // Padded, as an index known only at run time would keep the lanes out of registers.
    let mut last = [0.0f32; LANES];
    last[..rest.len()].copy_from_slice(rest);
    for lane in 0..LANES {
        let sum = lanes[lane] + term(f64::from(last[lane]));
        lanes[lane] = if lane < rest.len() { sum } else { lanes[lane] };
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
    }
    lanes[0]
}

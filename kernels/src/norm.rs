use crate::arch::compiled_per_isa;
use crate::arch::lanes::{Kernel, LANES, Lanes, run};
use crate::isa::Isa;
use crate::pool::Team;

/// Fewer elements than this are not worth waking threads for.
const PARALLEL_ELEMENTS: usize = 8192;

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
#[allow(
    clippy::too_many_arguments,
    reason = "inputs, outputs and settings of one operator; a struct would only name them again"
)]
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

/// [`norm`] on the caller's thread alone.
#[allow(
    clippy::too_many_arguments,
    reason = "inputs, outputs and settings of one operator; a struct would only name them again"
)]
pub fn norm_slice(
    isa: Isa,
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
    let count = width as f64;
    let epsilon = f64::from(epsilon);
    for (row, output) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
        let sum = |center| run(isa, Sum { row, center });
        let (mean, factor) = match kind {
            NormKind::Rms => (None, 1.0 / (sum(Some(0.0)) / count + epsilon).sqrt()),
            NormKind::Length => (None, 1.0 / sum(Some(0.0)).sqrt().max(epsilon)),
            NormKind::Layer => {
                let mean = sum(None) / count;
                (Some(mean), 1.0 / (sum(Some(mean)) / count + epsilon).sqrt())
            }
        };
        scale(isa, row, mean, factor as f32, weight, bias, output);
    }
}

compiled_per_isa! {
    fn scale(
        row: &[f32],
        mean: Option<f64>,
        factor: f32,
        weight: Option<&[f32]>,
        bias: Option<&[f32]>,
        output: &mut [f32],
    ) = scale_loop;
}

#[inline(always)]
fn scale_loop(
    row: &[f32],
    mean: Option<f64>,
    factor: f32,
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
    output: &mut [f32],
) {
    let pairs = output.iter_mut().zip(row);
    match (mean, weight) {
        (None, None) => pairs.for_each(|(value, x)| *value = x * factor),
        (None, Some(weight)) => {
            for ((value, x), weight) in pairs.zip(weight) {
                *value = x * factor * weight;
            }
        }
        (Some(mean), None) => pairs.for_each(|(value, x)| *value = (f64::from(*x) - mean) as f32 * factor),
        (Some(mean), Some(weight)) => {
            for ((value, x), weight) in pairs.zip(weight) {
                *value = (f64::from(*x) - mean) as f32 * factor * weight;
            }
        }
    }
    if let Some(bias) = bias {
        for (value, bias) in output.iter_mut().zip(bias) {
            *value += bias;
        }
    }
}

/// The sum of a row, or of its squared distances from `center`, in f64: lane j sums the columns j, j + 16, …; lanes
/// are then added pairwise: (l, l + 8), (l, l + 4), (l, l + 2), (l, l + 1).
pub(crate) struct Sum<'a> {
    pub row: &'a [f32],
    pub center: Option<f64>,
}

impl Kernel for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f64 {
        let (vectors, rest) = self.row.as_chunks::<LANES>();
        let mut sums = lanes.wide_zeros();
        match self.center {
            Some(center) => {
                for vector in vectors {
                    sums = lanes.add_squares(sums, lanes.load(vector), center);
                }
            }
            None => {
                for vector in vectors {
                    sums = lanes.add_wide(sums, lanes.load(vector));
                }
            }
        }
        let mut sums = lanes.store_wide(sums);
        for (sum, x) in sums.iter_mut().zip(rest) {
            let x = f64::from(*x);
            *sum += self.center.map_or(x, |center| (x - center) * (x - center));
        }
        for half in [8, 4, 2, 1] {
            for lane in 0..half {
                sums[lane] += sums[lane + half];
            }
        }
        sums[0]
    }
}

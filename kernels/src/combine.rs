//! Element-wise operators between others.

use crate::arch::compiled_per_isa;
use crate::isa::Isa;
use crate::pool::Team;
use crate::transcendental::tanh;

/// Fewer elements than this are not worth waking threads for.
const PARALLEL_ELEMENTS: usize = 16_384;
/// Threads take multiples of this many elements, so that they share no cache line.
const GRAIN: usize = 64;

/// `output[i] = left[i] + right[i]`.
pub fn add(team: &Team<'_>, isa: Isa, left: &[f32], right: &[f32], output: &mut [f32]) {
    assert!(left.len() == output.len() && right.len() == output.len());
    split(team, output, 1, GRAIN, &|range, part| {
        add_slice(isa, &left[range.clone()], &right[range], part);
    });
}

/// `values[i] *= factor`.
pub fn scale(team: &Team<'_>, isa: Isa, values: &mut [f32], factor: f32) {
    split(team, values, 1, GRAIN, &|_, part| scale_slice(isa, part, factor));
}

/// `values[i] = cap * tanh(values[i] / cap)`.
pub fn softcap(team: &Team<'_>, isa: Isa, values: &mut [f32], cap: f32) {
    split(team, values, 1, GRAIN, &|_, part| softcap_slice(isa, part, cap));
}

/// Multiplies every row of `values`, (nRows, nColumns), by `factors`, (nColumns,).
pub fn multiply_columns(team: &Team<'_>, isa: Isa, values: &mut [f32], factors: &[f32]) {
    split(team, values, factors.len(), 1, &|_, part| {
        multiply_columns_slice(isa, part, factors);
    });
}

fn split(
    team: &Team<'_>,
    values: &mut [f32],
    width: usize,
    grain: usize,
    body: &(dyn Fn(std::ops::Range<usize>, &mut [f32]) + Sync),
) {
    if values.len() < PARALLEL_ELEMENTS {
        body(0..values.len() / width, values);
    } else {
        team.split_slice(values, width, grain, body);
    }
}

compiled_per_isa! {
    fn add_slice(left: &[f32], right: &[f32], output: &mut [f32]) = add_loop;
}

#[inline(always)]
fn add_loop(left: &[f32], right: &[f32], output: &mut [f32]) {
    for ((value, left), right) in output.iter_mut().zip(left).zip(right) {
        *value = left + right;
    }
}

compiled_per_isa! {
    fn scale_slice(values: &mut [f32], factor: f32) = scale_loop;
}

#[inline(always)]
fn scale_loop(values: &mut [f32], factor: f32) {
    for value in values {
        *value *= factor;
    }
}

compiled_per_isa! {
    /// [`softcap`] on the caller's thread alone.
    pub fn softcap_slice(values: &mut [f32], cap: f32) = softcap_loop;
}

#[inline(always)]
fn softcap_loop(values: &mut [f32], cap: f32) {
    for value in values {
        *value = cap * tanh(*value / cap);
    }
}

compiled_per_isa! {
    fn multiply_columns_slice(values: &mut [f32], factors: &[f32]) = multiply_columns_loop;
}

#[inline(always)]
fn multiply_columns_loop(values: &mut [f32], factors: &[f32]) {
    assert!(!factors.is_empty() && values.len().is_multiple_of(factors.len()));
    for row in values.chunks_exact_mut(factors.len()) {
        for (value, factor) in row.iter_mut().zip(factors) {
            *value *= factor;
        }
    }
}

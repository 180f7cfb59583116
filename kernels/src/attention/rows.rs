//! Queries, keys and values on their way in: normalized and turned.

use super::settings::{AttentionSettings, HeadNorm};
use crate::isa::Isa;
use crate::norm::norm_slice;
use crate::rope::{Rope, rotate};

/// Weights or bias of a head, none when there are none.
fn part(values: &[f32], head: usize, dim: usize) -> Option<&[f32]> {
    match values.len() {
        0 => None,
        length if length == dim => Some(values),
        _ => Some(&values[head * dim..(head + 1) * dim]),
    }
}

/// `input` (dim,) of head `head` normalized into `output`.
fn normalize_head(isa: Isa, norm: &HeadNorm, head: usize, input: &[f32], output: &mut [f32]) {
    let dim = input.len();
    let (weight, bias) = (part(&norm.weight, head, dim), part(&norm.bias, head, dim));
    norm_slice(isa, norm.kind, input, dim, weight, bias, norm.epsilon, output);
}

/// All heads of a token, (heads * dim,), normalized as one row.
pub fn normalize_row(isa: Isa, norm: &HeadNorm, input: &[f32], output: &mut [f32]) {
    let width = input.len();
    let (weight, bias) = (part(&norm.weight, 0, width), part(&norm.bias, 0, width));
    norm_slice(isa, norm.kind, input, width, weight, bias, norm.epsilon, output);
}

/// A row of the table of a rope, (2, dimensions / 2).
pub type Turn<'a> = Option<(&'a Rope, &'a [f32])>;

/// A head of a query or key ready for products, but for its scale, in `output`; a norm of the whole row was before.
pub fn ready_head(
    isa: Isa,
    settings: &AttentionSettings,
    norm: Option<&HeadNorm>,
    head: usize,
    turn: Turn<'_>,
    input: &[f32],
    output: &mut [f32],
) {
    let norm = norm.filter(|norm| !norm.whole_row);
    match norm.filter(|_| !settings.norm_after_rope) {
        Some(norm) => normalize_head(isa, norm, head, input, output),
        None => output.copy_from_slice(input),
    }
    if let Some((rope, turn)) = turn {
        rotate(isa, rope.pairs, output, turn);
    }
    if let Some(norm) = norm.filter(|_| settings.norm_after_rope) {
        let turned = output.to_vec();
        normalize_head(isa, norm, head, &turned, output);
    }
}

/// A head of a value in `output`.
pub fn ready_value(isa: Isa, norm: Option<&HeadNorm>, head: usize, input: &[f32], output: &mut [f32]) {
    match norm.filter(|norm| !norm.whole_row) {
        Some(norm) => normalize_head(isa, norm, head, input, output),
        None => output.copy_from_slice(input),
    }
}

use super::request::{RouterGate, RouterSettings};
use crate::activate::{Activation, activate_slice};
use crate::arch::compiled_per_isa;
use crate::isa::Isa;
use crate::transcendental::exp_of_negative;

/// Sums of weights smaller than what f16 can hold count as this.
const SMALLEST_SUM: f32 = 6.103_515_6e-5;

/// What tokens chose; both (nTokens, used), the best expert first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routing {
    pub experts: Vec<u32>,
    pub weights: Vec<f32>,
}

/// Chooses experts for `logits`, (nTokens, experts); of equals the lower one. `selection_bias` is (experts,).
pub fn choose(isa: Isa, settings: &RouterSettings, logits: &[f32], selection_bias: Option<&[f32]>) -> Routing {
    let mut routing = Routing::default();
    let mut scores = vec![0.0; settings.experts];
    let mut order = Vec::with_capacity(settings.experts);
    for logits in logits.chunks_exact(settings.experts) {
        scores.copy_from_slice(logits);
        match settings.gate {
            RouterGate::Softmax => softmax(isa, &mut scores),
            RouterGate::Sigmoid => activate_slice(isa, Activation::Sigmoid, &mut scores),
            RouterGate::SoftmaxChosen => {}
        }
        order.clear();
        order.extend(scores.iter().enumerate().map(|(expert, score)| {
            let bias = selection_bias.map_or(0.0, |bias| bias[expert]);
            (score + bias, expert as u32)
        }));
        keep_best_groups(settings, &mut order);
        keep_best(&mut order, settings.used);
        let first = routing.weights.len();
        routing.experts.extend(order.iter().map(|(_, expert)| *expert));
        routing
            .weights
            .extend(order.iter().map(|(_, expert)| scores[*expert as usize]));
        weigh(isa, settings, &mut routing.weights[first..]);
    }
    routing
}

fn weigh(isa: Isa, settings: &RouterSettings, weights: &mut [f32]) {
    if settings.gate == RouterGate::SoftmaxChosen {
        softmax(isa, weights);
    }
    if settings.normalizes {
        let sum: f32 = weights.iter().sum();
        let sum = if sum < SMALLEST_SUM { SMALLEST_SUM } else { sum };
        weights.iter_mut().for_each(|weight| *weight /= sum);
    }
    weights.iter_mut().for_each(|weight| *weight *= settings.scale);
}

/// Drops the experts outside of the best groups.
fn keep_best_groups(settings: &RouterSettings, order: &mut Vec<(f32, u32)>) {
    let Some(groups) = settings.groups else { return };
    let size = settings.experts / groups.count;
    let mut sums: Vec<_> = order
        .chunks_exact(size)
        .enumerate()
        .map(|(group, members)| {
            let mut members = members.to_vec();
            keep_best(&mut members, 2);
            (members[0].0 + members[1].0, group as u32)
        })
        .collect();
    keep_best(&mut sums, groups.used);
    order.retain(|(_, expert)| sums.iter().any(|(_, group)| *group as usize == *expert as usize / size));
}

/// The best first; equals by number. A score that is not a number counts as infinite, so that it is chosen and
/// seen in the result.
fn keep_best(order: &mut Vec<(f32, u32)>, count: usize) {
    let key = |entry: &(f32, u32)| {
        // Adding 0 turns -0 into 0: both are one score.
        if entry.0.is_nan() { f32::INFINITY } else { entry.0 + 0.0 }
    };
    let compare = |left: &(f32, u32), right: &(f32, u32)| key(right).total_cmp(&key(left)).then(left.1.cmp(&right.1));
    if count < order.len() {
        order.select_nth_unstable_by(count - 1, compare);
        order.truncate(count);
    }
    order.sort_unstable_by(compare);
}

compiled_per_isa! {
    fn softmax(values: &mut [f32]) = softmax_loop;
}

#[inline(always)]
fn softmax_loop(values: &mut [f32]) {
    let mut largest = f32::NEG_INFINITY;
    for value in &*values {
        largest = if *value > largest { *value } else { largest };
    }
    for value in &mut *values {
        *value = exp_of_negative(*value - largest);
    }
    let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
    for value in values {
        *value = (f64::from(*value) / sum) as f32;
    }
}

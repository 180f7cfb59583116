use super::rank::rank;
use super::summary::{Summaries, log_sum_exp};
use super::view::View;
use crate::error::{Error, ErrorCode, Result};
use crate::isa::Isa;

/// How probable given next tokens were, and the best alternatives, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// (nRows,) log-probability of the target; NaN where there is none.
    pub logprobs: Vec<f32>,
    /// (nRows, min(top, vocabularySize)) ids, best first.
    pub top_ids: Vec<i32>,
    /// The same tokens' log-probabilities.
    pub top_logprobs: Vec<f32>,
}

/// Scores `rows`, (nRows, vocabularySize), for `targets`, (nRows,), negative = none.
/// Fails with `WeightsNotFinite` where a logit is not a number.
pub fn score(isa: Isa, rows: &[f32], vocabulary: usize, targets: &[i32], top: usize) -> Result<Scores> {
    if vocabulary == 0 || targets.len().checked_mul(vocabulary) != Some(rows.len()) {
        return Err(Error::new(
            ErrorCode::EngineFailed,
            format!(
                "Expected {} rows of {vocabulary} logits to score, found {} numbers. The graph does not fit its vocabulary; please report the model.",
                targets.len(),
                rows.len()
            ),
        ));
    }
    let mut scores = Scores::default();
    for (row, target) in rows.chunks_exact(vocabulary).zip(targets) {
        let view = View::new(row, None);
        let summaries = Summaries::of_row(isa, row);
        summaries.check(&view)?;
        let sum = log_sum_exp(isa, &summaries);
        scores.logprobs.push(match usize::try_from(*target) {
            Err(_) => f32::NAN,
            Ok(target) => log_probability(*row.get(target).ok_or_else(|| outside(target, vocabulary))?, sum),
        });
        let best = rank(isa, &view, &summaries, top);
        scores.top_ids.extend(best.ids);
        scores
            .top_logprobs
            .extend(best.logits.into_iter().map(|logit| log_probability(logit, sum)));
    }
    Ok(scores)
}

/// Right also for infinite logits.
fn log_probability(logit: f32, log_sum_exp: f64) -> f32 {
    match logit {
        f32::NEG_INFINITY => f32::NEG_INFINITY,
        f32::INFINITY => 0.0,
        _ => (f64::from(logit) - log_sum_exp) as f32,
    }
}

fn outside(target: usize, vocabulary: usize) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!("Expected targets below the vocabulary's {vocabulary} tokens, found {target}."),
    )
}

//! From a row of logits to the best tokens: adjustments, candidates and log-sum-exp.

mod adjust;
mod rank;
mod score;
mod summary;
mod view;

use self::adjust::Adjustment;
use self::rank::rank;
use self::summary::{Summaries, log_sum_exp};
use self::view::View;
use crate::error::{Error, ErrorCode, Result};
use crate::isa::Isa;

pub use self::score::{Scores, score};

/// Logits that are summed and ranked together.
const BLOCK: usize = 256;

/// Lowers logits of tokens that already occurred, as llama.cpp does.
#[derive(Clone, Copy, Debug)]
pub struct Penalties<'a> {
    /// Ids of the window, and how often each occurs in it. Both (nIds,).
    pub ids: &'a [i32],
    pub counts: &'a [i32],
    /// Divides positive and multiplies negative logits; 1 = off.
    pub repeat: f32,
    /// Subtracted per occurrence; 0 = off.
    pub frequency: f32,
    /// Subtracted once; 0 = off.
    pub presence: f32,
}

/// How a row is turned into candidates: bias, then penalties, then mask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// Candidates to return at most; the whole vocabulary when at least its size.
    pub count: usize,
    /// Added to the logits of the ids; infinite ones win over whatever the model says.
    pub bias: &'a [(i32, f32)],
    pub penalties: Option<Penalties<'a>>,
    /// One bit per token, least significant first, 1 = allowed; what lies beyond its end is forbidden.
    pub mask: Option<&'a [i32]>,
    /// Also return the best of the row as it was, this many.
    pub raw_top: usize,
}

/// Tokens in order of falling logit, ties by id; those without a chance (minus infinity) last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// (n,)
    pub ids: Vec<i32>,
    /// (n,) after bias, penalties and mask.
    pub logits: Vec<f32>,
    /// Natural logarithm of the sum of exp over the whole adjusted row.
    pub log_sum_exp: f64,
    /// (n,) the same tokens' logits before any adjustment.
    pub raw_logits: Vec<f32>,
    pub raw_log_sum_exp: f64,
    /// The best `raw_top` of the unadjusted row.
    pub raw_top_ids: Vec<i32>,
    pub raw_top_logits: Vec<f32>,
}

/// Chooses candidates of a row, (vocabularySize,). The row is adjusted in place meanwhile and is as it was afterwards.
/// Fails with `WeightsNotFinite` where a logit is not a number.
pub fn select(isa: Isa, row: &mut [f32], selection: &Selection<'_>) -> Result<Candidates> {
    let raw = Summaries::of_row(isa, row);
    raw.check(&View::new(row, None))?;
    let raw_log_sum_exp = log_sum_exp(isa, &raw);
    if selection.bias.is_empty() && selection.penalties.is_none() && selection.mask.is_none() {
        let view = View::new(row, None);
        let mut best = rank(isa, &view, &raw, selection.count.max(selection.raw_top));
        let raw_top_ids = best.ids[..selection.raw_top.min(best.ids.len())].to_vec();
        let raw_top_logits = best.logits[..raw_top_ids.len()].to_vec();
        best.ids.truncate(selection.count);
        best.logits.truncate(selection.count);
        return Ok(Candidates {
            raw_logits: best.logits.clone(),
            ids: best.ids,
            logits: best.logits,
            log_sum_exp: raw_log_sum_exp,
            raw_log_sum_exp,
            raw_top_ids,
            raw_top_logits,
        });
    }
    let raw_top = rank(isa, &View::new(row, None), &raw, selection.raw_top);
    let adjustment = Adjustment::apply(row, selection.bias, selection.penalties);
    let view = View::new(row, selection.mask);
    let adjusted = raw.adjusted(isa, &view, &adjustment);
    let found = adjusted.check(&view).map(|()| {
        let best = rank(isa, &view, &adjusted, selection.count);
        (best, log_sum_exp(isa, &adjusted))
    });
    adjustment.undo(row);
    let (best, log_sum_exp) = found?;
    Ok(Candidates {
        raw_logits: best.ids.iter().map(|id| row[*id as usize]).collect(),
        ids: best.ids,
        logits: best.logits,
        log_sum_exp,
        raw_log_sum_exp,
        raw_top_ids: raw_top.ids,
        raw_top_logits: raw_top.logits,
    })
}

fn not_finite(id: usize) -> Error {
    Error::new(
        ErrorCode::WeightsNotFinite,
        format!(
            "Expected the model to give a number for every token, found NaN for token {id}. The file's weights are damaged; download or convert it again."
        ),
    )
}

//! Attention over the paged cache, for any mix of prompt chunks and single tokens of any number of sequences.
//!
//! The order of a query row's arithmetic depends on its position alone:
//!
//! ```text
//! score[t]  = fma chain over the dimensions, in order from +0, of query (times its scale) and key
//! per tile of 64 positions, in order, within a chunk of 128 from a fresh start:
//!     largest' = max(largest, scores);  weight[t] = e^(score - largest')
//!     sum      = sum * e^(largest - largest') + weights added in one tree
//!     mixed[d] = mixed[d] * e^(largest - largest'), then a fma chain over the row's positions in order
//! chunks are merged in order; a sink joins the sum; mixed is multiplied by 1 / sum
//! ```

mod append;
mod chunk;
mod mix;
mod plan;
mod rows;
mod score;
mod settings;
mod soften;
mod source;
mod state;
mod step;
mod unpack;

use std::sync::Mutex;

use append::Append;
use plan::Plan;
use settings::invalid;
pub use settings::{AttentionSettings, HeadNorm, PositionBias, Temperature};
use step::{Step, Workspace};

use crate::cache::{Cache, Loan, SequenceId, tile};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::isa::Isa;
use crate::pool::Team;
use crate::rope::{RopeTables, Runs};

/// The tokens of one sequence in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchItem {
    pub sequence: SequenceId,
    /// Its first row in queries, keys, values and output.
    pub first: usize,
    pub tokens: usize,
    /// Of the first token: the sequence's length in the cache.
    pub position: usize,
}

/// Keys and values of a step before norms and rope.
#[derive(Clone, Copy, Debug)]
pub struct KeyValue<'a> {
    /// (rows, kv_heads * key_dim) f32.
    pub key: &'a [f32],
    /// (rows, kv_heads * value_dim) f32; empty when the cache layer takes values from keys.
    pub value: &'a [f32],
}

/// Room that an engine keeps between calls: as much as its threads need, and cosines and sines of the step.
#[derive(Default)]
pub struct AttentionScratch {
    ropes: RopeTables,
    runs: Runs,
    plan: Plan,
    /// Queries normalized over whole rows.
    queries: Vec<f32>,
    partials: Vec<f32>,
    workspaces: Vec<Mutex<Workspace>>,
}

/// Attends for all items of a step: writes their keys and values to cache layer `layer` at the reserved positions
/// (none given: another layer of the step has written them), then gives each token what it sees.
///
/// `query` is (rows, heads * key_dim), `output` (rows, heads * value_dim) f32; rows of no item stay as they are.
/// Fails with `INVALID_ARGUMENT` when sizes or positions do not fit, with `CANCELLED` when told to stop: `output` is
/// of no use then, and the cache counts nothing before `commit`.
#[allow(
    clippy::too_many_arguments,
    reason = "inputs, outputs and settings of one operator; a struct would only name them again"
)]
pub fn attend(
    team: &Team<'_>,
    isa: Isa,
    cancel: &Cancel,
    cache: &mut Cache,
    layer: usize,
    batch: &[BatchItem],
    settings: &AttentionSettings,
    query: &[f32],
    key_value: Option<KeyValue<'_>>,
    scratch: &mut AttentionScratch,
    output: &mut [f32],
) -> Result<()> {
    settings.check(cache.layout(), layer)?;
    let latent = cache.layout().layers()[layer].value_dim == 0;
    check_sizes(settings, latent, batch, query, key_value, output)?;
    cancel.check()?;
    if batch.is_empty() {
        return Ok(());
    }
    let mut loan = cache.lend(batch.iter().map(|item| item.sequence))?;
    check_positions(&loan, batch)?;

    scratch.runs.clear();
    scratch
        .runs
        .extend(batch.iter().map(|item| (item.position, item.tokens)));
    let turns = match &settings.rope {
        Some(rope) => scratch.ropes.get(team, isa, rope, &scratch.runs),
        None => &[],
    };
    if let Some(given) = key_value {
        let append = Append {
            team,
            isa,
            cancel,
            settings,
            layer,
            batch,
            key: given.key,
            value: (!latent).then_some(given.value),
            turns,
        };
        append.run(loan.layout, &mut loan.lent)?;
    }
    let query = match settings.query_norm.as_ref().filter(|norm| norm.whole_row) {
        Some(norm) => {
            scratch.queries.resize(query.len(), 0.0);
            let width = settings.heads * settings.key_dim;
            team.split_slice(&mut scratch.queries, width, 1, &|rows, part| {
                for (row, part) in rows.zip(part.chunks_exact_mut(width)) {
                    rows::normalize_row(isa, norm, &query[row * width..][..width], part);
                }
            });
            &scratch.queries
        }
        None => query,
    };
    let stride = tile::padded(loan.layout.kind(), settings.value_dim).unwrap_or(settings.value_dim);
    scratch.plan.make(settings, batch, stride, team.threads());
    scratch.partials.resize(scratch.plan.partial_length, 0.0);
    scratch
        .workspaces
        .resize_with(team.threads().max(scratch.workspaces.len()), Mutex::default);
    let step = Step {
        team,
        isa,
        cancel,
        settings,
        layer,
        batch,
        loan: &loan,
        stride,
        query,
        turns,
        plan: &scratch.plan,
        workspaces: &scratch.workspaces,
    };
    step.run(&mut scratch.partials, output);
    cancel.check()
}

fn check_sizes(
    settings: &AttentionSettings,
    latent: bool,
    batch: &[BatchItem],
    query: &[f32],
    key_value: Option<KeyValue<'_>>,
    output: &[f32],
) -> Result<()> {
    let rows = query.len() / (settings.heads * settings.key_dim);
    let mut wanted = vec![
        ("queries", query.len(), settings.heads * settings.key_dim),
        ("outputs", output.len(), settings.heads * settings.value_dim),
    ];
    if let Some(given) = key_value {
        let value_dim = if latent { 0 } else { settings.value_dim };
        wanted.push(("keys", given.key.len(), settings.kv_heads * settings.key_dim));
        wanted.push(("values", given.value.len(), settings.kv_heads * value_dim));
    }
    for (name, found, width) in wanted {
        if found != rows * width {
            return Err(invalid(format!(
                "Expected {name} of {rows} rows of {width} numbers, found {found}."
            )));
        }
    }
    let fits = |item: &BatchItem| item.tokens > 0 && item.first.checked_add(item.tokens).is_some_and(|end| end <= rows);
    if let Some(item) = batch.iter().find(|item| !fits(item)) {
        return Err(invalid(format!(
            "Expected each item of a step to have some of its {rows} rows, found {item:?}."
        )));
    }
    Ok(())
}

fn check_positions(loan: &Loan<'_>, batch: &[BatchItem]) -> Result<()> {
    for (item, lent) in batch.iter().zip(&loan.lent) {
        if item.position != lent.length || item.tokens > lent.reserved {
            return Err(invalid(format!(
                "Expected the tokens of an item at position {} with that many reserved ({}), found {item:?}.",
                lent.length, lent.reserved
            )));
        }
    }
    Ok(())
}

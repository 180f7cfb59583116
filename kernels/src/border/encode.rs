use std::ops::Range;

use super::engine_thread::{EngineThread, Plan};
use super::io::failed;
use crate::attention::BatchItem;
use crate::cache::Cache;
use crate::error::{Error, ErrorCode, Result};

/// How the rows of a text become its vectors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    Mean,
    First,
    Last,
    /// Each row is one.
    Each,
}

/// One text of a step that keeps nothing.
pub struct EncodeRequest {
    pub tokens: Vec<i32>,
    pub pooling: Pooling,
    /// What the graph's head says about the vectors instead of the vectors.
    pub scored: bool,
}

/// Wanted rows of one text, and whether their mean is its vector.
#[derive(Clone)]
pub struct Pool {
    pub rows: Range<usize>,
    pub mean: bool,
}

impl Pool {
    pub fn vectors(&self) -> usize {
        if self.mean { 1 } else { self.rows.len() }
    }
}

/// Per text (nVectors, width) or (nVectors, labels).
pub type EncodeOutcome = Result<Vec<Vec<f32>>>;

/// Outputs of a graph that encodes.
const VECTORS: &str = "vectors";
const SCORES: &str = "scores";

impl EngineThread {
    /// Runs all texts from their first position on and forgets them.
    pub fn encode(&mut self, items: &[EncodeRequest]) -> EncodeOutcome {
        self.files.check()?;
        let mut cache = self.shared.take_cache()?;
        let mut sequences = Vec::with_capacity(items.len());
        let planned = self.plan_texts(items, &mut cache, &mut sequences);
        let (mut cache, outcome) = match planned {
            Ok(plan) => {
                let pools = plan.pools.clone();
                self.run(plan, cache, |_, outputs| {
                    let output = |name: &str| {
                        let value = outputs.get(name).ok_or_else(|| missing(name))?;
                        let (shape, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
                        let width = shape.last().and_then(|&size| usize::try_from(size).ok());
                        Ok::<_, Error>((values, width.unwrap_or(0)))
                    };
                    let (mut results, mut first) = (Vec::with_capacity(items.len()), 0);
                    for (item, pool) in items.iter().zip(&pools) {
                        let (values, width) = output(if item.scored { SCORES } else { VECTORS })?;
                        let end = first + pool.vectors();
                        let own = values.get(first * width..end * width).ok_or_else(|| missing(VECTORS))?;
                        check_finite(own)?;
                        results.push(own.to_vec());
                        first = end;
                    }
                    Ok(results)
                })
            }
            Err(error) => (cache, Err(error)),
        };
        for sequence in sequences {
            cache.close(sequence);
        }
        self.shared.return_cache(cache);
        outcome
    }

    fn plan_texts(
        &self,
        items: &[EncodeRequest],
        cache: &mut Cache,
        sequences: &mut Vec<crate::cache::SequenceId>,
    ) -> Result<Plan> {
        let mut plan = Plan::default();
        for item in items {
            self.check_tokens(&item.tokens, 0)?;
            let (first, tokens) = (plan.tokens.len(), item.tokens.len());
            let sequence = cache.open();
            sequences.push(sequence);
            cache.reserve(sequence, tokens)?;
            plan.batch.push(BatchItem {
                sequence,
                first,
                tokens,
                position: 0,
            });
            plan.tokens.extend_from_slice(&item.tokens);
            let start = plan.rows.len();
            plan.rows.extend(match item.pooling {
                Pooling::Mean | Pooling::Each => first..first + tokens,
                Pooling::First => first..first + 1,
                Pooling::Last => first + tokens - 1..first + tokens,
            });
            plan.pools.push(Pool {
                rows: start..plan.rows.len(),
                mean: item.pooling == Pooling::Mean,
            });
        }
        Ok(plan)
    }
}

fn missing(name: &str) -> Error {
    failed(format!("the graph gives no '{name}' of the right size"))
}

fn check_finite(values: &[f32]) -> Result<()> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::WeightsNotFinite,
        "Expected the model to make vectors of numbers, found NaN or infinity. The file's weights are damaged; download or convert it again.",
    ))
}

use std::path::Path;
use std::sync::Arc;

use ort::logging::LogLevel;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{NoSelectedOutputs, RunOptions, Session, SessionOutputs};
use ort::value::TensorRef;

use super::engine::{EngineOptions, ItemRequest, Shared, WantedLogits};
use super::io::failed;
use super::last_rows::{Logits, choose};
use super::operators::{self, FirstFailure};
use super::step::{Buffers, Step, run_step};
use super::weights::WeightFiles;
use crate::attention::BatchItem;
use crate::cache::Cache;
use crate::error::{Error, ErrorCode, Result};
use crate::pool::Pool;
use crate::select::{Candidates, Scores, score};

/// Name of the graph's input.
const TOKENS: &str = "tokens";

/// A step of so many tokens leaves more memory with ONNX Runtime than asking the system for it again costs.
const LARGE_STEP: usize = 64;

/// What a step found for one item.
pub struct ItemResult {
    pub candidates: Option<Candidates>,
    pub scores: Option<Scores>,
    /// (1 or nTokens, vocabularySize)
    pub logits: Option<Vec<f32>>,
}

pub type StepOutcome = Result<Vec<ItemResult>>;

/// The engine's side of its thread: the session and what every step uses.
pub struct EngineThread {
    session: Session,
    /// Of large steps: ONNX Runtime lets go of the memory that their values took.
    letting_go: RunOptions<NoSelectedOutputs>,
    pub(super) files: Arc<WeightFiles>,
    pub(super) shared: Arc<Shared>,
    threads: usize,
    context_length: usize,
    vocabulary_size: usize,
    buffers: Buffers,
}

impl EngineThread {
    pub fn open(options: EngineOptions, shared: Arc<Shared>) -> Result<Self> {
        load_library(&options.library)?;
        let files = Arc::new(WeightFiles::open(&options.files)?);
        let failure = Arc::new(FirstFailure::default());
        let session = open_session(&options.graph, &files, &failure)
            .map_err(|error| failure.take().unwrap_or_else(|| failed(error)))?;
        let mut letting_go = RunOptions::new().map_err(failed)?;
        letting_go
            .set("memory.enable_memory_arena_shrinkage", "cpu:0")
            .map_err(failed)?;
        Ok(Self {
            session,
            letting_go,
            files,
            shared,
            threads: options.threads,
            context_length: options.context_length,
            vocabulary_size: options.vocabulary_size,
            buffers: Buffers::default(),
        })
    }

    /// Runs all items, or fails without any effect on their sequences.
    pub fn step(&mut self, items: Vec<ItemRequest>) -> StepOutcome {
        self.files.check()?;
        let mut cache = self.shared.take_cache()?;
        let planned = self.plan(&items, &mut cache);
        let (mut cache, outcome) = match planned {
            Ok(plan) => self.run_items(&items, plan, cache),
            Err(error) => (cache, Err(error)),
        };
        if outcome.is_err() {
            // What was reserved for this step is others' to take.
            for item in &items {
                if let Ok(length) = cache.length(item.sequence) {
                    let _ = cache.truncate(item.sequence, length);
                }
            }
        }
        self.shared.return_cache(cache);
        outcome
    }

    /// Checks the items and reserves cache for all of them.
    fn plan(&self, items: &[ItemRequest], cache: &mut Cache) -> Result<Plan> {
        let mut plan = Plan::default();
        for (index, item) in items.iter().enumerate() {
            if items[..index].iter().any(|other| other.sequence == item.sequence) {
                return Err(Error::new(
                    ErrorCode::InvalidArgument,
                    "Expected every sequence at most once in a step.",
                ));
            }
            let position = cache.length(item.sequence)?;
            self.check_tokens(&item.tokens, position)?;
            let first = plan.tokens.len();
            plan.batch.push(BatchItem {
                sequence: item.sequence,
                first,
                tokens: item.tokens.len(),
                position,
            });
            plan.tokens.extend_from_slice(&item.tokens);
            let row_count = item.row_count();
            plan.rows.extend(plan.tokens.len() - row_count..plan.tokens.len());
        }
        for item in &plan.batch {
            cache.reserve(item.sequence, item.tokens)?;
        }
        Ok(plan)
    }

    /// Tokens for a sequence that holds `position` others must be there, of the vocabulary, and within the context.
    pub(super) fn check_tokens(&self, tokens: &[i32], position: usize) -> Result<()> {
        let total = position + tokens.len();
        if total > self.context_length {
            return Err(Error::new(
                ErrorCode::ContextOverflow,
                format!(
                    "The sequence would hold {total} tokens, but the context is {} tokens long.",
                    self.context_length
                ),
            ));
        }
        let outside = tokens
            .iter()
            .find(|&&token| usize::try_from(token).map_or(true, |id| id >= self.vocabulary_size));
        if tokens.is_empty() || outside.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "Expected token ids from 0 to {}, found {}.",
                    self.vocabulary_size - 1,
                    outside.map_or_else(|| "none at all".into(), i32::to_string)
                ),
            ));
        }
        Ok(())
    }

    /// Runs the graph and keeps what the items' sequences have grown by.
    fn run_items(&mut self, items: &[ItemRequest], plan: Plan, cache: Cache) -> (Cache, StepOutcome) {
        let (batch, rows) = (plan.batch.clone(), plan.rows.len());
        let vocabulary = self.vocabulary_size;
        let (mut cache, outcome) = self.run(plan, cache, |shared, outputs| {
            let (_, logits) = outputs[0].try_extract_tensor_mut::<f32>().map_err(failed)?;
            if logits.len() != rows * vocabulary {
                return Err(failed(format!(
                    "expected {rows} rows of {vocabulary} logits, found {} numbers",
                    logits.len()
                )));
            }
            let results = read_results(shared, items, logits, vocabulary)?;
            if let [item] = items
                && let (Some(selection), 1) = (&item.selection, rows)
                && let Some(name) = outputs.keys().next().map(str::to_owned)
                && let Some(output) = outputs.remove(name)
            {
                let logits = Logits::Output(output);
                shared.lock_rows().keep(item.sequence, logits, selection.clone());
            }
            Ok(results)
        });
        let outcome = outcome.and_then(|results| {
            for item in &batch {
                cache.commit(item.sequence, item.tokens)?;
            }
            Ok(results)
        });
        (cache, outcome)
    }

    /// Runs the graph and reads its outputs.
    pub(super) fn run<R>(
        &mut self,
        plan: Plan,
        cache: Cache,
        read: impl FnOnce(&Shared, &mut SessionOutputs<'_>) -> Result<R>,
    ) -> (Cache, Result<R>) {
        let Self {
            session,
            letting_go,
            shared,
            buffers,
            threads,
            ..
        } = self;
        let Plan {
            tokens,
            batch,
            rows,
            pools,
        } = plan;
        buffers.linear.begin_step();
        let step = Step {
            team: Pool::global().team(*threads),
            isa: shared.isa,
            cancel: Arc::clone(&shared.cancel),
            cache,
            batch,
            tokens: tokens.len(),
            rows,
            pools,
            buffers: std::mem::take(buffers),
            failure: None,
        };
        let input = match TensorRef::from_array_view(([tokens.len()], tokens.as_slice())) {
            Ok(input) => input,
            Err(error) => {
                *buffers = step.buffers;
                return (step.cache, Err(failed(error)));
            }
        };
        let inputs = ort::inputs![TOKENS => input];
        let (mut step, outputs) = run_step(step, || match tokens.len() < LARGE_STEP {
            true => session.run(inputs),
            false => session.run_with_options(inputs, letting_go),
        });
        *buffers = std::mem::take(&mut step.buffers);
        let outcome = match outputs {
            Err(error) => Err(step.failure.take().unwrap_or_else(|| failed(error))),
            Ok(mut outputs) => read(shared, &mut outputs),
        };
        (step.cache, outcome)
    }
}

/// What a step runs on.
#[derive(Default)]
pub(super) struct Plan {
    pub tokens: Vec<i32>,
    pub batch: Vec<BatchItem>,
    /// Wanted rows.
    pub rows: Vec<usize>,
    pub pools: Vec<super::encode::Pool>,
}

impl ItemRequest {
    /// How many of the item's tokens, from the end, need logits.
    fn row_count(&self) -> usize {
        if self.score.is_some() || self.logits == WantedLogits::All {
            self.tokens.len()
        } else {
            usize::from(self.selection.is_some() || self.logits == WantedLogits::Last)
        }
    }
}

/// `logits` is (nWanted, vocabulary), the rows in the order of the items.
fn read_results(shared: &Shared, items: &[ItemRequest], logits: &mut [f32], vocabulary: usize) -> StepOutcome {
    let mut kept = shared.lock_rows();
    let mut rest = logits;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let (rows, others) = std::mem::take(&mut rest).split_at_mut(item.row_count() * vocabulary);
        rest = others;
        let last = rows.len().saturating_sub(vocabulary);
        let candidates = match &item.selection {
            None => None,
            Some(selection) => {
                let candidates = choose(shared.isa, &mut rows[last..], selection)?;
                // The only row of a step is kept as it is, see `run_items`.
                if items.len() > 1 || last > 0 {
                    let copy = kept.copy(&rows[last..]);
                    kept.keep(item.sequence, copy, selection.clone());
                }
                Some(candidates)
            }
        };
        let scores = item
            .score
            .as_ref()
            .map(|(targets, top)| score(shared.isa, rows, vocabulary, targets, *top))
            .transpose()?;
        let logits = match item.logits {
            WantedLogits::None => None,
            WantedLogits::Last => Some(rows[last..].to_vec()),
            WantedLogits::All => Some(rows.to_vec()),
        };
        results.push(ItemResult {
            candidates,
            scores,
            logits,
        });
    }
    Ok(results)
}

/// Opens ONNX Runtime once per process; later calls find it open.
fn load_library(path: &Path) -> Result<()> {
    let builder = ort::init_from(path).map_err(|error| {
        Error::new(
            ErrorCode::EngineFailed,
            format!("Could not open ONNX Runtime at {}: {error}.", path.display()),
        )
    })?;
    builder.commit();
    Ok(())
}

fn open_session(graph: &[u8], files: &Arc<WeightFiles>, failure: &Arc<FirstFailure>) -> ort::Result<Session> {
    Session::builder()?
        .with_operators(operators::domain(files, failure)?)?
        .with_optimization_level(GraphOptimizationLevel::Level1)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_memory_pattern(false)?
        // What goes wrong comes back as an error; a cancelled step is no news for the user's terminal.
        .with_log_level(LogLevel::Fatal)?
        .commit_from_memory(graph)
}

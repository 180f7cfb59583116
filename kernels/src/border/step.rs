use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::encode::Pool;
use crate::attention::{AttentionScratch, BatchItem};
use crate::cache::Cache;
use crate::cancel::Cancel;
use crate::error::{Error, ErrorCode, Result};
use crate::isa::Isa;
use crate::linear::Scratch;
use crate::mixture::MixtureScratch;
use crate::pool::Team;

/// What the nodes of one run share. ONNX Runtime runs them one after another in the thread that called it, so the
/// step lies in that thread.
pub struct Step {
    pub team: Team<'static>,
    pub isa: Isa,
    pub cancel: Arc<Cancel>,
    pub cache: Cache,
    pub batch: Vec<BatchItem>,
    /// Tokens of all items together.
    pub tokens: usize,
    /// Tokens whose logits are wanted, rising.
    pub rows: Vec<usize>,
    /// Per text which of the wanted rows become its vectors, and how; empty where nothing is encoded.
    pub pools: Vec<Pool>,
    pub buffers: Buffers,
    /// What the first failing node said; ONNX Runtime keeps text only.
    pub failure: Option<Error>,
}

impl Step {
    /// Vectors of all texts.
    pub fn pooled(&self) -> usize {
        self.pools.iter().map(Pool::vectors).sum()
    }

    /// (nTokens,) position of every token in its sequence.
    pub fn positions(&self) -> Vec<i32> {
        let all = self
            .batch
            .iter()
            .flat_map(|item| item.position..item.position + item.tokens);
        all.map(|position| i32::try_from(position).unwrap_or(i32::MAX))
            .collect()
    }
}

/// Memory that steps use again.
#[derive(Default)]
pub struct Buffers {
    pub linear: Scratch,
    pub attention: AttentionScratch,
    pub mixture: MixtureScratch,
}

thread_local! {
    static CURRENT: RefCell<Option<Step>> = const { RefCell::new(None) };
}

/// Makes a step the current one of this thread while `body` runs, and gives it back.
pub fn run_step<R>(step: Step, body: impl FnOnce() -> R) -> (Step, R) {
    CURRENT.with_borrow_mut(|current| *current = Some(step));
    let result = body();
    let step = CURRENT
        .with_borrow_mut(Option::take)
        .unwrap_or_else(|| unreachable!("nothing else takes the step"));
    (step, result)
}

/// Runs a node's body on this thread's step; errors and panics fail the run and are kept for the step's end.
pub fn with_step(body: impl FnOnce(&mut Step) -> Result<()>) -> ort::Result<()> {
    CURRENT.with_borrow_mut(|current| {
        let step = current
            .as_mut()
            .ok_or_else(|| ort::Error::new("a node ran outside of a step"))?;
        let outcome = step.cancel.check().and_then(|()| {
            catch_unwind(AssertUnwindSafe(|| body(step))).unwrap_or_else(|payload| {
                let text = payload
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| payload.downcast_ref::<&str>().copied())
                    .unwrap_or("no message");
                Err(Error::new(
                    ErrorCode::EngineFailed,
                    format!("An operator failed: {text}. Please report the model."),
                ))
            })
        });
        outcome.map_err(|error| {
            let message = error.message.clone();
            step.failure.get_or_insert(error);
            ort::Error::new(message)
        })
    })
}

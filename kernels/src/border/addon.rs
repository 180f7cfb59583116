use std::path::PathBuf;
use std::sync::Arc;

use napi::bindgen_prelude::{Float32Array, Int32Array, Object, Uint8Array};
use napi::{Env, Status};
use napi_derive::napi;

use super::encode::{EncodeOutcome, EncodeRequest, Pooling};
use super::engine::{Engine, EngineOptions, ItemRequest, OwnedPenalties, OwnedSelection, WantedLogits};
use super::engine_thread::{ItemResult, StepOutcome};
use crate::cache::{CacheLayer, CacheLayout, CacheType, SequenceId};
use crate::error::{Error, ErrorCode};
use crate::isa::Isa;
use crate::select::Candidates;

/// A code of `src/errors.ts` as the status of a JavaScript error.
pub struct Code(&'static str);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl From<Status> for Code {
    fn from(_: Status) -> Self {
        Self(ErrorCode::EngineFailed.name())
    }
}

type Result<T> = std::result::Result<T, napi::Error<Code>>;

fn thrown(error: Error) -> napi::Error<Code> {
    napi::Error::new(Code(error.code.name()), error.message)
}

/// Keys and values of one layer's cache.
#[napi(object)]
pub struct NativeLayer {
    pub kv_heads: u32,
    pub key_dim: u32,
    pub value_dim: u32,
}

#[napi(object)]
pub struct NativeEngineOptions {
    /// ONNX Runtime's shared library.
    pub library: String,
    /// The model's files, in the order of their shards.
    pub files: Vec<String>,
    /// The graph as ONNX bytes.
    pub graph: Uint8Array,
    pub layers: Vec<NativeLayer>,
    /// `f32`, `f16`, `q8_0` or `q4_0`.
    pub cache_type: String,
    /// Bytes that the caches of all sequences may take together.
    pub cache_budget_bytes: f64,
    pub threads: u32,
    pub context_length: u32,
    pub vocabulary_size: u32,
}

#[napi(object)]
pub struct NativePenalties {
    pub ids: Int32Array,
    pub counts: Int32Array,
    pub repeat: f64,
    pub frequency: f64,
    pub presence: f64,
}

#[napi(object)]
pub struct NativeSelection {
    pub count: u32,
    pub bias_ids: Option<Int32Array>,
    pub bias_values: Option<Float32Array>,
    pub penalties: Option<NativePenalties>,
    pub mask: Option<Int32Array>,
    pub raw_top: Option<u32>,
}

#[napi(object)]
pub struct NativeItem {
    pub sequence: u32,
    pub tokens: Int32Array,
    pub select: Option<NativeSelection>,
    pub score_targets: Option<Int32Array>,
    pub score_top: Option<u32>,
    /// 0 = none, 1 = of the last token, 2 = of all.
    pub logits: Option<u32>,
}

#[napi(object)]
pub struct NativeCandidates {
    pub ids: Int32Array,
    pub logits: Float32Array,
    pub log_sum_exp: f64,
    pub raw_logits: Float32Array,
    pub raw_log_sum_exp: f64,
    pub raw_top_ids: Int32Array,
    pub raw_top_logits: Float32Array,
}

#[napi(object)]
pub struct NativeScores {
    pub logprobs: Float32Array,
    pub top_ids: Int32Array,
    pub top_logprobs: Float32Array,
}

#[napi(object)]
pub struct NativeResult {
    pub candidates: Option<NativeCandidates>,
    pub scores: Option<NativeScores>,
    pub logits: Option<Float32Array>,
}

/// Results, or a code of `src/errors.ts` with its message.
#[napi(object)]
pub struct NativeOutcome {
    pub code: Option<String>,
    pub message: Option<String>,
    pub results: Option<Vec<NativeResult>>,
}

/// A whole text, of which nothing is kept.
#[napi(object)]
pub struct NativeText {
    pub tokens: Int32Array,
    /// 0 = mean, 1 = first token, 2 = last token, 3 = each token.
    pub pooling: u32,
    /// What the graph's head says about the vectors instead of the vectors.
    pub scored: bool,
}

/// Numbers per text, or a code of `src/errors.ts` with its message.
#[napi(object)]
pub struct NativeVectors {
    pub code: Option<String>,
    pub message: Option<String>,
    pub vectors: Option<Vec<Float32Array>>,
}

/// An engine as JavaScript sees it; see `src/session/native-session.ts`.
#[napi]
pub struct NativeEngine {
    engine: Arc<Engine>,
}

#[napi]
impl NativeEngine {
    /// Starts loading; `ready` tells how it went.
    #[napi(factory, catch_unwind)]
    pub fn start<'env>(
        env: &'env Env,
        options: NativeEngineOptions,
        #[napi(ts_arg_type = "(outcome: NativeOutcome) => void")] ready: napi::bindgen_prelude::Function<
            'env,
            NativeOutcome,
            (),
        >,
    ) -> Result<Self> {
        let ready = ready
            .build_threadsafe_function()
            .build()
            .map_err(|error| napi::Error::new(Code(ErrorCode::EngineFailed.name()), error.to_string()))?;
        let options = read_options(options).map_err(thrown)?;
        let engine = Engine::start(options, move |result| {
            let outcome = to_outcome(result.map(|()| Vec::new()));
            ready.call(
                outcome,
                napi::threadsafe_function::ThreadsafeFunctionCallMode::NonBlocking,
            );
        })
        .map_err(thrown)?;
        let engine = Arc::new(engine);
        // A thread inside ONNX Runtime must not outlive the environment whose process is ending.
        let weak = Arc::downgrade(&engine);
        env.add_env_cleanup_hook(weak, |weak| {
            if let Some(engine) = weak.upgrade() {
                engine.end();
            }
        })
        .map_err(|error| napi::Error::new(Code(ErrorCode::EngineFailed.name()), error.to_string()))?;
        Ok(Self { engine })
    }

    /// Name of the instruction set that the kernels use.
    #[napi(getter, catch_unwind)]
    pub fn isa(&self) -> &'static str {
        self.engine.isa().name()
    }

    #[napi(catch_unwind)]
    pub fn open_sequence(&self) -> Result<u32> {
        self.engine.open_sequence().map(|id| id.0).map_err(thrown)
    }

    #[napi(catch_unwind)]
    pub fn length_of(&self, sequence: u32) -> Result<u32> {
        let length = self.engine.length_of(SequenceId(sequence)).map_err(thrown)?;
        Ok(u32::try_from(length).unwrap_or(u32::MAX))
    }

    #[napi(catch_unwind)]
    pub fn truncate(&self, sequence: u32, length: u32) -> Result<()> {
        self.engine
            .truncate(SequenceId(sequence), length as usize)
            .map_err(thrown)
    }

    #[napi(catch_unwind)]
    pub fn fork(&self, sequence: u32, length: u32) -> Result<u32> {
        self.engine
            .fork(SequenceId(sequence), length as usize)
            .map(|id| id.0)
            .map_err(thrown)
    }

    #[napi(catch_unwind)]
    pub fn close_sequence(&self, sequence: u32) -> Result<()> {
        self.engine.close_sequence(SequenceId(sequence)).map_err(thrown)
    }

    /// The first `length` tokens' cache as bytes that [`Self::restore_sequence`] takes.
    #[napi(catch_unwind)]
    pub fn save_sequence(&self, sequence: u32, length: u32) -> Result<Uint8Array> {
        self.engine
            .save(SequenceId(sequence), length as usize)
            .map(Into::into)
            .map_err(thrown)
    }

    /// A new sequence from saved bytes of the same model.
    #[napi(catch_unwind)]
    pub fn restore_sequence(&self, bytes: Uint8Array) -> Result<u32> {
        self.engine.restore(&bytes).map(|id| id.0).map_err(thrown)
    }

    /// Bytes that the caches of some sequences take; what they share counts once.
    #[napi(catch_unwind)]
    pub fn cache_bytes_of(&self, sequences: Vec<u32>) -> Result<f64> {
        let sequences: Vec<_> = sequences.into_iter().map(SequenceId).collect();
        self.engine
            .cache_bytes(&sequences)
            .map(|bytes| bytes as f64)
            .map_err(thrown)
    }

    #[napi(catch_unwind)]
    pub fn more_candidates(&self, sequence: u32, count: u32) -> Result<NativeCandidates> {
        self.engine
            .more_candidates(SequenceId(sequence), count as usize)
            .map(to_candidates)
            .map_err(thrown)
    }

    /// Runs one step; resolves with its outcome and never rejects.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeOutcome>")]
    pub fn step<'env>(&self, env: &'env Env, items: Vec<NativeItem>) -> napi::Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred()?;
        let items = items.into_iter().map(read_item).collect();
        self.engine.step(
            items,
            Box::new(move |outcome| deferred.resolve(move |_| Ok(to_outcome(outcome)))),
        );
        Ok(promise)
    }

    /// Runs whole texts as one step and keeps nothing of them; resolves with their vectors and never rejects.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeVectors>")]
    pub fn encode<'env>(&self, env: &'env Env, items: Vec<NativeText>) -> napi::Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred()?;
        let items = items.into_iter().map(read_text).collect();
        self.engine.encode(
            items,
            Box::new(move |outcome| deferred.resolve(move |_| Ok(to_vectors(outcome)))),
        );
        Ok(promise)
    }

    /// Makes the running step fail with `CANCELLED` soon.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.engine.cancel();
    }

    /// Cancels what runs and waits for the thread's end: some milliseconds.
    #[napi(catch_unwind)]
    pub fn end(&self) {
        self.engine.end();
    }
}

/// Names of the instruction sets that this processor has kernels for, the plainest first.
#[napi]
pub fn available_isas() -> Vec<&'static str> {
    Isa::available().map(Isa::name).collect()
}

fn read_options(options: NativeEngineOptions) -> crate::error::Result<EngineOptions> {
    let kind = CacheType::by_name(&options.cache_type)?;
    let layers = options
        .layers
        .iter()
        .map(|layer| CacheLayer {
            kv_heads: layer.kv_heads as usize,
            key_dim: layer.key_dim as usize,
            value_dim: layer.value_dim as usize,
        })
        .collect();
    Ok(EngineOptions {
        library: PathBuf::from(options.library),
        files: options.files.into_iter().map(PathBuf::from).collect(),
        graph: options.graph.to_vec(),
        layout: CacheLayout::new(layers, kind)?,
        cache_budget_bytes: options.cache_budget_bytes as usize,
        threads: options.threads as usize,
        context_length: options.context_length as usize,
        vocabulary_size: options.vocabulary_size as usize,
    })
}

fn read_item(item: NativeItem) -> ItemRequest {
    ItemRequest {
        sequence: SequenceId(item.sequence),
        tokens: item.tokens.to_vec(),
        selection: item.select.map(read_selection),
        score: item
            .score_targets
            .map(|targets| (targets.to_vec(), item.score_top.unwrap_or(0) as usize)),
        logits: match item.logits {
            Some(1) => WantedLogits::Last,
            Some(2) => WantedLogits::All,
            _ => WantedLogits::None,
        },
    }
}

fn read_text(item: NativeText) -> EncodeRequest {
    EncodeRequest {
        tokens: item.tokens.to_vec(),
        pooling: match item.pooling {
            0 => Pooling::Mean,
            1 => Pooling::First,
            2 => Pooling::Last,
            _ => Pooling::Each,
        },
        scored: item.scored,
    }
}

fn to_vectors(outcome: EncodeOutcome) -> NativeVectors {
    match outcome {
        Ok(vectors) => NativeVectors {
            code: None,
            message: None,
            vectors: Some(vectors.into_iter().map(Into::into).collect()),
        },
        Err(error) => NativeVectors {
            code: Some(error.code.name().into()),
            message: Some(error.message),
            vectors: None,
        },
    }
}

fn read_selection(selection: NativeSelection) -> OwnedSelection {
    let bias = match (&selection.bias_ids, &selection.bias_values) {
        (Some(ids), Some(values)) => ids.iter().copied().zip(values.iter().copied()).collect(),
        _ => Vec::new(),
    };
    OwnedSelection {
        count: selection.count as usize,
        bias,
        penalties: selection.penalties.map(|penalties| OwnedPenalties {
            ids: penalties.ids.to_vec(),
            counts: penalties.counts.to_vec(),
            repeat: penalties.repeat as f32,
            frequency: penalties.frequency as f32,
            presence: penalties.presence as f32,
        }),
        mask: selection.mask.map(|mask| mask.to_vec()),
        raw_top: selection.raw_top.unwrap_or(0) as usize,
    }
}

fn to_outcome(outcome: StepOutcome) -> NativeOutcome {
    match outcome {
        Ok(results) => NativeOutcome {
            code: None,
            message: None,
            results: Some(results.into_iter().map(to_result).collect()),
        },
        Err(error) => NativeOutcome {
            code: Some(error.code.name().into()),
            message: Some(error.message),
            results: None,
        },
    }
}

fn to_result(result: ItemResult) -> NativeResult {
    NativeResult {
        candidates: result.candidates.map(to_candidates),
        scores: result.scores.map(|scores| NativeScores {
            logprobs: scores.logprobs.into(),
            top_ids: scores.top_ids.into(),
            top_logprobs: scores.top_logprobs.into(),
        }),
        logits: result.logits.map(Into::into),
    }
}

fn to_candidates(candidates: Candidates) -> NativeCandidates {
    NativeCandidates {
        ids: candidates.ids.into(),
        logits: candidates.logits.into(),
        log_sum_exp: candidates.log_sum_exp,
        raw_logits: candidates.raw_logits.into(),
        raw_log_sum_exp: candidates.raw_log_sum_exp,
        raw_top_ids: candidates.raw_top_ids.into(),
        raw_top_logits: candidates.raw_top_logits.into(),
    }
}

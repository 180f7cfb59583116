use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::encode::{EncodeOutcome, EncodeRequest};
use super::engine_thread::{EngineThread, StepOutcome};
use super::last_rows::LastRows;
use crate::cache::{Cache, CacheLayout, SequenceId};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorCode, Result};
use crate::isa::Isa;
use crate::select::Candidates;

/// No step for so long is a pause: between two tokens of a stream that is read there is far less.
const PAUSE: Duration = Duration::from_millis(50);

/// What an engine is made from.
pub struct EngineOptions {
    /// ONNX Runtime's shared library.
    pub library: PathBuf,
    /// The model's files, in the order of their shards.
    pub files: Vec<PathBuf>,
    /// The graph as ONNX bytes.
    pub graph: Vec<u8>,
    pub layout: CacheLayout,
    /// Bytes that the caches of all sequences may take together.
    pub cache_budget_bytes: usize,
    pub threads: usize,
    pub context_length: usize,
    pub vocabulary_size: usize,
}

/// How a sequence's candidates are chosen; owned, as it crosses a thread.
#[derive(Clone, Default)]
pub struct OwnedSelection {
    pub count: usize,
    pub bias: Vec<(i32, f32)>,
    pub penalties: Option<OwnedPenalties>,
    pub mask: Option<Vec<i32>>,
    pub raw_top: usize,
}

#[derive(Clone)]
pub struct OwnedPenalties {
    pub ids: Vec<i32>,
    pub counts: Vec<i32>,
    pub repeat: f32,
    pub frequency: f32,
    pub presence: f32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WantedLogits {
    None,
    Last,
    All,
}

/// One sequence's part of a step.
pub struct ItemRequest {
    pub sequence: SequenceId,
    pub tokens: Vec<i32>,
    pub selection: Option<OwnedSelection>,
    /// Targets per token, and how many alternatives.
    pub score: Option<(Vec<i32>, usize)>,
    pub logits: WantedLogits,
}

/// Called in the engine's thread when a step has ended.
pub type Respond = Box<dyn FnOnce(StepOutcome) + Send>;

/// As [`Respond`], of a step that encodes.
pub type RespondVectors = Box<dyn FnOnce(EncodeOutcome) + Send>;

pub enum Command {
    Step(Vec<ItemRequest>, Respond),
    Encode(Vec<EncodeRequest>, RespondVectors),
    End,
}

/// A loaded graph with its caches, and the thread that runs it.
pub struct Engine {
    shared: Arc<Shared>,
    commands: Mutex<Sender<Command>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the engine's thread and its callers share.
pub struct Shared {
    /// Taken out while a step runs.
    cache: Mutex<Option<Cache>>,
    returned: Condvar,
    rows: Mutex<LastRows>,
    pub cancel: Arc<Cancel>,
    pub isa: Isa,
}

impl Shared {
    pub fn lock_rows(&self) -> MutexGuard<'_, LastRows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cache, once no step uses it.
    pub fn lock_cache(&self) -> MutexGuard<'_, Option<Cache>> {
        let guard = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        self.returned
            .wait_while(guard, |cache| cache.is_none())
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The cache for a step, which gives it back.
    pub fn take_cache(&self) -> Result<Cache> {
        self.lock_cache().take().ok_or_else(ended)
    }

    pub fn return_cache(&self, cache: Cache) {
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = Some(cache);
        self.returned.notify_all();
    }

    fn with_cache<R>(&self, body: impl FnOnce(&mut Cache) -> R) -> Result<R> {
        self.lock_cache().as_mut().map(body).ok_or_else(ended)
    }
}

fn ended() -> Error {
    Error::new(
        ErrorCode::EngineFailed,
        "Expected a running engine, but it has ended. Load the model again.",
    )
}

impl Engine {
    /// Starts the thread; `ready` is called in it once the graph is loaded or could not be.
    pub fn start(options: EngineOptions, ready: impl FnOnce(Result<()>) + Send + 'static) -> Result<Self> {
        let isa = Isa::chosen()?;
        let shared = Arc::new(Shared {
            cache: Mutex::new(Some(Cache::new(options.layout.clone(), options.cache_budget_bytes))),
            returned: Condvar::new(),
            rows: Mutex::new(LastRows::default()),
            cancel: Arc::new(Cancel::new()),
            isa,
        });
        let (sender, receiver) = channel();
        let own = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("rivulet-engine".into())
            .spawn(move || match EngineThread::open(options, own) {
                Ok(mut engine) => {
                    ready(Ok(()));
                    loop {
                        match next_command(&receiver) {
                            Some(Command::Step(items, respond)) => respond(engine.step(items)),
                            Some(Command::Encode(items, respond)) => respond(engine.encode(&items)),
                            Some(Command::End) | None => break,
                        }
                    }
                    engine.shared.lock_rows().clear();
                }
                Err(error) => ready(Err(error)),
            })
            .map_err(|error| {
                Error::new(
                    ErrorCode::EngineFailed,
                    format!("Could not start a thread for the model: {error}."),
                )
            })?;
        Ok(Self {
            shared,
            commands: Mutex::new(sender),
            thread: Mutex::new(Some(thread)),
        })
    }

    pub fn isa(&self) -> Isa {
        self.shared.isa
    }

    pub fn open_sequence(&self) -> Result<SequenceId> {
        self.shared.with_cache(Cache::open)
    }

    pub fn length_of(&self, sequence: SequenceId) -> Result<usize> {
        self.shared.with_cache(|cache| cache.length(sequence))?
    }

    pub fn truncate(&self, sequence: SequenceId, length: usize) -> Result<()> {
        self.forget_row(sequence);
        self.shared.with_cache(|cache| cache.truncate(sequence, length))?
    }

    pub fn fork(&self, sequence: SequenceId, length: usize) -> Result<SequenceId> {
        self.shared.with_cache(|cache| cache.fork(sequence, length))?
    }

    pub fn close_sequence(&self, sequence: SequenceId) -> Result<()> {
        self.forget_row(sequence);
        self.shared.with_cache(|cache| cache.close(sequence))?;
        Ok(())
    }

    pub fn save(&self, sequence: SequenceId, length: usize) -> Result<Vec<u8>> {
        self.shared.with_cache(|cache| cache.save(sequence, length))?
    }

    pub fn restore(&self, bytes: &[u8]) -> Result<SequenceId> {
        self.shared.with_cache(|cache| cache.restore(bytes))?
    }

    pub fn cache_bytes(&self, sequences: &[SequenceId]) -> Result<usize> {
        self.shared.with_cache(|cache| cache.bytes_of(sequences))
    }

    /// More candidates of the row that the sequence's last selection looked at.
    pub fn more_candidates(&self, sequence: SequenceId, count: usize) -> Result<Candidates> {
        self.shared.lock_rows().more(self.shared.isa, sequence, count)
    }

    /// Steps must not overlap: the next one is asked for after the last has responded.
    pub fn step(&self, items: Vec<ItemRequest>, respond: Respond) {
        self.shared.cancel.clear();
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(returned) = commands.send(Command::Step(items, respond))
            && let Command::Step(_, respond) = returned.0
        {
            respond(Err(ended()));
        }
    }

    /// As [`Self::step`], of whole texts of which nothing is kept.
    pub fn encode(&self, items: Vec<EncodeRequest>, respond: RespondVectors) {
        self.shared.cancel.clear();
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(returned) = commands.send(Command::Encode(items, respond))
            && let Command::Encode(_, respond) = returned.0
        {
            respond(Err(ended()));
        }
    }

    /// Makes the running step fail with `CANCELLED` soon.
    pub fn cancel(&self) {
        self.shared.cancel.set();
    }

    /// Cancels what runs and waits for the thread's end: some milliseconds.
    pub fn end(&self) {
        self.cancel();
        let _ = self
            .commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send(Command::End);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    fn forget_row(&self, sequence: SequenceId) {
        self.shared.lock_rows().forget(sequence);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for work. The first pause gives back what loading, or the steps before it, left with the C library: it would
/// keep some megabytes for allocations that do not come.
fn next_command(receiver: &Receiver<Command>) -> Option<Command> {
    match receiver.recv_timeout(PAUSE) {
        Ok(command) => return Some(command),
        Err(RecvTimeoutError::Disconnected) => return None,
        Err(RecvTimeoutError::Timeout) => {}
    }
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the function takes no pointers and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
    receiver.recv().ok()
}

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::BatchItem;
use super::chunk::{AttendChunk, Finish, Head, MergeChunk, Row, row_groups};
use super::plan::{Block, Part, Plan};
use super::rows::ready_head;
use super::score::{MOST_ROWS, Scores};
use super::settings::AttentionSettings;
use super::state::{State, state_length};
use super::unpack::Unpacked;
use crate::arch;
use crate::cache::{Loan, PAGE_TOKENS};
use crate::cancel::Cancel;
use crate::isa::Isa;
use crate::pool::Team;

/// Room of one thread.
pub struct Workspace {
    rows: Vec<Row>,
    query: Vec<f32>,
    ready: Vec<f32>,
    unpacked: Unpacked,
    scores: Scores,
    state: Vec<f32>,
    total: Vec<f32>,
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            query: Vec::new(),
            ready: Vec::new(),
            unpacked: Unpacked::default(),
            scores: [[0.0; PAGE_TOKENS]; MOST_ROWS],
            state: Vec::new(),
            total: Vec::new(),
        }
    }
}

/// Attention of a step over a layer of the cache that holds all its positions.
pub struct Step<'a> {
    pub team: &'a Team<'a>,
    pub isa: Isa,
    pub cancel: &'a Cancel,
    pub settings: &'a AttentionSettings,
    pub layer: usize,
    pub batch: &'a [BatchItem],
    pub loan: &'a Loan<'a>,
    /// Padded dimensions of values.
    pub stride: usize,
    pub query: &'a [f32],
    pub turns: &'a [f32],
    pub plan: &'a Plan,
    pub workspaces: &'a [Mutex<Workspace>],
}

/// The outputs of a key head's queries at a token, (group * value_dim,) f32, each locked by the one that writes it.
type Outputs<'a> = Vec<Mutex<&'a mut [f32]>>;

impl Step<'_> {
    pub fn run(&self, partials: &mut [f32], output: &mut [f32]) {
        let width = self.settings.group() * self.settings.value_dim;
        let outputs: Outputs<'_> = output.chunks_exact_mut(width).map(Mutex::new).collect();
        let parts = Plan::costliest_first(self.give_states(partials));
        self.each(parts.len(), &|index, workspace| {
            let (part, states) = &parts[index];
            match states {
                Some(states) => self.attend_partly(part, &mut lock(states), workspace),
                None => self.attend_fully(&self.plan.blocks[part.block], &outputs, workspace),
            }
        });
        drop(parts);
        let split: Vec<_> = self
            .plan
            .blocks
            .iter()
            .filter(|block| block.partial.is_some())
            .collect();
        if !split.is_empty() {
            let partials = &*partials;
            self.each(split.len(), &|index, workspace| {
                self.merge(split[index], partials, &outputs, workspace)
            });
        }
    }

    /// Calls `body` for 0..count, shared out among the threads.
    fn each(&self, count: usize, body: &(dyn Fn(usize, &mut Workspace) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = |thread: usize, _: usize| {
            let mut workspace = lock(&self.workspaces[thread]);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count || self.cancel.is_set() {
                    return;
                }
                body(index, &mut workspace);
            }
        };
        if count == 1 {
            work(0, 1);
        } else {
            self.team.run(&work);
        }
    }

    /// Room for the states of the parts of split blocks.
    fn give_states<'b>(&self, partials: &'b mut [f32]) -> Vec<(&Part, Option<Mutex<&'b mut [f32]>>)> {
        let mut rest = partials;
        let mut give = |part: &Part| {
            let block = &self.plan.blocks[part.block];
            block.partial.map(|_| {
                let length = part.chunks.len() * state_length(block.rows(self.settings), self.stride);
                let (own, others) = std::mem::take(&mut rest).split_at_mut(length);
                rest = others;
                Mutex::new(own)
            })
        };
        self.plan.parts.iter().map(|part| (part, give(part))).collect()
    }

    fn attend_fully(&self, block: &Block, outputs: &Outputs<'_>, workspace: &mut Workspace) {
        self.prepare(block, workspace);
        let rows = workspace.rows.len();
        let length = state_length(rows, self.stride);
        workspace.state.resize(length, 0.0);
        workspace.total.resize(length, 0.0);
        for chunk in block.chunks() {
            if self.cancel.is_set() {
                return;
            }
            // Nothing was before the first: it needs no merging.
            let first = chunk == block.chunks().start;
            let into = if first {
                &mut workspace.total
            } else {
                &mut workspace.state
            };
            let mut state = std::mem::take(into);
            self.attend_chunk(block, chunk, &mut state, workspace);
            if first {
                workspace.total = state;
            } else {
                workspace.state = state;
                self.merge_chunk(chunk, workspace);
            }
        }
        self.finish(block, outputs, workspace);
    }

    fn attend_partly(&self, part: &Part, states: &mut [f32], workspace: &mut Workspace) {
        let block = &self.plan.blocks[part.block];
        self.prepare(block, workspace);
        let length = state_length(workspace.rows.len(), self.stride);
        for (chunk, state) in part.chunks.clone().zip(states.chunks_exact_mut(length)) {
            self.attend_chunk(block, chunk, state, workspace);
        }
    }

    /// Merges the states of a split block.
    fn merge(&self, block: &Block, partials: &[f32], outputs: &Outputs<'_>, workspace: &mut Workspace) {
        self.describe_rows(block, workspace);
        let rows = workspace.rows.len();
        let length = state_length(rows, self.stride);
        workspace.state.resize(length, 0.0);
        workspace.total.resize(length, 0.0);
        let states = partials[block.partial.unwrap_or(0)..].chunks_exact(length);
        for (chunk, state) in block.chunks().zip(states) {
            if chunk == block.chunks().start {
                workspace.total.copy_from_slice(state);
            } else {
                workspace.state.copy_from_slice(state);
                self.merge_chunk(chunk, workspace);
            }
        }
        self.finish(block, outputs, workspace);
    }

    fn merge_chunk(&self, chunk: usize, workspace: &mut Workspace) {
        let rows = workspace.rows.len();
        let kernel = MergeChunk {
            total: State::new(&mut workspace.total, rows),
            state: State::new(&mut workspace.state, rows),
            chunk,
            rows: &workspace.rows,
            stride: self.stride,
        };
        arch::lanes::run(self.isa, kernel);
    }

    fn describe_rows(&self, block: &Block, workspace: &mut Workspace) {
        let settings = self.settings;
        let item = &self.batch[block.item];
        let first_head = block.kv_head * settings.group();
        workspace.rows.clear();
        for token in block.tokens.clone() {
            let position = item.position + token;
            let (low, high) = settings.visible(position, item.position + item.tokens);
            for head in first_head..first_head + settings.group() {
                workspace.rows.push(Row {
                    head,
                    position,
                    low,
                    high,
                    slope: settings.slope(head),
                    sink: settings.sinks.as_ref().map(|sinks| sinks[head]),
                });
            }
        }
    }

    /// Rows and queries of a block.
    fn prepare(&self, block: &Block, workspace: &mut Workspace) {
        self.describe_rows(block, workspace);
        let settings = self.settings;
        let (dim, group) = (settings.key_dim, settings.group());
        let item = &self.batch[block.item];
        let tokens_before: usize = self.batch[..block.item].iter().map(|item| item.tokens).sum();
        workspace.query.resize(workspace.rows.len() * dim, 0.0);
        workspace.ready.resize(dim, 0.0);
        workspace.unpacked.resize(dim, self.stride);
        for rows in row_groups(workspace.rows.len()) {
            let packed = &mut workspace.query[rows.start * dim..rows.end * dim];
            for (offset, row) in rows.clone().enumerate() {
                let token = block.tokens.start + row / group;
                let head = block.kv_head * group + row % group;
                let input = &self.query[((item.first + token) * settings.heads + head) * dim..][..dim];
                let turn = settings.rope.as_ref().map(|rope| {
                    let start = (tokens_before + token) * rope.dimensions;
                    (rope, &self.turns[start..start + rope.dimensions])
                });
                let norm = settings.query_norm.as_ref();
                ready_head(self.isa, settings, norm, head, turn, input, &mut workspace.ready);
                let scale = settings.query_scale(item.position + token);
                for (to, value) in packed.chunks_exact_mut(rows.len()).zip(&workspace.ready) {
                    to[offset] = value * scale;
                }
            }
        }
    }

    fn attend_chunk(&self, block: &Block, chunk: usize, state: &mut [f32], workspace: &mut Workspace) {
        let layout = self.loan.layout;
        let first = layout.layer_range(self.layer).start + block.kv_head * layout.head_bytes(self.layer);
        let middle = first + layout.key_bytes(self.layer);
        let head = Head {
            kind: layout.kind(),
            pages: &self.loan.lent[block.item].pages,
            keys: first..middle,
            values: middle..first + layout.head_bytes(self.layer),
            key_dim: self.settings.key_dim,
            stride: self.stride,
        };
        let kernel = AttendChunk {
            head: &head,
            chunk,
            rows: &workspace.rows,
            query: &workspace.query,
            softcap: self.settings.softcap,
            bias: self.settings.position_bias.as_ref(),
            cancel: self.cancel,
            unpacked: &mut workspace.unpacked,
            scores: &mut workspace.scores,
            state: State::new(state, workspace.rows.len()),
        };
        arch::lanes::run(self.isa, kernel);
    }

    fn finish(&self, block: &Block, outputs: &Outputs<'_>, workspace: &mut Workspace) {
        let settings = self.settings;
        let rows = workspace.rows.len();
        let item = &self.batch[block.item];
        for (index, token) in block.tokens.clone().enumerate() {
            let first = index * settings.group();
            let mut output = lock(&outputs[(item.first + token) * settings.kv_heads + block.kv_head]);
            let kernel = Finish {
                total: State::new(&mut workspace.total, rows),
                rows: &workspace.rows,
                first,
                stride: self.stride,
                value_dim: settings.value_dim,
                output: &mut output,
            };
            arch::lanes::run(self.isa, kernel);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic of another thread reaches the caller anyway.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

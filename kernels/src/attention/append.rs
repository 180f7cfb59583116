use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::BatchItem;
use super::rows::{normalize_row, ready_head, ready_value};
use super::settings::{AttentionSettings, invalid};
use crate::cache::{CacheLayout, Lent, PAGE_TOKENS, tile};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::isa::Isa;
use crate::pool::Team;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Elements of keys and values that are worth waking threads for.
const PARALLEL_ELEMENTS: usize = 8192;

/// Keys and values of a step on their way into the cache.
pub struct Append<'a> {
    pub team: &'a Team<'a>,
    pub isa: Isa,
    pub cancel: &'a Cancel,
    pub settings: &'a AttentionSettings,
    pub layer: usize,
    pub batch: &'a [BatchItem],
    /// (rows, kv_heads * key_dim) f32.
    pub key: &'a [f32],
    /// (rows, kv_heads * value_dim) f32; none when values are part of keys.
    pub value: Option<&'a [f32]>,
    /// (tokens of the batch, 2, dimensions / 2) f32 of the rope.
    pub turns: &'a [f32],
}

/// Some tokens of an item on one page.
struct Run<'a> {
    /// The layer's bytes of the page.
    bytes: Mutex<&'a mut [u8]>,
    /// First position in the page.
    slot: usize,
    /// Rows of key and value.
    rows: Range<usize>,
    /// First row of `turns`.
    turn: usize,
}

impl Append<'_> {
    /// Writes all positions of the step.
    pub fn run(&self, layout: &CacheLayout, lent: &mut [Lent]) -> Result<()> {
        let mut runs = Vec::new();
        let mut turn = 0;
        for (item, lent) in self.batch.iter().zip(lent) {
            let end = item.position + item.tokens;
            let first = item.position / PAGE_TOKENS;
            for (index, page) in lent.pages[first..end.div_ceil(PAGE_TOKENS)].iter_mut().enumerate() {
                let page_start = (first + index) * PAGE_TOKENS;
                let start = item.position.max(page_start);
                let count = end.min(page_start + PAGE_TOKENS) - start;
                let page = Arc::get_mut(page).ok_or_else(|| {
                    invalid(
                        "Expected positions to be reserved after a sequence was forked, found shared pages.".to_owned(),
                    )
                })?;
                let row = item.first + start - item.position;
                runs.push(Run {
                    bytes: Mutex::new(&mut page[layout.layer_range(self.layer)]),
                    slot: start - page_start,
                    rows: row..row + count,
                    turn: turn + start - item.position,
                });
            }
            turn += item.tokens;
        }
        let next = AtomicUsize::new(0);
        let work = |_: usize, _: usize| {
            while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.cancel.is_set() {
                    return;
                }
                self.write(layout, run);
            }
        };
        let width = self.settings.key_dim + self.settings.value_dim;
        if runs.len() < 2 || turn * self.settings.kv_heads * width < PARALLEL_ELEMENTS {
            work(0, 1);
        } else {
            self.team.run(&work);
        }
        Ok(())
    }

    fn write(&self, layout: &CacheLayout, run: &Run<'_>) {
        let settings = self.settings;
        let kind = layout.kind();
        let (key_dim, value_dim) = (settings.key_dim, settings.value_dim);
        let (key_width, value_width) = (settings.kv_heads * key_dim, settings.kv_heads * value_dim);
        let key_bytes = layout.key_bytes(self.layer);
        let mut key_row = vec![0.0; key_width];
        let mut value_row = vec![0.0; value_width];
        let mut ready = vec![0.0; key_dim.max(value_dim)];
        let mut bytes = run.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        for (offset, row) in run.rows.clone().enumerate() {
            let mut key = &self.key[row * key_width..][..key_width];
            if let Some(norm) = settings.key_norm.as_ref().filter(|norm| norm.whole_row) {
                normalize_row(self.isa, norm, key, &mut key_row);
                key = &key_row;
            }
            let mut value = self.value.map(|value| &value[row * value_width..][..value_width]);
            if let (Some(norm), Some(given)) = (settings.value_norm.as_ref().filter(|norm| norm.whole_row), value) {
                normalize_row(self.isa, norm, given, &mut value_row);
                value = Some(&value_row);
            }
            let turn = settings.rope.as_ref().map(|rope| {
                let start = (run.turn + offset) * rope.dimensions;
                (rope, &self.turns[start..start + rope.dimensions])
            });
            for (head, bytes) in bytes.chunks_exact_mut(layout.head_bytes(self.layer)).enumerate() {
                let (keys, values) = bytes.split_at_mut(key_bytes);
                let input = &key[head * key_dim..][..key_dim];
                let ready_key = &mut ready[..key_dim];
                ready_head(
                    self.isa,
                    settings,
                    settings.key_norm.as_ref(),
                    head,
                    turn,
                    input,
                    ready_key,
                );
                tile::store_key(kind, keys, run.slot + offset, ready_key);
                if let Some(value) = value {
                    let input = &value[head * value_dim..][..value_dim];
                    let ready_row = &mut ready[..value_dim];
                    ready_value(self.isa, settings.value_norm.as_ref(), head, input, ready_row);
                    tile::store_value(kind, values, run.slot + offset, ready_row);
                }
            }
        }
    }
}

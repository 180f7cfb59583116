use std::ops::Range;

use super::BatchItem;
use super::chunk::CHUNK;
use super::score::USUAL_ROWS;
use super::settings::AttentionSettings;
use super::state::state_length;

/// Rows of a block: enough that turning a tile to f32 does not count.
const BLOCK_ROWS: usize = 16 * USUAL_ROWS;
/// Rows of a block when there are few blocks for the threads.
const LEAST_BLOCK_ROWS: usize = 4 * USUAL_ROWS;
/// Only blocks of few rows are split over their positions: each part keeps its own sums.
const SPLIT_ROWS: usize = 32;
/// Parts per thread, so that a late thread leaves its share to others.
const PARTS_PER_THREAD: usize = 4;
/// Cost that is worth handing to a thread, some microseconds.
const LEAST_COST: usize = 80_000;

/// The queries of a key head at some tokens of an item.
pub struct Block {
    pub item: usize,
    pub kv_head: usize,
    /// In the item.
    pub tokens: Range<usize>,
    /// Positions that one of them sees.
    pub low: usize,
    pub high: usize,
    cost: usize,
    /// Where the states of its chunks begin among the partial ones, when it is split.
    pub partial: Option<usize>,
}

impl Block {
    pub fn rows(&self, settings: &AttentionSettings) -> usize {
        self.tokens.len() * settings.group()
    }

    pub fn chunks(&self) -> Range<usize> {
        self.low / CHUNK..self.high.div_ceil(CHUNK)
    }
}

/// A block, or some chunks of its positions.
pub struct Part {
    pub block: usize,
    pub chunks: Range<usize>,
    cost: usize,
}

#[derive(Default)]
pub struct Plan {
    pub blocks: Vec<Block>,
    /// The costliest first.
    pub parts: Vec<Part>,
    /// Numbers of all partial states.
    pub partial_length: usize,
    pub cost: usize,
}

impl Plan {
    /// How the work of a step is shared out. Results do not depend on it.
    pub fn make(&mut self, settings: &AttentionSettings, batch: &[BatchItem], stride: usize, threads: usize) {
        self.blocks.clear();
        self.parts.clear();
        self.partial_length = 0;
        self.cost = 0;
        let group = settings.group();
        let tokens: usize = batch.iter().map(|item| item.tokens).sum();
        let even = tokens * settings.heads / (PARTS_PER_THREAD * threads);
        let most = (even.clamp(LEAST_BLOCK_ROWS, BLOCK_ROWS) / USUAL_ROWS * USUAL_ROWS / group).max(1);
        for (index, item) in batch.iter().enumerate() {
            let end = item.position + item.tokens;
            for start in (0..item.tokens).step_by(most) {
                let tokens = start..item.tokens.min(start + most);
                let low = settings.visible(item.position + tokens.start, end).0;
                let high = settings.visible(item.position + tokens.end - 1, end).1;
                // Rows cost their products; two more stand for fetching keys and values.
                let cost = (high - low) * (settings.key_dim + stride) * (tokens.len() * group + 2);
                for kv_head in 0..settings.kv_heads {
                    self.cost += cost;
                    self.blocks.push(Block {
                        item: index,
                        kv_head,
                        tokens: tokens.clone(),
                        low,
                        high,
                        cost,
                        partial: None,
                    });
                }
            }
        }
        let target = (self.cost / (PARTS_PER_THREAD * threads)).max(LEAST_COST);
        for (index, block) in self.blocks.iter_mut().enumerate() {
            let chunks = block.chunks();
            let rows = block.rows(settings);
            let count = if threads > 1 && rows <= SPLIT_ROWS {
                (block.cost / target).clamp(1, chunks.len())
            } else {
                1
            };
            if count > 1 {
                block.partial = Some(self.partial_length);
                self.partial_length += chunks.len() * state_length(rows, stride);
            }
            for part in 0..count {
                self.parts.push(Part {
                    block: index,
                    chunks: chunks.start + chunks.len() * part / count
                        ..chunks.start + chunks.len() * (part + 1) / count,
                    cost: block.cost / count,
                });
            }
        }
    }

    /// Sorted only once states have been given to the parts in their order.
    pub fn costliest_first<T>(mut parts: Vec<(&Part, T)>) -> Vec<(&Part, T)> {
        parts.sort_by_key(|(part, _)| std::cmp::Reverse(part.cost));
        parts
    }
}

use std::ops::Range;
use std::sync::Arc;

use super::PositionBias;
use super::mix::{Sums, Values, mix};
use super::score::{Keys, MOST_ROWS, Scores, USUAL_ROWS, score};
use super::soften::{View, soften};
use super::state::State;
use super::unpack::Unpacked;
use crate::arch::lanes::{Kernel, Lanes};
use crate::cache::{CacheType, PAGE_TOKENS, Page};
use crate::cancel::Cancel;

/// Positions that are attended to from a fresh start; the results are then merged in order, always and however
/// the work is shared out. So the size is part of the result.
pub const CHUNK: usize = 2 * PAGE_TOKENS;

/// From this many groups of rows on, a tile is turned to f32 once instead of in each product.
const GROUPS_TO_UNPACK: usize = 3;

/// A query row.
#[derive(Clone, Copy)]
pub struct Row {
    pub head: usize,
    pub position: usize,
    /// Positions it sees, `low..high`.
    pub low: usize,
    pub high: usize,
    /// Of ALiBi.
    pub slope: f32,
    pub sink: Option<f32>,
}

impl Row {
    pub const fn sees_of(&self, chunk: usize) -> bool {
        self.low < (chunk + 1) * CHUNK && self.high > chunk * CHUNK
    }

    /// What it sees of the tile that begins at `start`.
    #[inline(always)]
    fn view<'a>(&self, start: usize, bias: Option<&'a PositionBias>) -> View<'a> {
        View {
            low: self.low.saturating_sub(start).min(PAGE_TOKENS),
            high: self.high.saturating_sub(start).min(PAGE_TOKENS),
            distance: start as f32 - self.position as f32,
            slope: self.slope,
            bias: bias.map(|bias| bias.tile(self.head, self.position, start)),
        }
    }
}

/// The rows of a block in groups of nearly the same size; their queries lie group after group, each (key_dim, rows).
/// Few rows are one group: keys and values are then fetched once.
pub fn row_groups(rows: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let count = if rows <= MOST_ROWS {
        1
    } else {
        rows.div_ceil(USUAL_ROWS)
    };
    (0..count).map(move |group| rows * group / count..rows * (group + 1) / count)
}

/// Where keys and values of a head lie in the pages of a sequence.
#[derive(Clone)]
pub struct Head<'a> {
    pub kind: CacheType,
    pub pages: &'a [Arc<Page>],
    /// In a page.
    pub keys: Range<usize>,
    /// Empty when values are the first elements of keys.
    pub values: Range<usize>,
    pub key_dim: usize,
    /// Padded dimensions of values.
    pub stride: usize,
}

/// Attention of query rows over the positions of a chunk.
pub struct AttendChunk<'a> {
    pub head: &'a Head<'a>,
    pub chunk: usize,
    pub rows: &'a [Row],
    pub query: &'a [f32],
    pub softcap: Option<f32>,
    pub bias: Option<&'a PositionBias>,
    pub cancel: &'a Cancel,
    pub unpacked: &'a mut Unpacked,
    pub scores: &'a mut Scores,
    pub state: State<'a>,
}

impl Kernel for AttendChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        self.state.clear();
        let low = self.rows.iter().map(|row| row.low).min().unwrap_or(0);
        let high = self.rows.iter().map(|row| row.high).max().unwrap_or(0);
        let first = low.max(self.chunk * CHUNK) / PAGE_TOKENS;
        let last = high.min((self.chunk + 1) * CHUNK).div_ceil(PAGE_TOKENS);
        for tile in first..last {
            if self.cancel.is_set() {
                return;
            }
            self.tile(lanes, tile);
        }
    }
}

impl AttendChunk<'_> {
    #[inline(always)]
    fn tile<L: Lanes>(&mut self, lanes: L, tile: usize) {
        let head = self.head;
        let page = &head.pages[tile];
        let kept = &page[head.keys.clone()];
        let latent = head.values.is_empty();
        let groups = row_groups(self.rows.len());
        let unpacks = latent || groups.len() >= GROUPS_TO_UNPACK;
        let next = head.pages.get(tile + 1);
        let next_keys = next.map_or(&[][..], |page| &page[head.keys.clone()]);
        let next_values = if unpacks { next } else { Some(page) }.map_or(&[][..], |page| &page[head.values.clone()]);
        let (keys, values) = if unpacks {
            self.unpacked.unpack_keys(lanes, head.kind, kept, head.key_dim);
            if latent {
                self.unpacked.transpose_keys(head.stride);
            } else {
                self.unpacked
                    .unpack_values(lanes, head.kind, &page[head.values.clone()], head.stride);
            }
            (Keys::Plain(&self.unpacked.keys), Values::Plain(&self.unpacked.values))
        } else {
            (
                Keys::Kept(head.kind, kept),
                Values::Kept(head.kind, &page[head.values.clone()]),
            )
        };
        for (number, group) in groups.enumerate() {
            // The first group asks for what comes after.
            let (next_keys, next_values) = if number == 0 {
                (next_keys, next_values)
            } else {
                (&[][..], &[][..])
            };
            let mut views = [View::default(); MOST_ROWS];
            for (view, row) in views.iter_mut().zip(&self.rows[group.clone()]) {
                *view = row.view(tile * PAGE_TOKENS, self.bias);
            }
            let views = &views[..group.len()];
            if views.iter().all(View::is_empty) {
                continue;
            }
            let query = &self.query[group.start * head.key_dim..group.end * head.key_dim];
            score(lanes, keys, group.len(), query, self.scores, next_values);
            let mut seen = self.state.seen(group.start, group.len());
            let factors = soften(lanes, self.scores, views, self.softcap, &mut seen);
            for (index, _) in views.iter().enumerate().filter(|(_, view)| !view.is_empty()) {
                self.state
                    .update(lanes, group.start + index, index, &seen, &factors, head.stride);
            }
            let sums = &mut self.state.sums[group.start * head.stride..group.end * head.stride];
            add_values(lanes, values, views, self.scores, sums, head.stride, next_keys);
        }
    }
}

/// Each row gets the values at its own positions in order; what all of them see is fetched once.
#[inline(always)]
fn add_values<L: Lanes>(
    lanes: L,
    values: Values<'_>,
    views: &[View<'_>],
    weights: &Scores,
    sums: &mut [f32],
    stride: usize,
    ahead: &[u8],
) {
    let rows = views.len();
    let low = views.iter().map(|view| view.low).max().unwrap_or(0);
    let high = views.iter().map(|view| view.high).min().unwrap_or(0);
    let mut add = |first, rows, tokens| {
        mix(
            lanes,
            values,
            Sums {
                first,
                rows,
                tokens,
                weights,
                sums,
                stride,
                ahead,
            },
        );
    };
    if low >= high {
        for (row, view) in views.iter().enumerate() {
            add(row, 1, view.low..view.high);
        }
        return;
    }
    for (row, view) in views.iter().enumerate() {
        add(row, 1, view.low..low);
    }
    add(0, rows, low..high);
    for (row, view) in views.iter().enumerate() {
        add(row, 1, high..view.high);
    }
}

/// Merges the state of a chunk into what its rows saw of earlier chunks.
pub struct MergeChunk<'a> {
    pub total: State<'a>,
    pub state: State<'a>,
    pub chunk: usize,
    pub rows: &'a [Row],
    pub stride: usize,
}

impl Kernel for MergeChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let (rows, chunk) = (self.rows, self.chunk);
        self.total.merge(
            lanes,
            &self.state,
            self.stride,
            rows.len(),
            |row| rows[row].sees_of(chunk),
            |row| rows[row].low / CHUNK == chunk,
        );
    }
}

/// Attention of rows `first..`, (rows, value_dim) f32.
pub struct Finish<'a> {
    pub total: State<'a>,
    pub rows: &'a [Row],
    pub first: usize,
    pub stride: usize,
    pub value_dim: usize,
    pub output: &'a mut [f32],
}

impl Kernel for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for (output, row) in self.output.chunks_exact_mut(self.value_dim).zip(self.first..) {
            self.total
                .finish_row(lanes, row, self.stride, self.rows[row].sink, output);
        }
    }
}

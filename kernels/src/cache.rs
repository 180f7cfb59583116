//! Keys and values of past positions: pages of 64 positions that sequences share, copied when one of them writes.

mod layout;
mod page;
mod slab;
mod snapshot;
pub(crate) mod tile;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::{Error, ErrorCode, Result};
pub use layout::{CacheLayer, CacheLayout, CacheType, PAGE_TOKENS};
pub(crate) use page::Page;
use page::PageSource;

/// Names a sequence of one cache; never used again after `close`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SequenceId(pub u32);

#[derive(Default)]
struct Sequence {
    /// Positions that count.
    length: usize,
    /// Positions after them that may be written: their pages are this sequence's alone.
    reserved: usize,
    /// Pages from position 0 on.
    pages: Vec<Arc<Page>>,
}

/// All sequences of an engine. Pages come from the system as sequences grow and go back when nobody uses them.
pub struct Cache {
    layout: CacheLayout,
    source: PageSource,
    sequences: HashMap<SequenceId, Sequence>,
    next: u32,
}

impl Cache {
    /// An empty cache whose pages together never take more than `budget_bytes`.
    pub fn new(layout: CacheLayout, budget_bytes: usize) -> Self {
        Self {
            source: PageSource::new(layout.page_bytes(), budget_bytes),
            layout,
            sequences: HashMap::new(),
            next: 0,
        }
    }

    pub const fn layout(&self) -> &CacheLayout {
        &self.layout
    }

    /// Bytes of all pages in use; a shared page counts once.
    pub fn used_bytes(&self) -> usize {
        self.source.held() * self.layout.page_bytes()
    }

    /// Bytes of the pages of some sequences; a page that several of them share counts once, unknown ones not at all.
    pub fn bytes_of(&self, ids: &[SequenceId]) -> usize {
        let pages: HashSet<_> = ids
            .iter()
            .filter_map(|id| self.sequences.get(id))
            .flat_map(|sequence| sequence.pages.iter().map(Arc::as_ptr))
            .collect();
        pages.len() * self.layout.page_bytes()
    }

    pub fn open(&mut self) -> SequenceId {
        self.insert(Sequence::default())
    }

    fn insert(&mut self, sequence: Sequence) -> SequenceId {
        loop {
            let id = SequenceId(self.next);
            self.next = self.next.wrapping_add(1);
            // After four thousand million sequences the numbers begin again.
            if let Entry::Vacant(entry) = self.sequences.entry(id) {
                entry.insert(sequence);
                return id;
            }
        }
    }

    fn sequence(&self, id: SequenceId) -> Result<&Sequence> {
        self.sequences.get(&id).ok_or_else(|| unknown(id))
    }

    /// Positions of the sequence so far.
    pub fn length(&self, id: SequenceId) -> Result<usize> {
        Ok(self.sequence(id)?.length)
    }

    /// Forgets all positions from `length` on, and what was reserved; longer than the sequence: only the latter.
    pub fn truncate(&mut self, id: SequenceId, length: usize) -> Result<()> {
        let sequence = self.sequences.get_mut(&id).ok_or_else(|| unknown(id))?;
        sequence.length = sequence.length.min(length);
        sequence.reserved = 0;
        let pages = sequence.length.div_ceil(PAGE_TOKENS);
        for page in sequence.pages.drain(pages.min(sequence.pages.len())..) {
            self.source.release(page);
        }
        Ok(())
    }

    /// A new sequence with the first `length` positions of another, on the same pages.
    pub fn fork(&mut self, id: SequenceId, length: usize) -> Result<SequenceId> {
        let sequence = self.sequence(id)?;
        check_length(sequence, length)?;
        let pages = sequence.pages[..length.div_ceil(PAGE_TOKENS)].to_vec();
        Ok(self.insert(Sequence {
            length,
            reserved: 0,
            pages,
        }))
    }

    /// Gives up a sequence; an unknown one is left alone.
    pub fn close(&mut self, id: SequenceId) {
        for page in self
            .sequences
            .remove(&id)
            .into_iter()
            .flat_map(|sequence| sequence.pages)
        {
            self.source.release(page);
        }
    }

    /// Makes room for `extra` positions after the last: pages that no other sequence reads. An earlier reservation
    /// that was not committed is given up.
    ///
    /// Fails with `BUSY` beyond the budget, with `OUT_OF_MEMORY` when the system has none; nothing changes then.
    pub fn reserve(&mut self, id: SequenceId, extra: usize) -> Result<()> {
        let sequence = self.sequences.get_mut(&id).ok_or_else(|| unknown(id))?;
        let end = sequence.length.checked_add(extra).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                format!("Expected a number of positions that fits memory, found {extra}."),
            )
        })?;
        let wanted = end.div_ceil(PAGE_TOKENS);
        let last = sequence.length / PAGE_TOKENS;
        let copies =
            extra > 0 && !sequence.length.is_multiple_of(PAGE_TOKENS) && Arc::strong_count(&sequence.pages[last]) > 1;
        let missing = wanted.saturating_sub(sequence.pages.len());
        let mut pages = self.source.take(missing + usize::from(copies))?;
        if copies && let Some(mut page) = pages.pop() {
            page.copy_from_slice(&sequence.pages[last]);
            let shared = std::mem::replace(&mut sequence.pages[last], Arc::new(page));
            self.source.release(shared);
        }
        for page in sequence.pages.drain(wanted.min(sequence.pages.len())..) {
            self.source.release(page);
        }
        sequence.pages.extend(pages.into_iter().map(Arc::new));
        sequence.reserved = extra;
        Ok(())
    }

    /// Lengthens a sequence by `count` of its reserved positions, once all layers have written them.
    pub fn commit(&mut self, id: SequenceId, count: usize) -> Result<()> {
        let sequence = self.sequences.get_mut(&id).ok_or_else(|| unknown(id))?;
        if count > sequence.reserved {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "Expected at most {} positions to commit, the reserved ones, found {count}.",
                    sequence.reserved
                ),
            ));
        }
        sequence.length += count;
        sequence.reserved -= count;
        Ok(())
    }

    /// Takes the pages of some sequences out, for a layer to write; dropping the loan puts them back.
    pub(crate) fn lend(&mut self, ids: impl Iterator<Item = SequenceId>) -> Result<Loan<'_>> {
        let mut loan = Loan {
            layout: &self.layout,
            sequences: &mut self.sequences,
            lent: Vec::new(),
        };
        for id in ids {
            let sequence = loan.sequences.get_mut(&id).ok_or_else(|| unknown(id))?;
            if sequence.pages.is_empty() {
                return Err(Error::new(
                    ErrorCode::InvalidArgument,
                    format!(
                        "Expected each sequence of a step once and with reserved positions, found sequence {} without.",
                        id.0
                    ),
                ));
            }
            let pages = std::mem::take(&mut sequence.pages);
            loan.lent.push(Lent {
                id,
                length: sequence.length,
                reserved: sequence.reserved,
                pages,
            });
        }
        Ok(loan)
    }
}

pub(crate) struct Lent {
    id: SequenceId,
    pub length: usize,
    pub reserved: usize,
    pub pages: Vec<Arc<Page>>,
}

/// Pages of the sequences of a step, in its order.
pub(crate) struct Loan<'a> {
    pub layout: &'a CacheLayout,
    sequences: &'a mut HashMap<SequenceId, Sequence>,
    pub lent: Vec<Lent>,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        for lent in self.lent.drain(..) {
            if let Some(sequence) = self.sequences.get_mut(&lent.id) {
                sequence.pages = lent.pages;
            }
        }
    }
}

fn unknown(id: SequenceId) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!("Expected an open sequence of the cache, found number {}.", id.0),
    )
}

fn check_length(sequence: &Sequence, length: usize) -> Result<()> {
    if length > sequence.length {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "Expected at most {} positions, the sequence's length, found {length}.",
                sequence.length
            ),
        ));
    }
    Ok(())
}

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use memmap2::MmapMut;

use crate::error::{Error, ErrorCode, Result};

/// Free pages are kept up to this many bytes (but at least one), so that streams which come and go ask the system
/// less often; the rest goes back to it at once.
const KEPT_BYTES: usize = 8 << 20;

/// 64 positions of all layers. A mapping of its own: what the allocator is given back it may keep.
pub struct Page(MmapMut);

impl Deref for Page {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Page {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Takes pages from the system within a budget.
pub struct PageSource {
    page_bytes: usize,
    /// Pages that may be held at once.
    limit: usize,
    held: usize,
    kept: Vec<Page>,
}

impl PageSource {
    pub fn new(page_bytes: usize, budget_bytes: usize) -> Self {
        Self {
            page_bytes,
            limit: budget_bytes / page_bytes,
            held: 0,
            kept: Vec::new(),
        }
    }

    pub const fn held(&self) -> usize {
        self.held
    }

    /// `count` pages with any content, or an error and nothing changed.
    pub fn take(&mut self, count: usize) -> Result<Vec<Page>> {
        if count > self.limit - self.held {
            return Err(Error::new(
                ErrorCode::Busy,
                format!(
                    "Expected {count} free pages in the key/value cache, found {} of {}. Wait for other requests to finish, or allow the cache more memory.",
                    self.limit - self.held,
                    self.limit
                ),
            ));
        }
        let mut pages = Vec::with_capacity(count);
        while pages.len() < count {
            match self.kept.pop().map_or_else(|| self.map(), Ok) {
                Ok(page) => pages.push(page),
                Err(error) => {
                    self.kept.append(&mut pages);
                    self.shrink();
                    return Err(error);
                }
            }
        }
        self.held += count;
        Ok(pages)
    }

    fn map(&self) -> Result<Page> {
        MmapMut::map_anon(self.page_bytes).map(Page).map_err(|error| {
            Error::new(
                ErrorCode::OutOfMemory,
                format!(
                    "Expected the system to give {} bytes for the key/value cache, found: {error}.",
                    self.page_bytes
                ),
            )
        })
    }

    /// Gives up one use of a page; it is free when that was the last.
    pub fn release(&mut self, page: Arc<Page>) {
        if let Ok(page) = Arc::try_unwrap(page) {
            self.held -= 1;
            self.kept.push(page);
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        self.kept.truncate((KEPT_BYTES / self.page_bytes).max(1));
    }
}

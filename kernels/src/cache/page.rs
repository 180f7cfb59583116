use std::sync::Arc;

pub use super::slab::Page;
use super::slab::{Slab, pages_per_slab};
use crate::error::{Error, ErrorCode, Result};

/// Takes pages from the system within a budget.
pub struct PageSource {
    page_bytes: usize,
    /// Pages that may be held at once.
    limit: usize,
    held: usize,
    /// None where one went back to the system.
    slabs: Vec<Option<Slab>>,
}

impl PageSource {
    pub const fn new(page_bytes: usize, budget_bytes: usize) -> Self {
        Self {
            page_bytes,
            limit: budget_bytes / page_bytes,
            held: 0,
            slabs: Vec::new(),
        }
    }

    pub const fn held(&self) -> usize {
        self.held
    }

    /// `count` pages with any content, or an error and nothing changed.
    pub fn take(&mut self, count: usize) -> Result<Vec<Page>> {
        let available = self.limit - self.held;
        if count > available {
            return Err(Error::new(
                ErrorCode::Busy,
                format!(
                    "Expected {count} free pages in the key/value cache, found {available} of {}. Wait for other requests to finish, or allow the cache more memory.",
                    self.limit
                ),
            ));
        }
        let mut pages = Vec::with_capacity(count);
        while pages.len() < count {
            match self.next_page() {
                Ok(page) => pages.push(page),
                Err(error) => {
                    pages.into_iter().for_each(|page| self.give_back(page));
                    return Err(error);
                }
            }
        }
        self.held += count;
        Ok(pages)
    }

    /// From the first slab that has one, so that later slabs become free as a whole.
    fn next_page(&mut self) -> Result<Page> {
        let open = self
            .slabs
            .iter()
            .position(|slab| slab.as_ref().is_some_and(Slab::has_free));
        let place = open
            .or_else(|| self.slabs.iter().position(Option::is_none))
            .unwrap_or(self.slabs.len());
        if open.is_none() {
            let slab = Slab::new(self.page_bytes, pages_per_slab(self.page_bytes)).map_err(|error| {
                Error::new(
                    ErrorCode::OutOfMemory,
                    format!("Expected the system to give memory for the key/value cache, found: {error}."),
                )
            })?;
            if place == self.slabs.len() {
                self.slabs.push(None);
            }
            self.slabs[place] = Some(slab);
        }
        let page = self.slabs[place].as_mut().and_then(|slab| slab.page(place));
        page.ok_or_else(|| Error::new(ErrorCode::EngineFailed, "Expected a slab with a free page, found none."))
    }

    /// Gives up one use of a page; it is free when that was the last.
    pub fn release(&mut self, page: Arc<Page>) {
        if let Ok(page) = Arc::try_unwrap(page) {
            self.held -= 1;
            self.give_back(page);
        }
    }

    fn give_back(&mut self, page: Page) {
        let place = page.slab;
        if let Some(slab) = &mut self.slabs[place] {
            slab.give_back(page);
            // One unused slab is kept, so that streams which come and go do not ask the system each time.
            let unused = |slab: &Option<Slab>| slab.as_ref().is_some_and(Slab::is_unused);
            if slab.is_unused() && self.slabs.iter().filter(|slab| unused(slab)).count() > 1 {
                self.slabs[place] = None;
            }
        }
    }
}

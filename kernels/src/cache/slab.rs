use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;

use memmap2::MmapMut;

/// What processors and systems call a huge page: one entry of address translation instead of 512. Reading keys and
/// values through small pages takes 1.2 to 1.5 times as long.
const HUGE: usize = 2 << 20;
/// Smaller pages are of models so small that huge pages would be wasted on them.
const LEAST_PAGE: usize = 64 << 10;
/// Pages per slab, at most: a slab goes back to the system as a whole.
const MOST_PAGES: usize = 8;

/// 64 positions of all layers: a part of a slab that is this value's alone.
pub struct Page {
    start: NonNull<u8>,
    bytes: usize,
    /// Number of the slab among its source's.
    pub slab: usize,
    /// Number of the page in its slab.
    pub index: usize,
    /// Keeps the memory.
    _memory: Arc<MmapMut>,
}

// SAFETY: a page is memory of its own, as a boxed slice is.
unsafe impl Send for Page {}
// SAFETY: as above.
unsafe impl Sync for Page {}

impl Deref for Page {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `Slab::page` made it of initialized memory within the mapping, which `_memory` keeps.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }
}

impl DerefMut for Page {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; no other value has this part of the mapping.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }
}

/// Some pages that come from the system together.
pub struct Slab {
    memory: Arc<MmapMut>,
    start: NonNull<u8>,
    page_bytes: usize,
    /// Numbers of pages that no value has.
    free: Vec<usize>,
    pages: usize,
}

// SAFETY: `start` points into `memory`, which goes with it.
unsafe impl Send for Slab {}
// SAFETY: a shared slab gives access to numbers only.
unsafe impl Sync for Slab {}

/// Pages that a slab should have, so that little of its huge pages is left over.
pub fn pages_per_slab(page_bytes: usize) -> usize {
    if page_bytes < LEAST_PAGE {
        return 1;
    }
    let left_over = |pages: &usize| {
        let bytes = pages * page_bytes;
        // Per page, to compare slabs of different size.
        (bytes.next_multiple_of(HUGE) - bytes) / pages
    };
    let fits = (1..=MOST_PAGES).find(|pages| left_over(pages) <= page_bytes / 8);
    fits.or_else(|| (1..=MOST_PAGES).min_by_key(left_over)).unwrap_or(1)
}

impl Slab {
    /// Memory of zeros for `pages` pages.
    pub fn new(page_bytes: usize, pages: usize) -> std::io::Result<Self> {
        let bytes = page_bytes * pages;
        let huge = page_bytes >= LEAST_PAGE;
        // Room to begin at a multiple of a huge page; what is never touched takes no memory.
        let mut memory = MmapMut::map_anon(if huge {
            bytes.next_multiple_of(HUGE) + HUGE
        } else {
            bytes
        })?;
        #[cfg(target_os = "linux")]
        if huge {
            // A system without them goes on with small pages.
            let _ = memory.advise(memmap2::Advice::HugePage);
        }
        let offset = if huge { memory.as_ptr().align_offset(HUGE) } else { 0 };
        let start = NonNull::from(&mut memory[offset..offset + bytes]).cast();
        Ok(Self {
            memory: Arc::new(memory),
            start,
            page_bytes,
            free: (0..pages).rev().collect(),
            pages,
        })
    }

    pub fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    pub fn is_unused(&self) -> bool {
        self.free.len() == self.pages
    }

    /// A free page with any content; `slab` is this slab's number.
    pub fn page(&mut self, slab: usize) -> Option<Page> {
        let index = self.free.pop()?;
        // SAFETY: `new` made room for `pages` pages from `start` on.
        let start = unsafe { self.start.add(index * self.page_bytes) };
        Some(Page {
            start,
            bytes: self.page_bytes,
            slab,
            index,
            _memory: Arc::clone(&self.memory),
        })
    }

    /// Takes back a page that it gave.
    pub fn give_back(&mut self, page: Page) {
        self.free.push(page.index);
    }
}

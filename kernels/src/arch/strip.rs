use std::marker::PhantomData;
use std::ops::Range;

/// The columns of a (nTokens, width) matrix that one thread writes.
pub(crate) struct Strip<'a> {
    start: *mut f32,
    width: usize,
    tokens: usize,
    columns: Range<usize>,
    matrix: PhantomData<&'a mut [f32]>,
}

// SAFETY: strips of one matrix do not overlap, see `Strips`; f32 may go to other threads.
unsafe impl Send for Strip<'_> {}

impl Strip<'_> {
    /// # Safety
    /// `start` is that of a (tokens, width) matrix that can be written as long as the strip lives, and nobody else
    /// reaches the columns meanwhile.
    pub(super) unsafe fn new(start: *mut f32, width: usize, tokens: usize, columns: Range<usize>) -> Self {
        Self {
            start,
            width,
            tokens,
            columns,
            matrix: PhantomData,
        }
    }

    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// Columns `columns`, counted as those of the matrix, of a token. Panics outside of the strip.
    pub fn token(&mut self, token: usize, columns: Range<usize>) -> &mut [f32] {
        assert!(token < self.tokens && columns.start <= columns.end);
        assert!(self.columns.start <= columns.start && columns.end <= self.columns.end);
        // SAFETY: inside the matrix by the asserts; only this strip, borrowed mutably, reaches its columns.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(token * self.width + columns.start), columns.len()) }
    }
}

/// Cuts a matrix into strips from left to right.
pub(crate) struct Strips<'a> {
    start: *mut f32,
    width: usize,
    tokens: usize,
    next: usize,
    matrix: PhantomData<&'a mut [f32]>,
}

impl<'a> Strips<'a> {
    /// `matrix` is (nTokens, width).
    pub fn new(matrix: &'a mut [f32], tokens: usize) -> Self {
        let width = matrix.len() / tokens;
        assert_eq!(width * tokens, matrix.len());
        Self {
            start: matrix.as_mut_ptr(),
            width,
            tokens,
            next: 0,
            matrix: PhantomData,
        }
    }

    /// The columns from where the last strip ended up to `end`. Panics to the left of it or outside.
    pub fn up_to(&mut self, end: usize) -> Strip<'a> {
        assert!(self.next <= end && end <= self.width);
        let columns = self.next..end;
        self.next = end;
        Strip {
            start: self.start,
            width: self.width,
            tokens: self.tokens,
            columns,
            matrix: PhantomData,
        }
    }
}

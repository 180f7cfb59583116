//! Memory that a thread reads next, fetched while it waits: between two products the way to memory is free.

use crate::arch::prefetch_line;

const PIECES: usize = 4;
const LINE: usize = 64;
/// A part of the second cache (1 MiB on Zen 4) that leaves room for what the thread works on.
const MOST_BYTES: usize = 256 << 10;

/// Stretches of memory in the order in which they are read. Addresses only: nothing is read but by the processor's
/// hints, to which any address may be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Address and length in bytes of each.
    pieces: [(usize, usize); PIECES],
}

impl Ahead {
    /// Appends memory, as much as there is still room for.
    pub fn push(&mut self, bytes: &[u8]) {
        let taken: usize = self.pieces.iter().map(|&(_, length)| length).sum();
        let length = bytes.len().min(MOST_BYTES - taken);
        if length > 0
            && let Some(piece) = self.pieces.iter_mut().find(|(_, length)| *length == 0)
        {
            *piece = (bytes.as_ptr().addr(), length);
        }
    }

    /// Asks for the next lines; false when there are none.
    #[inline]
    pub fn fetch(&mut self, lines: usize) -> bool {
        let Some((address, length)) = self.pieces.iter_mut().find(|(_, length)| *length > 0) else {
            return false;
        };
        for _ in 0..lines {
            prefetch_line(*address);
            *address += LINE;
            *length = length.saturating_sub(LINE);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_asked_for_until_all_were() {
        let mut ahead = Ahead::default();
        assert!(!ahead.fetch(1));
        ahead.push(&[0; 130]);
        ahead.push(&[]);
        ahead.push(&[0; 64]);
        // Three lines, then one.
        assert_eq!([(); 4].map(|()| ahead.fetch(2)), [true, true, true, false]);
    }

    #[test]
    fn more_than_the_cache_has_room_for_is_left_away() {
        let memory = vec![0; MOST_BYTES];
        let mut ahead = Ahead::default();
        ahead.push(&memory[..MOST_BYTES - 100]);
        let before = ahead;
        ahead.push(&memory);
        assert_ne!(ahead, before);
        let full = ahead;
        ahead.push(&memory);
        assert_eq!(ahead, full);
    }
}

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::products::PANEL_ROWS;
use super::strip::Strip;

/// Columns of (nTokens, width) matrices that threads write, panels of 16 at a time, none of them twice.
///
/// Each thread begins with a share of its own and takes it from the front, half of the rest at a time. One that is done
/// helps those that are not, from the back: cores are not equally fast, and other programs want them too.
pub(crate) struct Shares<'a> {
    matrices: Vec<Columns>,
    shares: Vec<Share>,
    /// Panels that are taken together at least.
    least: u32,
    outputs: PhantomData<&'a mut [f32]>,
}

struct Columns {
    start: *mut f32,
    width: usize,
    tokens: usize,
    /// Panels of the matrices before it.
    first: u32,
}

/// First and last panel that is left, the last not included: the upper and the lower half.
#[repr(align(128))]
struct Share(AtomicU64);

// SAFETY: the pointers lead to memory that is borrowed for as long; strips of it do not overlap, as no panel is taken
// twice. f32 may be written by any thread.
unsafe impl Sync for Shares<'_> {}

impl<'a> Shares<'a> {
    /// Matrices with their tokens; `starts`: (matrix, column) where the share of each thread begins, rising, the first
    /// at the begin of all.
    pub fn new(
        matrices: impl Iterator<Item = (&'a mut [f32], usize)>,
        starts: impl Iterator<Item = (usize, usize)>,
        least: usize,
    ) -> Self {
        let mut panels = 0;
        let matrices: Vec<_> = matrices
            .map(|(values, tokens)| {
                let width = values.len() / tokens;
                assert_eq!(width * tokens, values.len());
                let columns = Columns {
                    start: values.as_mut_ptr(),
                    width,
                    tokens,
                    first: panels,
                };
                panels += panels_of(width);
                columns
            })
            .collect();
        let starts: Vec<u32> = starts
            .map(|(matrix, column)| {
                matrices
                    .get(matrix)
                    .map_or(panels, |columns| columns.first + panels_of(column))
            })
            .collect();
        assert!(starts.first() == Some(&0) && starts.is_sorted());
        let ends = starts[1..].iter().copied().chain([panels]);
        Self {
            shares: starts
                .iter()
                .zip(ends)
                .map(|(start, end)| Share::new(*start, end))
                .collect(),
            matrices,
            least: u32::try_from(least).unwrap_or(u32::MAX).max(1),
            outputs: PhantomData,
        }
    }

    /// Strips that the thread `index` writes next, each with its matrix; false when nothing is left.
    pub fn take(&self, index: usize, mut each: impl FnMut(usize, Strip<'_>)) -> bool {
        let Some(panels) = self.next(index) else {
            return false;
        };
        for (number, columns) in self.matrices.iter().enumerate() {
            let column = |panel: u32| (panel.saturating_sub(columns.first) as usize * PANEL_ROWS).min(columns.width);
            let range = column(panels.start)..column(panels.end);
            if !range.is_empty() {
                // SAFETY: the panels were taken by this call alone, and no other panel has these columns.
                each(number, unsafe {
                    Strip::new(columns.start, columns.width, columns.tokens, range)
                });
            }
        }
        true
    }

    fn next(&self, index: usize) -> Option<Range<u32>> {
        if let Some(own) = self.shares[index].take_front(self.least) {
            return Some(own);
        }
        loop {
            // Whoever has most left needs help most.
            let share = self.shares.iter().max_by_key(|share| share.left().len())?;
            if share.left().is_empty() {
                return None;
            }
            if let Some(panels) = share.take_back(self.least) {
                return Some(panels);
            }
        }
    }
}

fn panels_of(columns: usize) -> u32 {
    u32::try_from(columns.div_ceil(PANEL_ROWS)).expect("a matrix has fewer than 2^32 panels")
}

impl Share {
    fn new(start: u32, end: u32) -> Self {
        Self(AtomicU64::new(pack(start..end)))
    }

    fn left(&self) -> Range<u32> {
        unpack(self.0.load(Ordering::Relaxed))
    }

    fn take_front(&self, least: u32) -> Option<Range<u32>> {
        self.take(least, |left, count| {
            (left.start..left.start + count, left.start + count..left.end)
        })
    }

    fn take_back(&self, least: u32) -> Option<Range<u32>> {
        self.take(least, |left, count| {
            (left.end - count..left.end, left.start..left.end - count)
        })
    }

    /// Half of what is left, rounded up to the least; `cut` gives what is taken and what stays.
    fn take(&self, least: u32, cut: impl Fn(Range<u32>, u32) -> (Range<u32>, Range<u32>)) -> Option<Range<u32>> {
        let mut old = self.0.load(Ordering::Relaxed);
        loop {
            let left = unpack(old);
            if left.is_empty() {
                return None;
            }
            let count = left.len() as u32;
            let (taken, rest) = cut(left, count.div_ceil(2).max(least).min(count));
            // Only the numbers matter: what is written to the columns is ordered by the end of the region.
            match self
                .0
                .compare_exchange_weak(old, pack(rest), Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Some(taken),
                Err(now) => old = now,
            }
        }
    }
}

fn pack(panels: Range<u32>) -> u64 {
    u64::from(panels.start) << 32 | u64::from(panels.end)
}

fn unpack(packed: u64) -> Range<u32> {
    (packed >> 32) as u32..packed as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::{Pool, Team};

    /// Takes everything on all threads, adding one to every number; thread 0 begins when the others are done.
    fn run(team: &Team<'_>, shares: &Shares<'_>, tokens: &[usize], waits: bool) {
        let working = AtomicU64::new(team.threads() as u64 - 1);
        team.run(&|index, _| {
            while waits && index == 0 && working.load(Ordering::Acquire) > 0 {
                std::hint::spin_loop();
            }
            let write = |number: usize, mut strip: Strip<'_>| {
                for token in 0..tokens[number] {
                    let columns = strip.columns();
                    strip.token(token, columns).iter_mut().for_each(|value| *value += 1.0);
                }
            };
            while shares.take(index, write) {}
            working.fetch_sub(1, Ordering::Release);
        });
    }

    #[test]
    fn every_column_is_taken_once_also_by_helpers() {
        let pool = Pool::global();
        for threads in [1, 2, 3] {
            for waits in [false, true] {
                for least in [1, 3, 1000] {
                    let widths = [5, 0, 1600, 16, 33];
                    let tokens = [2, 1, 3, 1, 2];
                    let mut values: Vec<Vec<f32>> = (widths.iter().zip(tokens))
                        .map(|(width, tokens)| vec![0.0; width * tokens])
                        .collect();
                    let team = pool.team(threads);
                    let matrices = values.iter_mut().map(Vec::as_mut_slice).zip(tokens);
                    let starts = [(0, 0), (2, 64), (5, 0)].into_iter().take(team.threads());
                    let shares = Shares::new(matrices, starts, least);
                    run(&team, &shares, &tokens, waits);
                    assert!(
                        values.iter().flatten().all(|value| *value == 1.0),
                        "{threads} {waits} {least}"
                    );
                }
            }
        }
    }

    #[test]
    fn own_panels_come_from_the_front_and_others_from_the_back() {
        let mut values = vec![0.0; 16 * 16];
        let shares = Shares::new(
            [(values.as_mut_slice(), 1)].into_iter(),
            [(0, 0), (0, 128)].into_iter(),
            1,
        );
        let next = |index| {
            let mut found = 0..0;
            shares.take(index, |_, strip| found = strip.columns());
            found
        };
        assert_eq!(next(0), 0..64);
        assert_eq!(next(1), 128..192);
        assert_eq!([next(0), next(0), next(0)], [64..96, 96..112, 112..128]);
        assert_eq!(next(0), 224..256);
        assert_eq!(next(1), 192..208);
    }
}

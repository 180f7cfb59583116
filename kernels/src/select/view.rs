use super::{BLOCK, not_finite};
use crate::arch::lanes::{Kernel, LANES, Lanes, run};
use crate::error::Error;
use crate::isa::Isa;

/// Mask words per block.
const WORDS: usize = BLOCK / 32;

/// A row as its mask shows it, block by block.
#[derive(Clone, Copy)]
pub struct View<'a> {
    isa: Isa,
    row: &'a [f32],
    mask: Option<&'a [i32]>,
}

/// What a mask does to a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    Open,
    Partial,
    Closed,
}

impl<'a> View<'a> {
    pub fn new(isa: Isa, row: &'a [f32], mask: Option<&'a [i32]>) -> Self {
        Self { isa, row, mask }
    }

    pub fn isa(&self) -> Isa {
        self.isa
    }

    pub fn len(&self) -> usize {
        self.row.len()
    }

    pub fn cover(&self, block: usize) -> Cover {
        let Some(mask) = self.mask else { return Cover::Open };
        let words = (self.row.len() - block * BLOCK).div_ceil(32).min(WORDS);
        let mask = mask.get(block * WORDS..).unwrap_or_default();
        let mask = &mask[..words.min(mask.len())];
        if mask.len() == words && mask.iter().all(|word| *word == -1) {
            Cover::Open
        } else if mask.iter().all(|word| *word == 0) {
            Cover::Closed
        } else {
            Cover::Partial
        }
    }

    /// The block's logits, made in `space` where they are not simply there: minus infinity for forbidden tokens
    /// and beyond the row's end.
    pub fn block<'b>(&self, block: usize, space: &'b mut [f32; BLOCK]) -> &'b [f32; BLOCK]
    where
        'a: 'b,
    {
        let start = block * BLOCK;
        let logits = &self.row[start..self.row.len().min(start + BLOCK)];
        if let Ok(whole) = logits.try_into()
            && self.cover(block) == Cover::Open
        {
            return whole;
        }
        space.fill(f32::NEG_INFINITY);
        space[..logits.len()].copy_from_slice(logits);
        if let Some(mask) = self.mask {
            let mut words = [0; WORDS];
            let mask = mask.get(block * WORDS..).unwrap_or_default();
            let count = mask.len().min(WORDS);
            words[..count].copy_from_slice(&mask[..count]);
            run(self.isa, Forbid { words, logits: space });
        }
        space
    }

    /// Tokens without a chance, by id.
    pub fn hopeless(&self) -> impl Iterator<Item = usize> {
        self.tokens()
            .filter(|(_, logit)| *logit == f32::NEG_INFINITY)
            .map(|(id, _)| id)
    }

    /// The error that names the first logit that is not a number.
    pub fn not_finite(&self) -> Error {
        let first = self.tokens().find(|(_, logit)| logit.is_nan());
        not_finite(first.map_or(0, |(id, _)| id))
    }

    fn tokens(&self) -> impl Iterator<Item = (usize, f32)> {
        self.row.iter().enumerate().map(|(id, logit)| {
            let allowed = self
                .mask
                .is_none_or(|mask| mask.get(id / 32).is_some_and(|word| word >> (id % 32) & 1 == 1));
            (id, if allowed { *logit } else { f32::NEG_INFINITY })
        })
    }
}

/// Minus infinity for the tokens whose bit is 0.
struct Forbid<'a> {
    words: [i32; WORDS],
    logits: &'a mut [f32; BLOCK],
}

impl Kernel for Forbid<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let nothing = lanes.splat(f32::NEG_INFINITY);
        let (pairs, _) = self.logits.as_chunks_mut::<{ 2 * LANES }>();
        for (pair, word) in pairs.iter_mut().zip(self.words) {
            let (halves, _) = pair.as_chunks_mut::<LANES>();
            for (half, shift) in halves.iter_mut().zip([0, LANES]) {
                let logits = lanes.load(half);
                lanes.store(lanes.select_bits((word >> shift) as u16, logits, nothing), half);
            }
        }
    }
}

use super::{BLOCK, not_finite};
use crate::error::Error;

/// Mask words per block.
const WORDS: usize = BLOCK / 32;

/// A row as its mask shows it, block by block.
#[derive(Clone, Copy)]
pub struct View<'a> {
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
    pub fn new(row: &'a [f32], mask: Option<&'a [i32]>) -> Self {
        Self { row, mask }
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
        match self.mask {
            None => space[..logits.len()].copy_from_slice(logits),
            Some(mask) => {
                let words = mask.get(block * WORDS..).unwrap_or_default();
                for ((logits, space), word) in logits.chunks(32).zip(space.chunks_mut(32)).zip(words) {
                    for (bit, (logit, space)) in logits.iter().zip(space).enumerate() {
                        if word >> bit & 1 == 1 {
                            *space = *logit;
                        }
                    }
                }
            }
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

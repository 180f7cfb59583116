use super::{BLOCK, not_finite};
use crate::arch::lanes::{LANES, Lanes};
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

    /// The mask's words of a block; no token where the mask or the row has ended.
    #[inline(always)]
    fn words(&self, block: usize) -> [i32; WORDS] {
        let mut words = [0; WORDS];
        if let Some(mask) = self.mask {
            match mask.get(block * WORDS..(block + 1) * WORDS) {
                Some(all) => words.copy_from_slice(all),
                None => words
                    .iter_mut()
                    .zip(mask.get(block * WORDS..).unwrap_or_default())
                    .for_each(|(word, rest)| *word = *rest),
            }
        }
        words
    }

    pub fn cover(&self, block: usize) -> Cover {
        if self.mask.is_none() {
            return Cover::Open;
        }
        let words = self.words(block);
        if words == [0; WORDS] {
            Cover::Closed
        } else if words == [-1; WORDS] {
            Cover::Open
        } else {
            Cover::Partial
        }
    }

    /// The block's logits, made in `space` where they are not simply there: minus infinity for forbidden tokens
    /// and beyond the row's end.
    #[inline(always)]
    pub fn block<'b, L: Lanes>(&self, lanes: L, block: usize, space: &'b mut [f32; BLOCK]) -> &'b [f32; BLOCK]
    where
        'a: 'b,
    {
        let start = block * BLOCK;
        let rest = &self.row[start..];
        let whole = match rest.first_chunk() {
            Some(whole) if self.cover(block) == Cover::Open => return whole,
            Some(whole) => whole,
            None => {
                space.fill(f32::NEG_INFINITY);
                space[..rest.len()].copy_from_slice(rest);
                if self.mask.is_none() {
                    return space;
                }
                &space.clone()
            }
        };
        let nothing = lanes.splat(f32::NEG_INFINITY);
        let pairs = whole.as_chunks::<{ 2 * LANES }>().0.iter();
        for ((from, to), word) in pairs
            .zip(space.as_chunks_mut::<{ 2 * LANES }>().0)
            .zip(self.words(block))
        {
            for (half, (from, to)) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0).enumerate() {
                let bits = (word >> (half * LANES)) as u16;
                lanes.store(lanes.select_bits(bits, lanes.load(from), nothing), to);
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

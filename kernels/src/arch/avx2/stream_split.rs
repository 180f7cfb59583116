//! Streams of groups with one scale, the halves of two groups side by side.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::stream::{Unit, store_products};
use super::transpose::{add_dwords, add_words, interleave_lanes};
use crate::arch::arrange::{Activations, SPLIT};
use crate::arch::products::Arrangement;

/// Values of weights as a kernel has them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// At most 31, this number added to make them so.
    Unsigned(i32),
    /// Any.
    Signed,
}

/// Eight groups.
pub(super) trait Block {
    /// Bytes of eight groups.
    const UNIT_BYTES: usize;
    const VALUES: Values;
    const MINIMUM: bool;

    /// The first halves of groups 2 * `pair` and 2 * `pair` + 1, and the second halves.
    ///
    /// # Safety
    /// `UNIT_BYTES` can be read; the processor has the instructions.
    unsafe fn pair(blocks: *const u8, pair: usize) -> [__m256i; 2];

    /// Scales of all groups, and minimums, in their order.
    ///
    /// # Safety
    /// As above.
    unsafe fn numbers(blocks: *const u8) -> [__m256; 2];
}

pub(super) struct Split<B>(PhantomData<B>);

impl<B: Block> Unit for Split<B> {
    const ARRANGEMENT: &'static Arrangement = &SPLIT;
    const PARTS: usize = 1;
    const BYTES: usize = B::UNIT_BYTES;

    type Activations = (Activations, usize);

    fn activations(arranged: &[u8], columns: usize) -> Self::Activations {
        Activations::split(arranged, columns)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn multiply<const TOKENS: usize>(
        weights: *const u8,
        activations: &[Self::Activations; TOKENS],
        group: usize,
        products: [*mut f32; TOKENS],
    ) {
        let mut dots = [[_mm256_setzero_si256(); 4]; TOKENS];
        for pair in 0..4 {
            // SAFETY: as the caller promises.
            let [first, second] = unsafe { B::pair(weights, pair) };
            for ((x, second_halves), dots) in activations.iter().zip(&mut dots) {
                // SAFETY: as the caller promises.
                let (x, y) = unsafe {
                    let x = x.values.add((group + pair * 2) * 16);
                    (
                        _mm256_loadu_si256(x.cast()),
                        _mm256_loadu_si256(x.add(*second_halves).cast()),
                    )
                };
                dots[pair] = match B::VALUES {
                    Values::Unsigned(_) => {
                        _mm256_add_epi16(_mm256_maddubs_epi16(first, x), _mm256_maddubs_epi16(second, y))
                    }
                    Values::Signed => _mm256_add_epi32(signed_dot(first, x), signed_dot(second, y)),
                };
            }
        }
        // SAFETY: as the caller promises.
        let numbers = unsafe { B::numbers(weights) };
        for (((x, _), dots), products) in activations.iter().zip(dots).zip(products) {
            let (sums, offset) = match B::VALUES {
                Values::Unsigned(offset) => (add_words(dots), offset),
                Values::Signed => (add_dwords(dots), 0),
            };
            let sums = interleave_lanes(sums);
            // SAFETY: as the caller promises.
            unsafe { store_products(sums, x, group, offset, numbers, B::MINIMUM, products) };
        }
    }
}

/// Sums of four products of bytes. Two of them fit 16 bits: activations are at least -127.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn signed_dot(weights: __m256i, x: __m256i) -> __m256i {
    let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(weights), _mm256_sign_epi8(x, weights));
    _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
}

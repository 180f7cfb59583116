//! Streams of blocks whose bytes hold a weight of the first half and one of the second.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::stream::{Unit, store_products};
use super::transpose::sums_in_order;
use crate::arch::arrange::{Activations, SPLIT};
use crate::arch::products::Arrangement;

/// 16 blocks of 32 weights.
pub(super) trait Block {
    /// Bytes of 16 blocks.
    const UNIT_BYTES: usize;
    /// 2^SHIFT is added to the values of weights; 0: nothing.
    const SHIFT: u32;
    const MINIMUM: bool;

    /// The first halves of blocks 4 * `four`.., and the second halves, as unsigned bytes.
    ///
    /// # Safety
    /// 16 blocks can be read; the processor has the instructions.
    unsafe fn four(blocks: *const u8, four: usize) -> [__m512i; 2];

    /// Scales of all blocks, and minimums, in their order.
    ///
    /// # Safety
    /// As above.
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2];
}

pub(super) struct Split<B>(PhantomData<B>);

impl<B: Block> Unit for Split<B> {
    const ARRANGEMENT: &'static Arrangement = &SPLIT;
    const GROUPS: usize = 16;
    const PARTS: usize = 1;
    const BYTES: usize = B::UNIT_BYTES;

    type Activations = (Activations, usize);

    fn activations(arranged: &[u8], columns: usize) -> Self::Activations {
        Activations::split(arranged, columns)
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn multiply<const TOKENS: usize>(
        weights: *const u8,
        activations: &[Self::Activations; TOKENS],
        group: usize,
        products: [*mut f32; TOKENS],
    ) {
        let mut dots = [[_mm512_setzero_si512(); 4]; TOKENS];
        for four in 0..4 {
            // SAFETY: as the caller promises.
            let [first, second] = unsafe { B::four(weights, four) };
            for ((x, second_halves), dots) in activations.iter().zip(&mut dots) {
                // SAFETY: as the caller promises.
                let (x, y) = unsafe {
                    let x = x.values.add((group + four * 4) * 16);
                    (
                        _mm512_loadu_si512(x.cast()),
                        _mm512_loadu_si512(x.add(*second_halves).cast()),
                    )
                };
                dots[four] = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(dots[four], first, x), second, y);
            }
        }
        // SAFETY: as the caller promises.
        let numbers = unsafe { B::numbers(weights) };
        for (((x, _), dots), products) in activations.iter().zip(dots).zip(products) {
            let sums = sums_in_order(dots);
            // SAFETY: as the caller promises.
            unsafe { store_products(sums, x, group, B::SHIFT, numbers, B::MINIMUM, products) };
        }
    }
}

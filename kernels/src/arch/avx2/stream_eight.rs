//! Streams of formats whose groups are unpacked one after the other.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::eight::{Bytes, EIGHT, Eight, spread};
use super::stream::{UNIT, Unit, store_products};
use super::transpose::{add_words, interleave_lanes};
use crate::arch::arrange::{Activations, HALVES, WHOLE};
use crate::arch::products::Arrangement;
use crate::unpack::GROUP;

pub(super) struct Eights<E>(PhantomData<E>);

impl<E: Eight> Unit for Eights<E> {
    const ARRANGEMENT: &'static Arrangement = if E::PARTS == 1 { &WHOLE } else { &HALVES };
    const PARTS: usize = E::PARTS;
    const BYTES: usize = E::BYTES;

    type Activations = Activations;

    fn activations(arranged: &[u8], columns: usize) -> Self::Activations {
        if E::PARTS == 1 {
            Activations::whole(arranged, columns)
        } else {
            Activations::halves(arranged, columns)
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn multiply<const TOKENS: usize>(
        weights: *const u8,
        activations: &[Self::Activations; TOKENS],
        first: usize,
        products: [*mut f32; TOKENS],
    ) {
        const { assert!(UNIT == EIGHT) };
        // SAFETY: as the caller promises.
        let (shared, numbers) = unsafe { (E::shared(weights), E::numbers(weights)) };
        let offset = match E::HAS {
            Bytes::Offset(offset) => i32::from(offset),
            Bytes::Magnitudes => 0,
        };
        let mut sums = [[_mm256_setzero_si256(); 2]; TOKENS];
        for four in 0..2 {
            let mut dots = [[_mm256_setzero_si256(); 4]; TOKENS];
            for index in 0..4 {
                let group = four * 4 + index;
                // SAFETY: as the caller promises.
                let (bytes, signs) = unsafe { (E::group(weights, &shared, group), E::signs(weights, &shared, group)) };
                for (x, dots) in activations.iter().zip(&mut dots) {
                    // SAFETY: as the caller promises.
                    let mut values = unsafe { _mm256_loadu_si256(x.values.add((first + group) * GROUP).cast()) };
                    if E::HAS == Bytes::Magnitudes {
                        let factors = _mm256_or_si256(spread(signs), _mm256_set1_epi8(1));
                        values = _mm256_sign_epi8(values, factors);
                    }
                    dots[index] = _mm256_maddubs_epi16(bytes, values);
                }
            }
            for (sums, dots) in sums.iter_mut().zip(dots) {
                sums[four] = add_words(dots);
            }
        }
        for ((x, [low, high]), products) in activations.iter().zip(sums).zip(products) {
            // SAFETY: as the caller promises.
            unsafe {
                if E::PARTS == 1 {
                    let sums = _mm256_add_epi32(
                        _mm256_permute2x128_si256(low, high, 0x20),
                        _mm256_permute2x128_si256(low, high, 0x31),
                    );
                    let numbers = [numbers[0], _mm256_setzero_ps()];
                    store_products(sums, x, first, offset, numbers, false, products);
                } else {
                    for (half, sums) in [low, high].into_iter().enumerate() {
                        let numbers = [numbers[half], _mm256_setzero_ps()];
                        let at = first * 2 + half * EIGHT;
                        let products = products.add(half * EIGHT);
                        store_products(interleave_lanes(sums), x, at, offset, numbers, false, products);
                    }
                }
            }
        }
    }
}

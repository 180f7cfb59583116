//! Streams of formats whose groups are unpacked one after the other, two of them side by side.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::stream::Unit;
use super::transpose::sums_in_order;
use super::wide::Wide;
use crate::arch::arrange::{Activations, HALVES, WHOLE};
use crate::arch::avx2::eight::{Bytes, EIGHT};
use crate::arch::avx2::stream::store_products;
use crate::arch::products::Arrangement;
use crate::unpack::GROUP;

pub(super) struct Eights<E>(PhantomData<E>);

impl<E: Wide> Unit for Eights<E> {
    const ARRANGEMENT: &'static Arrangement = if E::PARTS == 1 { &WHOLE } else { &HALVES };
    const GROUPS: usize = EIGHT;
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
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn multiply<const TOKENS: usize>(
        weights: *const u8,
        activations: &[Self::Activations; TOKENS],
        first: usize,
        products: [*mut f32; TOKENS],
    ) {
        let zero = _mm512_setzero_si512();
        // SAFETY: as the caller promises.
        let (shared, numbers) = unsafe { (E::shared(weights), E::numbers(weights)) };
        // SAFETY: as the caller promises.
        let bytes = unsafe { E::weights(weights, &shared) };
        let offset = match E::HAS {
            Bytes::Offset(offset) => i32::from(offset),
            Bytes::Magnitudes => 0,
        };
        let mut dots = [[zero; 4]; TOKENS];
        for pair in 0..4 {
            let group = pair * 2;
            // SAFETY: as the caller promises.
            let signs = |group| u64::from(unsafe { E::signs(weights, &shared, group) });
            let signs = signs(group) | signs(group + 1) << 32;
            for (x, dots) in activations.iter().zip(&mut dots) {
                // SAFETY: as the caller promises.
                let mut values = unsafe { _mm512_loadu_si512(x.values.add((first + group) * GROUP).cast()) };
                if E::HAS == Bytes::Magnitudes {
                    values = _mm512_mask_sub_epi8(values, signs, zero, values);
                }
                dots[pair] = _mm512_dpbusd_epi32(zero, bytes[pair], values);
            }
        }
        for ((x, dots), products) in activations.iter().zip(dots).zip(products) {
            let sums = sums_in_order(dots);
            // SAFETY: as the caller promises.
            unsafe {
                if E::PARTS == 1 {
                    // The first and the second half of each group side by side.
                    let sums = _mm512_add_epi32(sums, _mm512_srli_epi64(sums, 32));
                    let numbers = [numbers[0], _mm256_setzero_ps()];
                    store_products(_mm512_cvtepi64_epi32(sums), x, first, offset, numbers, false, products);
                } else {
                    let sums = [_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1)];
                    for (half, sums) in sums.into_iter().enumerate() {
                        let numbers = [numbers[half], _mm256_setzero_ps()];
                        let at = first * 2 + half * EIGHT;
                        store_products(sums, x, at, offset, numbers, false, products.add(half * EIGHT));
                    }
                }
            }
        }
    }
}

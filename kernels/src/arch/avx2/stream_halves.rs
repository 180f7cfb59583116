//! Streams of Q2_K, Q3_K and Q6_K: 16 scales of 16 weights each.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::bits::{add_bits, masked, nibbles, shifted_right};
use super::stream::{UNIT, Unit, store_products};
use super::stream_k::half_everywhere;
use super::transpose::{add_words, interleave_lanes};
use crate::arch::arrange::{Activations, HALVES};
use crate::arch::products::Arrangement;

/// A block of 256 weights.
pub(super) trait Block {
    const BYTES: usize;
    /// Added to the values of weights, then 63 at most.
    const OFFSET: i32;
    const MINIMUM: bool;

    /// Unsigned weights of four groups, the first or the last ones.
    ///
    /// # Safety
    /// The block can be read; the processor has the instructions.
    unsafe fn four(block: *const u8, part: usize) -> [__m256i; 4];

    /// Scales and minimums of the halves of the same groups.
    ///
    /// # Safety
    /// As above.
    unsafe fn numbers(block: *const u8, part: usize) -> [__m256; 2];
}

pub(super) struct Halves<B>(PhantomData<B>);

impl<B: Block> Unit for Halves<B> {
    const ARRANGEMENT: &'static Arrangement = &HALVES;
    const PARTS: usize = 2;
    const BYTES: usize = B::BYTES;

    type Activations = Activations;

    fn activations(arranged: &[u8], columns: usize) -> Self::Activations {
        Activations::halves(arranged, columns)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn multiply<const TOKENS: usize>(
        block: *const u8,
        activations: &[Self::Activations; TOKENS],
        group: usize,
        products: [*mut f32; TOKENS],
    ) {
        for part in 0..2 {
            let group = group + part * 4;
            // SAFETY: as the caller promises.
            let (weights, numbers) = unsafe { (B::four(block, part), B::numbers(block, part)) };
            for (x, products) in activations.iter().zip(products) {
                // SAFETY: as the caller promises.
                let dots = std::array::from_fn(|index| unsafe {
                    let values = _mm256_loadu_si256(x.values.add((group + index) * 32).cast());
                    _mm256_maddubs_epi16(weights[index], values)
                });
                let sums = interleave_lanes(add_words(dots));
                // SAFETY: as the caller promises.
                unsafe {
                    let products = products.add(part * UNIT);
                    store_products(sums, x, group * 2, B::OFFSET, numbers, B::MINIMUM, products);
                }
            }
        }
    }
}

/// 32 bytes.
///
/// # Safety
/// They can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn load(bytes: *const u8) -> __m256i {
    // SAFETY: as the caller promises.
    unsafe { _mm256_loadu_si256(bytes.cast()) }
}

/// Eight signed bytes times a number.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn times(number: __m256, bytes: __m128i) -> __m256 {
    _mm256_mul_ps(number, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)))
}

/// Codes of two bits of four groups in 32 bytes.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn two_bits(bytes: __m256i) -> [__m256i; 4] {
    [0, 2, 4, 6].map(|bits| masked(shifted_right(bytes, bits), 3))
}

/// Bytes of scale and minimum, 64 bytes of codes, scale, minimum.
pub(super) enum Q2K {}
impl Block for Q2K {
    const BYTES: usize = 84;
    const OFFSET: i32 = 0;
    const MINIMUM: bool = true;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn four(block: *const u8, part: usize) -> [__m256i; 4] {
        // SAFETY: as the caller promises.
        two_bits(unsafe { load(block.add(16 + part * 32)) })
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8, part: usize) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let (bytes, scale, minimum) = unsafe {
            (
                _mm_loadl_epi64(block.add(part * 8).cast()),
                half_everywhere(block.add(80)),
                half_everywhere(block.add(82)),
            )
        };
        let low = _mm_set1_epi8(15);
        let minimum = _mm256_xor_ps(minimum, _mm256_set1_ps(-0.0));
        [
            times(scale, _mm_and_si128(bytes, low)),
            times(minimum, _mm_and_si128(_mm_srli_epi16(bytes, 4), low)),
        ]
    }
}

/// 32 bytes of third bits, 64 bytes of codes, 12 bytes of 6-bit scales, scale.
pub(super) enum Q3K {}
impl Block for Q3K {
    const BYTES: usize = 110;
    const OFFSET: i32 = 4;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn four(block: *const u8, part: usize) -> [__m256i; 4] {
        // SAFETY: as the caller promises.
        let (codes, bits) = unsafe { (two_bits(load(block.add(32 + part * 32))), load(block)) };
        std::array::from_fn(|index| add_bits(codes[index], bits, part * 4 + index, 2, 4))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8, part: usize) -> [__m256; 2] {
        // SAFETY: as the caller promises: the last 14 bytes.
        let (low, high, scale) = unsafe {
            (
                block.add(96).cast::<u64>().read_unaligned(),
                block.add(104).cast::<u32>().read_unaligned() >> (part * 4),
                half_everywhere(block.add(108)),
            )
        };
        let low = low >> (part * 4) & 0x0f0f_0f0f_0f0f_0f0f;
        let high = u64::from(high & 0x0303_0303) | u64::from(high >> 2 & 0x0303_0303) << 32;
        let whole = _mm_cvtsi64_si128((low | high << 4).cast_signed());
        let whole = _mm_sub_epi8(whole, _mm_set1_epi8(32));
        [times(scale, whole), _mm256_setzero_ps()]
    }
}

/// 128 bytes of the low 4 bits, 64 bytes of the high 2 bits, 16 signed scales, scale.
pub(super) enum Q6K {}
impl Block for Q6K {
    const BYTES: usize = 210;
    const OFFSET: i32 = 32;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn four(block: *const u8, part: usize) -> [__m256i; 4] {
        // SAFETY: as the caller promises.
        let (first, second, high) = unsafe {
            let low = block.add(part * 64);
            (load(low), load(low.add(32)), load(block.add(128 + part * 32)))
        };
        let ([a, c], [b, d]) = (nibbles(first), nibbles(second));
        [
            add_bits(a, high, 0, 4, 0x30),
            add_bits(b, high, 2, 4, 0x30),
            add_bits(c, high, 4, 4, 0x30),
            add_bits(d, high, 6, 4, 0x30),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn numbers(block: *const u8, part: usize) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        let (bytes, scale) = unsafe {
            (
                _mm_loadl_epi64(block.add(192 + part * 8).cast()),
                half_everywhere(block.add(208)),
            )
        };
        [times(scale, bytes), _mm256_setzero_ps()]
    }
}

//! Streams of Q2_K, Q3_K and Q6_K: 16 scales of 16 weights each.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::block_loads::{add_bits, nibbles};
use super::stream::{Unit, store_products};
use super::transpose::sums_in_order;
use crate::arch::arrange::{Activations, HALVES};
use crate::arch::products::Arrangement;

/// A block of 256 weights.
pub(super) trait Block {
    const BYTES: usize;
    /// 2^SHIFT is added to the values of weights; 0: nothing.
    const SHIFT: u32;
    const MINIMUM: bool;

    /// Unsigned weights in their order.
    ///
    /// # Safety
    /// The block can be read; the processor has the instructions.
    unsafe fn weights(block: *const u8) -> [__m512i; 4];

    /// Scales of the halves, and minimums.
    ///
    /// # Safety
    /// As above.
    unsafe fn numbers(block: *const u8) -> [__m512; 2];
}

pub(super) struct Halves<B>(PhantomData<B>);

impl<B: Block> Unit for Halves<B> {
    const ARRANGEMENT: &'static Arrangement = &HALVES;
    const GROUPS: usize = 8;
    const PARTS: usize = 2;
    const BYTES: usize = B::BYTES;

    type Activations = Activations;

    fn activations(arranged: &[u8], columns: usize) -> Self::Activations {
        Activations::halves(arranged, columns)
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn multiply<const TOKENS: usize>(
        block: *const u8,
        activations: &[Self::Activations; TOKENS],
        group: usize,
        products: [*mut f32; TOKENS],
    ) {
        // SAFETY: as the caller promises.
        let (weights, numbers) = unsafe { (B::weights(block), B::numbers(block)) };
        for (x, products) in activations.iter().zip(products) {
            // SAFETY: as the caller promises.
            let values = |part: usize| unsafe { _mm512_loadu_si512(x.values.add(group * 32 + part * 64).cast()) };
            let dot = |part: usize| _mm512_dpbusd_epi32(_mm512_setzero_si512(), weights[part], values(part));
            let sums = sums_in_order([dot(0), dot(1), dot(2), dot(3)]);
            // SAFETY: as the caller promises.
            unsafe { store_products(sums, x, group * 2, B::SHIFT, numbers, B::MINIMUM, products) };
        }
    }
}

/// 32 bytes, twice.
///
/// # Safety
/// They can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn twice(bytes: *const u8) -> __m512i {
    // SAFETY: as the caller promises.
    unsafe { _mm512_broadcast_i64x4(_mm256_loadu_si256(bytes.cast())) }
}

/// The first 32 bytes rotated left by one number of bits, the others by another.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn rotate(x: __m512i, [first, second]: [i64; 2]) -> __m512i {
    let counts = _mm512_setr_epi64(first, first, first, first, second, second, second, second);
    _mm512_rolv_epi64(x, counts)
}

/// # Safety
/// The two bytes can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn half_everywhere(bytes: *const u8) -> __m512 {
    // SAFETY: as the caller promises.
    let bits = u16::from_le_bytes(unsafe { bytes.cast::<[u8; 2]>().read() });
    _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(bits))))
}

/// Codes of two bits in 64 bytes.
///
/// # Safety
/// They can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn two_bits(bytes: *const u8) -> [__m512i; 4] {
    let mask = _mm512_set1_epi8(3);
    // SAFETY: as the caller promises.
    let (first, second) = unsafe { (twice(bytes), twice(bytes.add(32))) };
    let codes = |x, counts| _mm512_and_si512(rotate(x, counts), mask);
    [
        codes(first, [0, 62]),
        codes(first, [60, 58]),
        codes(second, [0, 62]),
        codes(second, [60, 58]),
    ]
}

/// Bytes of scale and minimum, 64 bytes of codes, scale, minimum.
pub(super) enum Q2K {}
impl Block for Q2K {
    const BYTES: usize = 84;
    const SHIFT: u32 = 0;
    const MINIMUM: bool = true;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(block: *const u8) -> [__m512i; 4] {
        // SAFETY: as the caller promises.
        unsafe { two_bits(block.add(16)) }
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(block: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        let (bytes, scale, minimum) = unsafe {
            (
                _mm512_cvtepu8_epi32(_mm_loadu_si128(block.cast())),
                half_everywhere(block.add(80)),
                half_everywhere(block.add(82)),
            )
        };
        let low = _mm512_cvtepi32_ps(_mm512_and_si512(bytes, _mm512_set1_epi32(15)));
        let high = _mm512_cvtepi32_ps(_mm512_srli_epi32(bytes, 4));
        let minimum = _mm512_xor_ps(minimum, _mm512_set1_ps(-0.0));
        [_mm512_mul_ps(scale, low), _mm512_mul_ps(minimum, high)]
    }
}

/// 32 bytes of third bits, 64 bytes of codes, 12 bytes of 6-bit scales, scale.
pub(super) enum Q3K {}
impl Block for Q3K {
    const BYTES: usize = 110;
    const SHIFT: u32 = 2;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(block: *const u8) -> [__m512i; 4] {
        // SAFETY: as the caller promises.
        let (codes, bits) = unsafe { (two_bits(block.add(32)), twice(block)) };
        // Bit `group` of every byte to bit 2.
        let add = |codes, counts| add_bits(codes, rotate(bits, counts), 4);
        [
            add(codes[0], [2, 1]),
            add(codes[1], [0, 63]),
            add(codes[2], [62, 61]),
            add(codes[3], [60, 59]),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(block: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises: the last 16 bytes.
        let (bytes, scale) = unsafe { (_mm_loadu_si128(block.add(94).cast()), half_everywhere(block.add(108))) };
        let low = _mm_setr_epi8(2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9);
        let high = _mm_setr_epi8(10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13);
        let low = _mm512_srlv_epi32(
            _mm512_cvtepu8_epi32(_mm_shuffle_epi8(bytes, low)),
            _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4),
        );
        let high = _mm512_srlv_epi32(
            _mm512_cvtepu8_epi32(_mm_shuffle_epi8(bytes, high)),
            _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6),
        );
        let low = _mm512_and_si512(low, _mm512_set1_epi32(15));
        let high = _mm512_slli_epi32(_mm512_and_si512(high, _mm512_set1_epi32(3)), 4);
        let whole = _mm512_sub_epi32(_mm512_or_si512(low, high), _mm512_set1_epi32(32));
        [_mm512_mul_ps(scale, _mm512_cvtepi32_ps(whole)), _mm512_setzero_ps()]
    }
}

/// 128 bytes of the low 4 bits, 64 bytes of the high 2 bits, 16 signed scales, scale.
pub(super) enum Q6K {}
impl Block for Q6K {
    const BYTES: usize = 210;
    const SHIFT: u32 = 5;
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(block: *const u8) -> [__m512i; 4] {
        let part = |index: usize| {
            // SAFETY: as the caller promises.
            let (low, high) = unsafe {
                (
                    _mm512_loadu_si512(block.add(index * 64).cast()),
                    twice(block.add(128 + index * 32)),
                )
            };
            let [a, b] = nibbles(low);
            // Bits 2 * (group % 4).. of every byte to bit 4.
            let add = |low, counts| add_bits(low, rotate(high, counts), 0x30);
            (add(a, [4, 2]), add(b, [0, 62]))
        };
        let ((a, b), (c, d)) = (part(0), part(1));
        [a, b, c, d]
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(block: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        let (bytes, scale) = unsafe { (_mm_loadu_si128(block.add(192).cast()), half_everywhere(block.add(208))) };
        let scales = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
        [_mm512_mul_ps(scale, scales), _mm512_setzero_ps()]
    }
}

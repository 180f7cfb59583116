//! Streams of 32 weights per block whose bytes hold the first and the second half.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::arrange::{Activations, SPLIT};
use super::stream::Unit;
use super::transpose::add_lanes;
use crate::arch::products::Arrangement;

/// Four blocks, and what a unit of 16 has of numbers.
pub(super) trait Block {
    /// Bytes of a block.
    const BYTES: usize;
    /// What is added to the values of weights: 2^SHIFT, or nothing.
    const SHIFT: Option<u32>;
    const MINIMUM: bool;

    /// The first halves of four blocks, and the second halves, as unsigned bytes.
    ///
    /// # Safety
    /// Four blocks can be read; the processor has the instructions.
    unsafe fn four(blocks: *const u8) -> [__m512i; 2];

    /// Scales of 16 blocks, and minimums, in their order.
    ///
    /// # Safety
    /// 16 blocks can be read; the processor has the instructions.
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2];
}

pub(super) struct Blocks<B>(PhantomData<B>);

impl<B: Block> Unit for Blocks<B> {
    const ARRANGEMENT: &'static Arrangement = &SPLIT;
    const GROUPS: usize = 16;
    const PARTS: usize = 1;
    const BYTES: usize = 16 * B::BYTES;

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
            let [first, second] = unsafe { B::four(weights.add(four * 4 * B::BYTES)) };
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
        let [scales, minimums] = unsafe { B::numbers(weights) };
        let natural = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        for (((x, _), dots), products) in activations.iter().zip(dots).zip(products) {
            let mut sums = _mm512_permutexvar_epi32(natural, add_lanes(dots));
            if let Some(shift) = B::SHIFT {
                // SAFETY: as the caller promises.
                let x = unsafe { _mm512_loadu_si512(x.sums.add(group).cast()) };
                sums = _mm512_sub_epi32(sums, _mm512_sll_epi32(x, _mm_cvtsi32_si128(shift as i32)));
            }
            // SAFETY: as the caller promises.
            let dx = unsafe { _mm512_loadu_ps(x.scales.add(group)) };
            let mut product = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_mul_ps(scales, dx));
            if B::MINIMUM {
                // SAFETY: as the caller promises.
                let weighted = unsafe { _mm512_loadu_ps(x.weighted.add(group)) };
                product = _mm512_fmadd_ps(minimums, weighted, product);
            }
            // SAFETY: as the caller promises.
            unsafe { _mm512_storeu_ps(products, product) };
        }
    }
}

/// Bytes `AT`..`AT + 16` of each of four blocks of `BYTES`, all of them in 64 bytes from `FIRST` or from `SECOND` on.
///
/// # Safety
/// Four blocks can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn sixteen_of_four<const BYTES: usize, const AT: usize, const FIRST: usize, const SECOND: usize>(
    blocks: *const u8,
) -> __m512i {
    let indices: [u8; 64] = const {
        let mut indices = [0; 64];
        let mut i = 0;
        while i < 64 {
            indices[i] = place(i / 16 * BYTES + AT + i % 16, FIRST, SECOND) as u8;
            i += 1;
        }
        assert!(SECOND + 64 <= 4 * BYTES);
        indices
    };
    // SAFETY: as the caller promises; both loads end inside the blocks.
    unsafe {
        let first = _mm512_loadu_si512(blocks.add(FIRST).cast());
        let second = _mm512_loadu_si512(blocks.add(SECOND).cast());
        _mm512_permutex2var_epi8(first, _mm512_loadu_si512(indices.as_ptr().cast()), second)
    }
}

/// Where a byte is in two vectors of 64.
const fn place(byte: usize, first: usize, second: usize) -> usize {
    if byte >= first && byte < first + 64 {
        return byte - first;
    }
    assert!(byte >= second && byte < second + 64);
    64 + byte - second
}

#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn nibbles(x: __m512i) -> [__m512i; 2] {
    let low = _mm512_set1_epi8(15);
    [_mm512_and_si512(x, low), _mm512_and_si512(_mm512_srli_epi16(x, 4), low)]
}

/// The half at byte 0 of each of 16 blocks of `BYTES` and the half at byte 2; 64 bytes from byte 0 and from byte
/// `SECOND` on have those of four blocks.
///
/// # Safety
/// 16 blocks can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
unsafe fn halves<const BYTES: usize, const SECOND: usize>(blocks: *const u8) -> [__m512; 2] {
    let indices: [[u16; 32]; 4] = const {
        let mut indices = [[0; 32]; 4];
        let mut i = 0;
        while i < 16 {
            let byte = i % 4 * BYTES;
            indices[i / 4][i] = (place(byte, 0, SECOND) / 2) as u16;
            indices[i / 4][16 + i] = (place(byte + 2, 0, SECOND) / 2) as u16;
            i += 1;
        }
        assert!(SECOND + 64 <= 4 * BYTES && SECOND % 2 == 0);
        indices
    };
    let mut words = _mm512_setzero_si512();
    for (four, indices) in indices.iter().enumerate() {
        // SAFETY: as the caller promises; both loads end inside the blocks.
        unsafe {
            let blocks = blocks.add(four * 4 * BYTES);
            let first = _mm512_loadu_si512(blocks.cast());
            let second = _mm512_loadu_si512(blocks.add(SECOND).cast());
            let indices = _mm512_loadu_si512(indices.as_ptr().cast());
            let own = _mm512_maskz_permutex2var_epi16(0x000f_000f << (4 * four), first, indices, second);
            words = _mm512_or_si512(words, own);
        }
    }
    [
        _mm512_cvtph_ps(_mm512_castsi512_si256(words)),
        _mm512_cvtph_ps(_mm512_extracti64x4_epi64(words, 1)),
    ]
}

pub(super) enum Q4_0 {}
impl Block for Q4_0 {
    const BYTES: usize = 18;
    const SHIFT: Option<u32> = Some(3);
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        nibbles(unsafe { sixteen_of_four::<18, 2, 0, 8>(blocks) })
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<18, 8>(blocks) }
    }
}

pub(super) enum Q4_1 {}
impl Block for Q4_1 {
    const BYTES: usize = 20;
    const SHIFT: Option<u32> = None;
    const MINIMUM: bool = true;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        nibbles(unsafe { sixteen_of_four::<20, 4, 0, 16>(blocks) })
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<20, 16>(blocks) }
    }
}

pub(super) enum Q8_0 {}
impl Block for Q8_0 {
    const BYTES: usize = 34;
    const SHIFT: Option<u32> = Some(7);
    const MINIMUM: bool = false;

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn four(blocks: *const u8) -> [__m512i; 2] {
        // SAFETY: as the caller promises.
        let halves = unsafe {
            [
                sixteen_of_four::<34, 2, 0, 64>(blocks),
                sixteen_of_four::<34, 18, 8, 72>(blocks),
            ]
        };
        halves.map(|half| _mm512_xor_si512(half, _mm512_set1_epi8(i8::MIN)))
    }

    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn numbers(blocks: *const u8) -> [__m512; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves::<34, 64>(blocks) }
    }
}

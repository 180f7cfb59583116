//! How AVX-512 unpacks eight groups: two of them in a vector, grids looked up in registers.

use std::arch::x86_64::*;

use crate::arch::avx2::eight::Eight;
use crate::arch::avx2::eight_codes::{Nvfp4, Q1_0, Q2_0, Tq1, Tq2};
use crate::arch::avx2::eight_grids::{Iq1M, Iq1S, Iq2S, Iq2Xs, Iq2Xxs, Iq3S, Iq3Xxs};
use crate::formats::grid_tables::{IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS};

pub(super) trait Wide: Eight {
    /// Weights of all groups, as [`Eight::group`] has them.
    ///
    /// # Safety
    /// `BYTES` bytes can be read; the processor has the instructions.
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(from: *const u8, shared: &Self::Shared) -> [__m512i; 4] {
        // SAFETY: as the caller promises.
        [0, 2, 4, 6].map(|group| unsafe {
            let first = _mm512_castsi256_si512(Self::group(from, shared, group));
            _mm512_inserti64x4(first, Self::group(from, shared, group + 1), 1)
        })
    }
}

impl Wide for Iq1S {}
impl Wide for Iq1M {}
impl Wide for Tq1 {}
impl Wide for Tq2 {}
impl Wide for Nvfp4 {}
impl Wide for Q1_0 {}

impl Wide for Q2_0 {
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(from: *const u8, _shared: &Self::Shared) -> [__m512i; 4] {
        [0, 1, 2, 3].map(|block| {
            // SAFETY: as the caller promises.
            let codes = unsafe { _mm_loadu_si128(from.add(block * 18 + 2).cast()) };
            let codes = two_bits_each(_mm512_cvtepu16_epi64(codes));
            _mm512_and_si512(codes, _mm512_set1_epi8(3))
        })
    }
}

impl Wide for Iq2Xxs {
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(from: *const u8, _shared: &Self::Shared) -> [__m512i; 4] {
        static LEVELS: [Planes<4>; 2] = packed(&IQ2_XXS);
        /// Four codes before every four other bytes.
        static CODES: [u8; 64] = every_second(4);
        // SAFETY: as the caller promises.
        let codes = _mm512_permutexvar_epi8(load(&CODES), unsafe { _mm512_loadu_si512(from.add(2).cast()) });
        iq2_weights(LEVELS.each_ref().map(|planes| in_256(planes, codes)))
    }
}

impl Wide for Iq2Xs {
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(from: *const u8, _shared: &Self::Shared) -> [__m512i; 4] {
        static LEVELS: [Planes<8>; 2] = packed(&IQ2_XS);
        /// The low byte of every word.
        static CODES: [u8; 64] = every_second(1);
        // SAFETY: as the caller promises.
        let words = unsafe { _mm512_loadu_si512(from.add(2).cast()) };
        let codes = _mm512_permutexvar_epi8(load(&CODES), words);
        let ninth = u64::from(_mm512_test_epi16_mask(words, _mm512_set1_epi16(0x100)));
        iq2_weights(LEVELS.each_ref().map(|planes| in_512(planes, codes, ninth)))
    }
}

impl Wide for Iq2S {
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(from: *const u8, _shared: &Self::Shared) -> [__m512i; 4] {
        static LEVELS: [Planes<16>; 2] = packed(&IQ2_S);
        /// Bits 2 * i.. to byte i.
        static SHIFTS: [u8; 64] = {
            let mut shifts = [0; 64];
            let mut i = 0;
            while i < 64 {
                shifts[i] = i as u8 % 32 * 2;
                i += 1;
            }
            shifts
        };
        // SAFETY: as the caller promises.
        let (codes, high) = unsafe {
            (
                _mm512_castsi256_si512(_mm256_loadu_si256(from.add(2).cast())),
                _mm512_set1_epi64(from.add(66).cast::<i64>().read_unaligned()),
            )
        };
        let high = _mm512_multishift_epi64_epi8(load(&SHIFTS), high);
        let ninth = _mm512_test_epi8_mask(high, _mm512_set1_epi8(1));
        let tenth = _mm512_test_epi8_mask(high, _mm512_set1_epi8(2));
        iq2_weights(LEVELS.each_ref().map(|planes| {
            let (first, last) = planes.split_at(8);
            let (first, last) = (in_512(first, codes, ninth), in_512(last, codes, ninth));
            _mm512_mask_mov_epi8(first, tenth, last)
        }))
    }
}

impl Wide for Iq3Xxs {
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(from: *const u8, _shared: &Self::Shared) -> [__m512i; 4] {
        static BYTES: [Planes<4>; 4] = bytes(&IQ3_XXS);
        // SAFETY: as the caller promises.
        let codes = spread_dwords(unsafe { _mm512_loadu_si512(from.add(2).cast()) });
        joined(BYTES.each_ref().map(|planes| in_256(planes, codes)))
    }
}

impl Wide for Iq3S {
    #[inline]
    #[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
    unsafe fn weights(from: *const u8, _shared: &Self::Shared) -> [__m512i; 4] {
        static BYTES: [Planes<8>; 4] = bytes(&IQ3_S);
        // SAFETY: as the caller promises.
        let (codes, ninth) = unsafe {
            (
                _mm512_loadu_si512(from.add(2).cast()),
                from.add(66).cast::<u64>().read_unaligned(),
            )
        };
        let ninth = _mm512_movepi8_mask(spread_dwords(_mm512_movm_epi8(ninth)));
        let codes = spread_dwords(codes);
        joined(BYTES.each_ref().map(|planes| in_512(planes, codes, ninth)))
    }
}

/// One byte of every entry of a table, 64 entries to a vector.
type Planes<const VECTORS: usize> = [[u8; 64]; VECTORS];

/// The four bytes of entries.
const fn bytes<const LENGTH: usize, const VECTORS: usize>(grid: &[u32; LENGTH]) -> [Planes<VECTORS>; 4] {
    assert!(LENGTH == 64 * VECTORS);
    let mut planes = [[[0; 64]; VECTORS]; 4];
    let mut i = 0;
    while i < 4 * LENGTH {
        planes[i % 4][i / 256][i / 4 % 64] = grid[i / 4].to_le_bytes()[i % 4];
        i += 1;
    }
    planes
}

/// The two bytes of eight times two bits that stand for the magnitudes of IQ2 formats.
const fn packed<const LENGTH: usize, const VECTORS: usize>(grid: &[u64; LENGTH]) -> [Planes<VECTORS>; 2] {
    assert!(LENGTH == 64 * VECTORS);
    let mut planes = [[[0; 64]; VECTORS]; 2];
    let mut i = 0;
    while i < 8 * LENGTH {
        let magnitude = grid[i / 8].to_le_bytes()[i % 8];
        let mut level = 0;
        while IQ2_LEVELS[level as usize] != magnitude {
            level += 1;
        }
        planes[i % 8 / 4][i / 512][i / 8 % 64] |= level << (i % 4 * 2);
        i += 1;
    }
    planes
}

const IQ2_LEVELS: [u8; 4] = [8, 25, 43, 0];

/// Where every second of 64 / `LENGTH` pieces of a vector lies.
const fn every_second(length: usize) -> [u8; 64] {
    let mut places = [0; 64];
    let mut i = 0;
    while i < 32 {
        places[i] = (i / length * 2 * length + i % length) as u8;
        i += 1;
    }
    places
}

#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 bytes.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// The entry of each code in a table of 256.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn in_256(planes: &[[u8; 64]], codes: __m512i) -> __m512i {
    let low = _mm512_permutex2var_epi8(load(&planes[0]), codes, load(&planes[1]));
    let high = _mm512_permutex2var_epi8(load(&planes[2]), codes, load(&planes[3]));
    _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(codes), high)
}

/// In a table of 512, with the ninth bits of the codes.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn in_512(planes: &[[u8; 64]], codes: __m512i, ninth: u64) -> __m512i {
    let (first, last) = planes.split_at(4);
    _mm512_mask_mov_epi8(in_256(first, codes), ninth, in_256(last, codes))
}

/// Weights of 32 entries, whose first and second bytes are in the first halves of two vectors.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn iq2_weights([first, second]: [__m512i; 2]) -> [__m512i; 4] {
    /// Both bytes of the entry 8 * vector + i at the beginning of qword i.
    static PLACES: [[u8; 64]; 4] = {
        let mut places = [[0; 64]; 4];
        let mut i = 0;
        while i < 32 {
            places[i / 8][i % 8 * 8] = i as u8;
            places[i / 8][i % 8 * 8 + 1] = 64 + i as u8;
            i += 1;
        }
        places
    };
    /// Of indices whose higher bits are anything.
    static LEVELS: [u8; 64] = {
        let mut levels = [0; 64];
        let mut i = 0;
        while i < 64 {
            levels[i] = IQ2_LEVELS[i % 4];
            i += 1;
        }
        levels
    };
    PLACES.each_ref().map(|places| {
        let entries = _mm512_permutex2var_epi8(first, load(places), second);
        _mm512_permutexvar_epi8(two_bits_each(entries), load(&LEVELS))
    })
}

/// Eight times two bits at the beginning of each qword as the lowest bits of its bytes, others above.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn two_bits_each(qwords: __m512i) -> __m512i {
    _mm512_multishift_epi64_epi8(_mm512_set1_epi64(0x0e0c_0a08_0604_0200), qwords)
}

/// Dword 4 * i + lane to dword i of each lane.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn spread_dwords(x: __m512i) -> __m512i {
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_permutexvar_epi32(order, x)
}

/// Dwords of four bytes each; the bytes' dwords are spread.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
fn joined([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let (low, high) = (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d));
    let (low_rest, high_rest) = (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d));
    [
        _mm512_unpacklo_epi16(low, high),
        _mm512_unpackhi_epi16(low, high),
        _mm512_unpacklo_epi16(low_rest, high_rest),
        _mm512_unpackhi_epi16(low_rest, high_rest),
    ]
}

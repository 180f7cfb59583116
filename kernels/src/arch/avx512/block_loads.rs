//! Blocks of 32 weights, four at a time.

use std::arch::x86_64::*;

/// 16 bytes from byte `AT` on of each of four blocks of `BYTES`, all of them in 64 bytes from `FIRST` or from `SECOND`
/// on. `REPEAT` bytes again and again, if less than 16.
///
/// # Safety
/// Four blocks can be read.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) unsafe fn sixteen_of_four<
    const BYTES: usize,
    const AT: usize,
    const FIRST: usize,
    const SECOND: usize,
    const REPEAT: usize,
>(
    blocks: *const u8,
) -> __m512i {
    let indices: [u8; 64] = const {
        let mut indices = [0; 64];
        let mut i = 0;
        while i < 64 {
            indices[i] = place(i / 16 * BYTES + AT + i % REPEAT, FIRST, SECOND) as u8;
            i += 1;
        }
        assert!(SECOND + 64 <= 4 * BYTES && 16 % REPEAT == 0);
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
pub(super) fn nibbles(x: __m512i) -> [__m512i; 2] {
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
pub(super) unsafe fn halves<const BYTES: usize, const SECOND: usize>(blocks: *const u8) -> [__m512; 2] {
    let indices: [[u16; 32]; 4] = const {
        let mut indices = [[0; 32]; 4];
        let mut i = 0;
        while i < 16 {
            let byte = i % 4 * BYTES;
            indices[i / 4][i] = (place(byte, 0, SECOND) / 2) as u16;
            indices[i / 4][16 + i] = (place(byte + 2, 0, SECOND) / 2) as u16;
            i += 1;
        }
        assert!(SECOND + 64 <= 4 * BYTES && SECOND.is_multiple_of(2));
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

/// Adds 16 to the weights whose bit is set. `bits`: 32 bits for 32 weights, twice in every 64, for each of four blocks.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn add_fifth_bits([first, second]: [__m512i; 2], bits: __m512i) -> [__m512i; 2] {
    /// Moves bit i (from `from` on) of each block's bits to bit 4 of its byte i.
    const fn shifts(from: u8) -> [u8; 64] {
        let mut shifts = [0; 64];
        let mut i = 0;
        while i < 64 {
            shifts[i] = (64 + from + i as u8 % 16 - 4) % 64;
            i += 1;
        }
        shifts
    }
    static FIRST: [u8; 64] = shifts(0);
    static SECOND: [u8; 64] = shifts(16);
    let add = |weights, shifts: &[u8; 64]| {
        // SAFETY: 64 bytes.
        let shifts = unsafe { _mm512_loadu_si512(shifts.as_ptr().cast()) };
        add_bits(weights, _mm512_multishift_epi64_epi8(shifts, bits), 0x10)
    };
    [add(first, &FIRST), add(second, &SECOND)]
}

/// Adds those of `bits` that the mask has.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn add_bits(weights: __m512i, bits: __m512i, mask: i8) -> __m512i {
    /// a | b & c
    const OR_AND: i32 = 0b1111_1000;
    _mm512_ternarylogic_epi64(weights, bits, _mm512_set1_epi8(mask), OR_AND)
}

/// Entry of a table of 16, plus 128, for every byte below 16.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn look_up(table: &[i8; 16], codes: __m512i) -> __m512i {
    // SAFETY: 16 bytes.
    let table = unsafe { _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast())) };
    _mm512_shuffle_epi8(_mm512_xor_si512(table, _mm512_set1_epi8(i8::MIN)), codes)
}

/// 2^(exponent - 128) of 16 exponents below 256.
#[inline]
#[target_feature(enable = "avx512vbmi,avx512vnni,avx512vl,avx512dq")]
pub(super) fn halves_of_exponents(exponents: __m512i) -> __m512 {
    let normal = _mm512_slli_epi32(_mm512_sub_epi32(exponents, _mm512_set1_epi32(1)), 23);
    let subnormal = _mm512_sllv_epi32(_mm512_set1_epi32(1 << 21), exponents);
    let is_subnormal = _mm512_cmplt_epu32_mask(exponents, _mm512_set1_epi32(2));
    _mm512_castsi512_ps(_mm512_mask_mov_epi32(normal, is_subnormal, subnormal))
}

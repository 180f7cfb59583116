//! Formats whose groups are unpacked one after the other, in the order of their weights; AVX-512 unpacks them so, too.

use std::arch::x86_64::*;

use crate::format::Format;
use crate::unpack::GROUP;

/// Groups that are unpacked together.
pub(in crate::arch) const EIGHT: usize = 8;
/// Room for the bytes of the largest eight groups.
pub(in crate::arch) const MOST_EIGHT_BYTES: usize = 256;

/// What the bytes of [`Eight::group`] are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::arch) enum Bytes {
    /// Values, this number added so that they are 0..=63.
    Offset(i8),
    /// Magnitudes, 63 at most; [`Eight::signs`] has the signs.
    Magnitudes,
}

/// Eight groups of a format.
pub(in crate::arch) trait Eight {
    const FORMAT: Format;
    /// Bytes of eight groups.
    const BYTES: usize;
    const HAS: Bytes;
    /// Scales of a group.
    const PARTS: usize;

    /// What the groups have in common.
    type Shared: Copy;

    /// # Safety
    /// `BYTES` bytes can be read; the processor has the instructions.
    unsafe fn shared(from: *const u8) -> Self::Shared;

    /// 32 weights of a group.
    ///
    /// # Safety
    /// As above.
    unsafe fn group(from: *const u8, shared: &Self::Shared, group: usize) -> __m256i;

    /// One bit per weight of a group, the first lowest: 1 is negative.
    ///
    /// # Safety
    /// As above.
    #[inline]
    unsafe fn signs(_from: *const u8, _shared: &Self::Shared, _group: usize) -> u32 {
        0
    }

    /// Scales of the groups or of their halves, in their order.
    ///
    /// # Safety
    /// As above.
    unsafe fn numbers(from: *const u8) -> [__m256; 2];
}

/// Eight groups unpacked.
#[derive(Clone)]
#[repr(align(64))]
pub(in crate::arch) struct Unpacked {
    pub values: [[u8; GROUP]; EIGHT],
    pub scales: [f32; 2 * EIGHT],
}

impl Unpacked {
    pub const ZEROS: Self = Self {
        values: [[0; GROUP]; EIGHT],
        scales: [0.0; 2 * EIGHT],
    };

    /// Unpacks up to eight groups, the values with `offset` added. Missing groups are anything.
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn fill<E: Eight>(&mut self, bytes: &[u8], offset: i8) {
        const { assert!(E::BYTES <= MOST_EIGHT_BYTES) };
        let mut whole = [0; MOST_EIGHT_BYTES];
        let from = match bytes.get(..E::BYTES) {
            Some(bytes) => bytes.as_ptr(),
            None => {
                whole[..bytes.len()].copy_from_slice(bytes);
                whole.as_ptr()
            }
        };
        // SAFETY: `BYTES` bytes can be read; a group is 32 bytes, 16 scales two vectors.
        unsafe {
            let shared = E::shared(from);
            for (group, values) in self.values.iter_mut().enumerate() {
                let bytes = E::group(from, &shared, group);
                let unsigned = match E::HAS {
                    Bytes::Offset(own) => _mm256_add_epi8(bytes, _mm256_set1_epi8(offset.wrapping_sub(own))),
                    Bytes::Magnitudes => {
                        let negative = spread(E::signs(from, &shared, group));
                        let values = _mm256_sub_epi8(_mm256_xor_si256(bytes, negative), negative);
                        _mm256_add_epi8(values, _mm256_set1_epi8(offset))
                    }
                };
                _mm256_storeu_si256(values.as_mut_ptr().cast(), unsigned);
            }
            let [first, second] = E::numbers(from);
            _mm256_storeu_ps(self.scales.as_mut_ptr(), first);
            _mm256_storeu_ps(self.scales.as_mut_ptr().add(8), second);
        }
    }
}

/// A byte of ones for every bit that is set.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn spread(bits: u32) -> __m256i {
    let bytes = _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let mask = _mm256_set1_epi64x(0x8040_2010_0804_0201u64.cast_signed());
    let own = _mm256_shuffle_epi8(_mm256_set1_epi32(bits.cast_signed()), bytes);
    _mm256_cmpeq_epi8(_mm256_and_si256(own, mask), mask)
}

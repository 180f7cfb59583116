//! Few tokens: weights in the order in which they lie in memory, one stream per thread. Units of it, of 8 groups,
//! become one product per group (or half of a group) and token, stored in the first-level cache. After 8 rows the
//! products of a row are added in their order, lane = row.

use std::arch::x86_64::*;

use super::eight_codes::*;
use super::eight_grids::*;
use super::stream_blocks::*;
use super::stream_eight::Eights;
use super::stream_halves::{Halves, Q2K, Q3K, Q6K};
use super::stream_k::*;
use super::stream_split::Split;
use super::transpose::load_columns;
use crate::arch::arrange::Activations;
use crate::arch::buffer::{Buffer, LINE};
use crate::arch::products::{Arrangement, StreamKernel};
use crate::format::Format;
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Tokens of one pass over the weights.
const MOST_TOKENS: usize = 4;
/// Groups of a unit.
pub(super) const UNIT: usize = 8;
/// Rows whose products are added at once.
const ROWS: usize = 8;
/// How far ahead of the multiplication weights are fetched into the second-level cache.
const AHEAD: usize = 8192;
/// Room for the largest unit.
const MOST_BYTES: usize = 512;

pub(super) fn kernel(format: Format) -> Option<StreamKernel> {
    fn of<U: Unit>() -> Option<StreamKernel> {
        Some(StreamKernel {
            arrangement: U::ARRANGEMENT,
            tokens: MOST_TOKENS,
            function: multiply::<U>,
        })
    }
    match format {
        Format::Q4_0 => of::<Split<Q4_0>>(),
        Format::Q4_1 => of::<Split<Q4_1>>(),
        Format::Q5_0 => of::<Split<Q5_0>>(),
        Format::Q5_1 => of::<Split<Q5_1>>(),
        Format::Q8_0 => of::<Split<Q8_0>>(),
        Format::IQ4_NL => of::<Split<Iq4Nl>>(),
        Format::MXFP4 => of::<Split<Mxfp4>>(),
        Format::Q4_K => of::<Split<Q4K>>(),
        Format::Q5_K => of::<Split<Q5K>>(),
        Format::IQ4_XS => of::<Split<Iq4Xs>>(),
        Format::Q2_K => of::<Halves<Q2K>>(),
        Format::Q3_K => of::<Halves<Q3K>>(),
        Format::Q6_K => of::<Halves<Q6K>>(),
        Format::IQ1_S => of::<Eights<Iq1S>>(),
        Format::IQ1_M => of::<Eights<Iq1M>>(),
        Format::IQ2_XXS => of::<Eights<Iq2Xxs>>(),
        Format::IQ2_XS => of::<Eights<Iq2Xs>>(),
        Format::IQ2_S => of::<Eights<Iq2S>>(),
        Format::IQ3_XXS => of::<Eights<Iq3Xxs>>(),
        Format::IQ3_S => of::<Eights<Iq3S>>(),
        Format::TQ1_0 => of::<Eights<Tq1>>(),
        Format::TQ2_0 => of::<Eights<Tq2>>(),
        Format::NVFP4 => of::<Eights<Nvfp4>>(),
        Format::Q1_0 => of::<Eights<Q1_0>>(),
        Format::Q2_0 => of::<Eights<Q2_0>>(),
        Format::F32 | Format::F16 | Format::BF16 => None,
    }
}

/// Eight groups of a format's stream.
pub(super) trait Unit {
    const ARRANGEMENT: &'static Arrangement;
    /// Products of a group.
    const PARTS: usize;
    /// Bytes of a unit.
    const BYTES: usize;

    type Activations: Copy;
    fn activations(arranged: &[u8], columns: usize) -> Self::Activations;

    /// Products of the unit at `weights` with the activations from `group` on, for each token.
    ///
    /// # Safety
    /// `BYTES` bytes of weights can be read, activations of 8 groups, and as many products written. The processor has
    /// the instructions.
    unsafe fn multiply<const TOKENS: usize>(
        weights: *const u8,
        activations: &[Self::Activations; TOKENS],
        group: usize,
        products: [*mut f32; TOKENS],
    );
}

/// # Safety
/// As [`StreamKernel::multiply`] checks; the matrix has the unit's format.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn multiply<U: Unit>(matrix: &Matrix<'_>, arranged: &[&[u8]], memory: &mut Buffer, sums: &mut [f32]) {
    // SAFETY: as the caller promises; there are as many tokens.
    unsafe {
        match arranged.len() {
            1 => multiply_tokens::<U, 1>(matrix, arranged, memory, sums),
            2 => multiply_tokens::<U, 2>(matrix, arranged, memory, sums),
            3 => multiply_tokens::<U, 3>(matrix, arranged, memory, sums),
            _ => multiply_tokens::<U, 4>(matrix, arranged, memory, sums),
        }
    }
}

/// # Safety
/// As above, with `TOKENS` tokens.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn multiply_tokens<U: Unit, const TOKENS: usize>(
    matrix: &Matrix<'_>,
    arranged: &[&[u8]],
    memory: &mut Buffer,
    sums: &mut [f32],
) {
    let activations: [U::Activations; TOKENS] =
        std::array::from_fn(|token| U::activations(arranged[token], matrix.columns()));
    let groups = matrix.columns() / GROUP;
    let row_products = groups * U::PARTS;
    // A unit and four products more than 8 rows may be written and read.
    let stride = ROWS * row_products + UNIT * U::PARTS + 4;
    let products = memory.floats(TOKENS * stride).as_mut_ptr();
    let products: [*mut f32; TOKENS] = std::array::from_fn(|token| products.wrapping_add(token * stride));
    for first in (0..matrix.rows()).step_by(ROWS) {
        let rows = (matrix.rows() - first).min(ROWS);
        let mut weights = matrix.row(first).as_ptr();
        let end = weights.wrapping_add(rows * matrix.row_bytes());
        let units = rows * groups / UNIT;
        let mut group = 0;
        let mut fetched = line_of(weights.wrapping_add(AHEAD));
        for unit in 0..units {
            let to = products.map(|products| products.wrapping_add(unit * UNIT * U::PARTS));
            // SAFETY: the unit lies inside the rows; `group` is one of theirs; the products have room.
            unsafe { U::multiply(weights, &activations, group, to) };
            weights = weights.wrapping_add(U::BYTES);
            while fetched < weights.wrapping_add(AHEAD) {
                _mm_prefetch(fetched.cast(), _MM_HINT_T1);
                fetched = fetched.wrapping_add(LINE);
            }
            group += UNIT;
            while group >= groups {
                group -= groups;
            }
        }
        if weights < end {
            let mut rest = [0u8; MOST_BYTES];
            const { assert!(U::BYTES <= MOST_BYTES) };
            let to = products.map(|products| products.wrapping_add(units * UNIT * U::PARTS));
            // SAFETY: the bytes up to `end` belong to the rows; what is read beyond them comes from `rest`.
            unsafe {
                weights.copy_to_nonoverlapping(rest.as_mut_ptr(), end.addr() - weights.addr());
                U::multiply(rest.as_ptr(), &activations, group, to);
            }
        }
        for (token, products) in products.into_iter().enumerate() {
            // SAFETY: 8 rows of products and 4 more can be read.
            let row_sums = unsafe { sum_rows(products, row_products) };
            sums[token * matrix.rows() + first..][..rows].copy_from_slice(&row_sums[..rows]);
        }
    }
}

/// Products of 8 sums of weights to which `offset` was added, with the activations from `at` on. Numbers: scales, and
/// minimums if there are.
///
/// # Safety
/// 8 numbers of the activations can be read from `at` on, and as many products written.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(in crate::arch) unsafe fn store_products(
    mut sums: __m256i,
    x: &Activations,
    at: usize,
    offset: i32,
    [scales, minimums]: [__m256; 2],
    has_minimum: bool,
    products: *mut f32,
) {
    if offset > 0 {
        // SAFETY: as the caller promises.
        let x = unsafe { _mm256_loadu_si256(x.sums.add(at).cast()) };
        sums = _mm256_sub_epi32(sums, _mm256_mullo_epi32(x, _mm256_set1_epi32(offset)));
    }
    // SAFETY: as the caller promises.
    let dx = unsafe { _mm256_loadu_ps(x.scales.add(at)) };
    let mut product = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_mul_ps(scales, dx));
    if has_minimum {
        // SAFETY: as the caller promises.
        let weighted = unsafe { _mm256_loadu_ps(x.weighted.add(at)) };
        product = _mm256_fmadd_ps(minimums, weighted, product);
    }
    // SAFETY: as the caller promises.
    unsafe { _mm256_storeu_ps(products, product) };
}

fn line_of(address: *const u8) -> *const u8 {
    address.map_addr(|address| address & !(LINE - 1))
}

/// Sums of 8 rows of `count` products, each in its order from +0.
///
/// # Safety
/// 8 * count + 4 products can be read.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn sum_rows(products: *const f32, count: usize) -> [f32; ROWS] {
    let mut sums = _mm256_setzero_ps();
    for column in (0..count).step_by(4) {
        // SAFETY: as the caller promises.
        let columns = unsafe { load_columns(products.add(column).cast(), count * size_of::<f32>()) };
        for column in columns.into_iter().take(count - column) {
            sums = _mm256_add_ps(sums, _mm256_castsi256_ps(column));
        }
    }
    let mut rows = [0.0; ROWS];
    // SAFETY: 8 floats.
    unsafe { _mm256_storeu_ps(rows.as_mut_ptr(), sums) };
    rows
}

//! What an instruction set implements for products with weights: one [`Products`] each.
//!
//! There are three kinds of kernels. All follow the order of `unpack`, so that their results are equal bit for bit.
//!
//! - **stream** (few tokens): reads the rows of a quantized matrix once, as they lie in memory, and multiplies each
//!   with up to `tokens` activation rows. It may ask for the quantized activations in an arrangement of its own.
//!   An instruction set may lack it for a format; panels do its work then.
//! - **panel** (many tokens): unpacks `PANEL_ROWS` rows of a quantized matrix to a layout of its own, small enough
//!   for the second-level cache, then multiplies it with tiles of `TILE_TOKENS` tokens.
//! - **float**: the same rows times up to `TILE_TOKENS` tokens for matrices that are not quantized, straight from
//!   memory.
//!
//! A new instruction set writes the functions in `arch/<isa>/`, each `#[target_feature(enable = …)]`, fills the
//! structs below, and is added to [`Products::of`]. `generic` has the loop that unpacks a panel through
//! `unpack_group`, for formats without a kernel of their own.

use super::buffer::{Buffer, LINE};
use crate::format::{Format, Scaling};
use crate::isa::Isa;
use crate::matrix::Matrix;
use crate::unpack::GROUP;

/// Rows of a panel.
pub(crate) const PANEL_ROWS: usize = 16;
/// Tokens of a tile.
pub(crate) const TILE_TOKENS: usize = 8;

/// Sums of a panel's rows with a tile's tokens: [token][row].
pub(crate) type TileSums = [[f32; PANEL_ROWS]; TILE_TOKENS];

/// A row of quantized activations: x[i] ≈ scales[i / 32] * values[i].
#[derive(Clone, Copy)]
pub(crate) struct QuantizedRow<'a> {
    /// (columns,), -127..=127.
    pub values: &'a [i8],
    /// (groups,). NaN where an activation of the group is not finite.
    pub scales: &'a [f32],
    /// (groups,): sums of the values of each half.
    pub sums: &'a [[i32; 2]],
}

/// The same to write.
pub(crate) struct QuantizedRowMut<'a> {
    pub values: &'a mut [i8],
    pub scales: &'a mut [f32],
    pub sums: &'a mut [[i32; 2]],
}

/// Quantized activations of `tokens` tokens, 1..=TILE_TOKENS, group after group; places of other tokens hold zeros.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    pub tokens: usize,
    /// (groups, TILE_TOKENS, 32).
    pub values: &'a [i8],
    /// (groups, TILE_TOKENS).
    pub scales: &'a [f32],
    /// -offset * Σ values: (groups, TILE_TOKENS), or (groups, 2, TILE_TOKENS) where the format has halves.
    /// Empty when the kernel's offset is 0.
    pub starts: &'a [i32],
    /// scale * f32(Σ values), laid out like `starts`. Empty when the format has no minimum.
    pub weighted: &'a [f32],
}

/// Quantized activations as some stream kernels read them.
pub(crate) struct Arrangement {
    /// Bytes for a row of that many columns.
    pub bytes: fn(columns: usize) -> usize,
    /// Arranges a row into exactly so many bytes, which begin on a cache line.
    pub arrange: fn(QuantizedRow<'_>, &mut [u8]),
}

/// Rows of a matrix, the arranged activations of 1..=tokens tokens, memory that stays between calls,
/// sums: (nTokens, rows).
pub(crate) type StreamFunction = unsafe fn(&Matrix<'_>, &[&[u8]], &mut Buffer, &mut [f32]);

#[derive(Clone, Copy)]
pub(crate) struct StreamKernel {
    /// Kernels with the same arrangement share the arranged activations of a request.
    pub arrangement: &'static Arrangement,
    /// The most tokens per call, and up to which it beats the panels.
    pub tokens: usize,
    /// Reads nothing outside of the matrix; see [`StreamKernel::multiply`] for what it may rely on.
    pub function: StreamFunction,
}

/// 1..=PANEL_ROWS rows of a matrix, the panel. Places of missing rows may hold anything finite.
pub(crate) type UnpackFunction = unsafe fn(&Matrix<'_>, &mut [u8]);
/// Panel, tile, bytes that will be unpacked next (to be fetched into the cache meanwhile; may be empty), sums.
pub(crate) type PanelFunction = unsafe fn(&[u8], &Tile<'_>, &[u8], &mut TileSums);

/// Rows of a matrix as for `unpack`, the panel, then as for `multiply`.
pub(crate) type StartFunction = unsafe fn(&Matrix<'_>, &mut [u8], &Tile<'_>, &[u8], &mut TileSums);

#[derive(Clone, Copy)]
pub(crate) struct PanelKernel {
    /// What the panel adds to the values of weights so that they are unsigned: `Tile::starts` takes it off again.
    pub offset: i32,
    /// Bytes of a panel for each group, a multiple of a cache line.
    pub group_bytes: usize,
    pub unpack: UnpackFunction,
    pub multiply: PanelFunction,
    /// Both at once, where that is faster: unpacking uses what multiplying leaves idle.
    pub start: Option<StartFunction>,
}

/// 1..=PANEL_ROWS rows of a matrix, input: (nTokens, columns) with 1..=TILE_TOKENS tokens, sums.
pub(crate) type FloatFunction = unsafe fn(&Matrix<'_>, &[f32], &mut TileSums);

/// The kernels of one instruction set.
pub(crate) struct Products {
    /// Quantizes activations, any number of whole groups. For each group of 32, m the largest absolute value:
    /// m not finite: scale NaN, values 0; m < 2^-100: scale 0, values 0;
    /// else scale = m / 127, values = round_ties_even(x * (127 / m)), every operation rounded to f32.
    pub quantize: unsafe fn(&[f32], QuantizedRowMut<'_>),
    /// None: the panels serve few tokens too.
    pub stream: fn(Format) -> Option<StreamKernel>,
    pub panel: fn(Format) -> PanelKernel,
    pub float: fn(Format) -> FloatFunction,
}

/// Below it a group of activations counts as zeros: 127 / m would be infinite for the smallest.
pub(crate) const SMALLEST_MAXIMUM: f32 = f32::from_bits((127 - 100) << 23);

impl Products {
    pub fn of(isa: Isa) -> &'static Self {
        debug_assert!(isa.is_available());
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &super::avx2::PRODUCTS,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => &super::avx512::PRODUCTS,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => &super::neon::PRODUCTS,
            #[cfg(target_arch = "aarch64")]
            Isa::NeonI8mm => &super::neon::PRODUCTS_I8MM,
            _ => &super::scalar::PRODUCTS,
        }
    }

    /// Quantizes whole groups of activations.
    pub fn quantize(&self, input: &[f32], output: QuantizedRowMut<'_>) {
        let groups = input.len() / GROUP;
        assert!(input.len().is_multiple_of(GROUP) && output.values.len() == input.len());
        assert!(output.scales.len() == groups && output.sums.len() == groups);
        // SAFETY: the lengths agree, and the processor has the instructions, see `arch`.
        unsafe { (self.quantize)(input, output) }
    }

    /// Sums of up to 16 rows of floats with `input`, (nTokens, columns), of up to 8 tokens.
    pub fn multiply_floats(&self, matrix: &Matrix<'_>, input: &[f32], sums: &mut TileSums) {
        assert!(matrix.format().scaling() == Scaling::Float && matrix.rows() <= PANEL_ROWS);
        assert!(input.len().is_multiple_of(matrix.columns()));
        assert!((1..=TILE_TOKENS).contains(&(input.len() / matrix.columns())));
        // SAFETY: the shapes agree, and the processor has the instructions, see `arch`.
        unsafe { (self.float)(matrix.format())(matrix, input, sums) }
    }
}

impl StreamKernel {
    /// `arranged` has 1..=tokens rows of the kernel's arrangement for the matrix's columns; `sums` is (nTokens, rows).
    pub fn multiply(&self, matrix: &Matrix<'_>, arranged: &[&[u8]], memory: &mut Buffer, sums: &mut [f32]) {
        let bytes = (self.arrangement.bytes)(matrix.columns());
        assert!((1..=self.tokens).contains(&arranged.len()) && sums.len() == arranged.len() * matrix.rows());
        assert!(
            arranged
                .iter()
                .all(|row| row.len() == bytes && row.as_ptr().addr().is_multiple_of(LINE))
        );
        // SAFETY: the shapes agree, and the processor has the instructions, see `arch`.
        unsafe { (self.function)(matrix, arranged, memory, sums) }
    }
}

impl PanelKernel {
    pub fn panel_bytes(&self, columns: usize) -> usize {
        columns / GROUP * self.group_bytes
    }

    /// Unpacks up to 16 rows into a panel of `panel_bytes` bytes and multiplies it with the first tile.
    pub fn start(&self, matrix: &Matrix<'_>, panel: &mut [u8], tile: &Tile<'_>, ahead: &[u8], sums: &mut TileSums) {
        assert!((1..=PANEL_ROWS).contains(&matrix.rows()) && panel.len() == self.panel_bytes(matrix.columns()));
        self.check(matrix.format(), panel, tile);
        // SAFETY: the shapes agree, and the processor has the instructions, see `arch`.
        unsafe {
            if let Some(start) = self.start {
                return start(matrix, panel, tile, ahead, sums);
            }
            (self.unpack)(matrix, panel);
            (self.multiply)(panel, tile, ahead, sums);
        }
    }

    /// Sums of a panel that was unpacked from `format` with a tile of as many groups; writes the tile's tokens.
    pub fn multiply(&self, format: Format, panel: &[u8], tile: &Tile<'_>, ahead: &[u8], sums: &mut TileSums) {
        self.check(format, panel, tile);
        // SAFETY: the shapes agree, and the processor has the instructions, see `arch`.
        unsafe { (self.multiply)(panel, tile, ahead, sums) }
    }

    fn check(&self, format: Format, panel: &[u8], tile: &Tile<'_>) {
        let groups = panel.len() / self.group_bytes;
        let parts = if format.scaling().has_halves() { 2 } else { 1 };
        assert!(panel.len() == groups * self.group_bytes && panel.as_ptr().addr().is_multiple_of(LINE));
        assert!((1..=TILE_TOKENS).contains(&tile.tokens));
        assert!(tile.values.len() == groups * TILE_TOKENS * GROUP && tile.scales.len() == groups * TILE_TOKENS);
        assert!(self.offset == 0 || tile.starts.len() == groups * parts * TILE_TOKENS);
        assert!(!format.scaling().has_minimum() || tile.weighted.len() == groups * parts * TILE_TOKENS);
    }
}

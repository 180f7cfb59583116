//! Keys and values of a tile as vectors of f32, whatever they are kept as.

use crate::arch::lanes::{LANES, Lanes};
use crate::cache::tile::{BLOCK, GROUP, SCALE_BYTES, key_group_start, value_block_start};
use crate::cache::{CacheType, PAGE_TOKENS};

/// Vectors per 64 tokens.
pub const COLUMNS: usize = PAGE_TOKENS / LANES;

/// Keys of a tile, `[dimension][token]`.
pub trait KeySource: Copy {
    /// A dimension of all tokens.
    type Row;

    /// The dimensions of group `group`.
    fn rows(&self, group: usize) -> &[Self::Row];
    /// The scales of a group for 16 tokens.
    fn scale<L: Lanes>(&self, lanes: L, group: usize, column: usize) -> L::Vector;
    /// A dimension of 16 tokens.
    fn load<L: Lanes>(lanes: L, row: &Self::Row, column: usize, scale: L::Vector) -> L::Vector;
}

/// Values of a block of up to 64 dimensions, `[token][dimension]`.
pub trait ValueSource: Copy {
    /// What one vector lies in, or two.
    type Piece;

    /// The dimensions of a token.
    fn row(&self, token: usize) -> &[Self::Piece];
    /// The scale of dimensions 16 * column.. of a token.
    fn scale<L: Lanes>(&self, lanes: L, token: usize, column: usize) -> L::Vector;
    fn load<L: Lanes>(lanes: L, row: &[Self::Piece], column: usize, scale: L::Vector) -> L::Vector;
}

/// f32 as another tile was turned into.
#[derive(Clone, Copy)]
pub struct Plain<'a> {
    pub vectors: &'a [[f32; LANES]],
    /// Vectors per token, of values.
    pub width: usize,
}

impl KeySource for Plain<'_> {
    type Row = [[f32; LANES]; COLUMNS];

    #[inline(always)]
    fn rows(&self, group: usize) -> &[Self::Row] {
        &self.vectors.as_chunks().0[group * GROUP..]
    }

    #[inline(always)]
    fn scale<L: Lanes>(&self, lanes: L, _: usize, _: usize) -> L::Vector {
        lanes.splat(1.0)
    }

    #[inline(always)]
    fn load<L: Lanes>(lanes: L, row: &Self::Row, column: usize, _: L::Vector) -> L::Vector {
        lanes.load(&row[column])
    }
}

impl ValueSource for Plain<'_> {
    type Piece = [f32; LANES];

    #[inline(always)]
    fn row(&self, token: usize) -> &[Self::Piece] {
        &self.vectors[token * self.width..][..self.width]
    }

    #[inline(always)]
    fn scale<L: Lanes>(&self, lanes: L, _: usize, _: usize) -> L::Vector {
        lanes.splat(1.0)
    }

    #[inline(always)]
    fn load<L: Lanes>(lanes: L, row: &[Self::Piece], column: usize, _: L::Vector) -> L::Vector {
        lanes.load(&row[column])
    }
}

/// f32 (64 bytes per vector) or f16 (32) as they lie in the cache.
#[derive(Clone, Copy)]
pub struct Floats<'a, const BYTES: usize> {
    vectors: &'a [[u8; BYTES]],
    /// Vectors per token, of values.
    width: usize,
}

impl<'a, const BYTES: usize> Floats<'a, BYTES> {
    #[inline(always)]
    pub fn keys(tile: &'a [u8]) -> Self {
        Self {
            vectors: tile.as_chunks().0,
            width: 0,
        }
    }

    /// Block `block` of values, `width` vectors wide.
    #[inline(always)]
    pub fn values(tile: &'a [u8], block: usize, width: usize) -> Self {
        let vectors = &tile.as_chunks().0[block * BLOCK * COLUMNS..];
        Self { vectors, width }
    }
}

macro_rules! floats {
    ($bytes:literal, $load:ident) => {
        impl KeySource for Floats<'_, $bytes> {
            type Row = [[u8; $bytes]; COLUMNS];

            #[inline(always)]
            fn rows(&self, group: usize) -> &[Self::Row] {
                &self.vectors.as_chunks().0[group * GROUP..]
            }

            #[inline(always)]
            fn scale<L: Lanes>(&self, lanes: L, _: usize, _: usize) -> L::Vector {
                lanes.splat(1.0)
            }

            #[inline(always)]
            fn load<L: Lanes>(lanes: L, row: &Self::Row, column: usize, _: L::Vector) -> L::Vector {
                lanes.$load(&row[column])
            }
        }

        impl ValueSource for Floats<'_, $bytes> {
            type Piece = [u8; $bytes];

            #[inline(always)]
            fn row(&self, token: usize) -> &[Self::Piece] {
                &self.vectors[token * self.width..][..self.width]
            }

            #[inline(always)]
            fn scale<L: Lanes>(&self, lanes: L, _: usize, _: usize) -> L::Vector {
                lanes.splat(1.0)
            }

            #[inline(always)]
            fn load<L: Lanes>(lanes: L, row: &[Self::Piece], column: usize, _: L::Vector) -> L::Vector {
                lanes.$load(&row[column])
            }
        }
    };
}

floats!(64, load_f32);
floats!(32, load_f16);

/// Whole numbers of 8 or 4 bits with scales, as they lie in the cache.
#[derive(Clone, Copy)]
pub struct Whole<'a, const BITS: usize> {
    bytes: &'a [u8],
    /// Vectors per token, of values.
    width: usize,
}

impl<'a, const BITS: usize> Whole<'a, BITS> {
    const KIND: CacheType = if BITS == 8 { CacheType::Q8_0 } else { CacheType::Q4_0 };

    #[inline(always)]
    pub fn keys(tile: &'a [u8]) -> Self {
        Self { bytes: tile, width: 0 }
    }

    /// Block `block` of values, `width` vectors wide.
    #[inline(always)]
    pub fn values(tile: &'a [u8], block: usize, width: usize) -> Self {
        Self {
            bytes: &tile[value_block_start(Self::KIND, block)..],
            width,
        }
    }

    #[inline(always)]
    fn key_scale<L: Lanes>(&self, lanes: L, group: usize, column: usize) -> L::Vector {
        let scales = &self.bytes[key_group_start(Self::KIND, group)..].as_chunks().0;
        lanes.load_f16(&scales[column])
    }

    #[inline(always)]
    fn key_rows<const ROW: usize>(&self, group: usize) -> &[[[u8; LANES]; ROW]] {
        let elements = &self.bytes[key_group_start(Self::KIND, group) + SCALE_BYTES..];
        elements.as_chunks().0.as_chunks().0
    }

    #[inline(always)]
    fn value_scale<L: Lanes>(&self, lanes: L, token: usize, column: usize) -> L::Vector {
        let groups = self.width.div_ceil(GROUP / LANES);
        lanes.splat_f16(&self.bytes.as_chunks().0[token * groups + column / 2])
    }

    #[inline(always)]
    fn value_row(&self, token: usize) -> &[[u8; LANES]] {
        let groups = self.width.div_ceil(GROUP / LANES);
        let pieces = self.width * BITS / 8;
        &self.bytes[groups * SCALE_BYTES..].as_chunks().0[token * pieces..][..pieces]
    }
}

impl KeySource for Whole<'_, 8> {
    type Row = [[u8; LANES]; COLUMNS];

    #[inline(always)]
    fn rows(&self, group: usize) -> &[Self::Row] {
        self.key_rows(group)
    }

    #[inline(always)]
    fn scale<L: Lanes>(&self, lanes: L, group: usize, column: usize) -> L::Vector {
        self.key_scale(lanes, group, column)
    }

    #[inline(always)]
    fn load<L: Lanes>(lanes: L, row: &Self::Row, column: usize, scale: L::Vector) -> L::Vector {
        lanes.mul(lanes.load_i8(&row[column]), scale)
    }
}

impl KeySource for Whole<'_, 4> {
    type Row = [[u8; LANES]; COLUMNS / 2];

    #[inline(always)]
    fn rows(&self, group: usize) -> &[Self::Row] {
        self.key_rows(group)
    }

    #[inline(always)]
    fn scale<L: Lanes>(&self, lanes: L, group: usize, column: usize) -> L::Vector {
        self.key_scale(lanes, group, column)
    }

    #[inline(always)]
    fn load<L: Lanes>(lanes: L, row: &Self::Row, column: usize, scale: L::Vector) -> L::Vector {
        let half = COLUMNS / 2;
        let whole = if column < half {
            lanes.load_low_nibbles(&row[column])
        } else {
            lanes.load_high_nibbles(&row[column - half])
        };
        lanes.mul(whole, scale)
    }
}

impl ValueSource for Whole<'_, 8> {
    type Piece = [u8; LANES];

    #[inline(always)]
    fn row(&self, token: usize) -> &[Self::Piece] {
        self.value_row(token)
    }

    #[inline(always)]
    fn scale<L: Lanes>(&self, lanes: L, token: usize, column: usize) -> L::Vector {
        self.value_scale(lanes, token, column)
    }

    #[inline(always)]
    fn load<L: Lanes>(lanes: L, row: &[Self::Piece], column: usize, scale: L::Vector) -> L::Vector {
        lanes.mul(lanes.load_i8(&row[column]), scale)
    }
}

impl ValueSource for Whole<'_, 4> {
    type Piece = [u8; LANES];

    #[inline(always)]
    fn row(&self, token: usize) -> &[Self::Piece] {
        self.value_row(token)
    }

    #[inline(always)]
    fn scale<L: Lanes>(&self, lanes: L, token: usize, column: usize) -> L::Vector {
        self.value_scale(lanes, token, column)
    }

    #[inline(always)]
    fn load<L: Lanes>(lanes: L, row: &[Self::Piece], column: usize, scale: L::Vector) -> L::Vector {
        let bytes = &row[column / 2];
        let whole = if column.is_multiple_of(2) {
            lanes.load_low_nibbles(bytes)
        } else {
            lanes.load_high_nibbles(bytes)
        };
        lanes.mul(whole, scale)
    }
}

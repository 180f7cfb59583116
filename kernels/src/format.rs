use crate::error::{Error, ErrorCode, Result};

/// Tensor element types of ggml, by their numbers in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(non_camel_case_types, reason = "spelled as ggml and the files spell them")]
#[repr(u32)]
pub enum Format {
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q2_K = 10,
    Q3_K = 11,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    IQ2_XXS = 16,
    IQ2_XS = 17,
    IQ3_XXS = 18,
    IQ1_S = 19,
    IQ4_NL = 20,
    IQ3_S = 21,
    IQ2_S = 22,
    IQ4_XS = 23,
    IQ1_M = 29,
    BF16 = 30,
    TQ1_0 = 34,
    TQ2_0 = 35,
    MXFP4 = 39,
    NVFP4 = 40,
    Q1_0 = 41,
    Q2_0 = 42,
}

/// Layout of a format: (format, name, elements per block, bytes per block, what its blocks hold).
const ROWS: [(Format, &str, usize, usize, Scaling); 28] = {
    use Format::*;
    use Scaling::*;
    [
        (F32, "F32", 1, 4, Float),
        (F16, "F16", 1, 2, Float),
        (BF16, "BF16", 1, 2, Float),
        (Q4_0, "Q4_0", 32, 18, Whole),
        (Q4_1, "Q4_1", 32, 20, WholeMinimum),
        (Q5_0, "Q5_0", 32, 22, Whole),
        (Q5_1, "Q5_1", 32, 24, WholeMinimum),
        (Q8_0, "Q8_0", 32, 34, Whole),
        (Q2_K, "Q2_K", 256, 84, HalvesMinimum),
        (Q3_K, "Q3_K", 256, 110, Halves),
        (Q4_K, "Q4_K", 256, 144, WholeMinimum),
        (Q5_K, "Q5_K", 256, 176, WholeMinimum),
        (Q6_K, "Q6_K", 256, 210, Halves),
        (IQ2_XXS, "IQ2_XXS", 256, 66, Whole),
        (IQ2_XS, "IQ2_XS", 256, 74, Halves),
        (IQ2_S, "IQ2_S", 256, 82, Halves),
        (IQ3_XXS, "IQ3_XXS", 256, 98, Whole),
        (IQ3_S, "IQ3_S", 256, 110, Whole),
        (IQ1_S, "IQ1_S", 256, 50, Whole),
        (IQ1_M, "IQ1_M", 256, 56, Halves),
        (IQ4_NL, "IQ4_NL", 32, 18, Whole),
        (IQ4_XS, "IQ4_XS", 256, 136, Whole),
        (TQ1_0, "TQ1_0", 256, 54, Whole),
        (TQ2_0, "TQ2_0", 256, 66, Whole),
        (MXFP4, "MXFP4", 32, 17, Whole),
        (NVFP4, "NVFP4", 64, 36, Halves),
        (Q1_0, "Q1_0", 128, 18, Whole),
        (Q2_0, "Q2_0", 64, 18, Whole),
    ]
};

/// Which scales 32 consecutive weights of a format have once unpacked (see `unpack`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// Not quantized: products are made in f32.
    Float,
    /// One scale.
    Whole,
    /// One scale and one minimum.
    WholeMinimum,
    /// A scale for each half of 16.
    Halves,
    /// A scale and a minimum for each half of 16.
    HalvesMinimum,
}

impl Scaling {
    pub const fn has_halves(self) -> bool {
        matches!(self, Self::Halves | Self::HalvesMinimum)
    }

    pub const fn has_minimum(self) -> bool {
        matches!(self, Self::WholeMinimum | Self::HalvesMinimum)
    }
}

impl Format {
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.0)
    }

    pub fn from_id(id: u32) -> Result<Self> {
        Self::all().find(|format| *format as u32 == id).ok_or_else(|| {
            Error::new(
                ErrorCode::TensorTypeUnsupported,
                format!("Expected a tensor type that the native engine multiplies with, found number {id}."),
            )
        })
    }

    fn row(self) -> &'static (Self, &'static str, usize, usize, Scaling) {
        // The test below holds that every format has a row.
        ROWS.iter().find(|row| row.0 == self).unwrap_or(&ROWS[0])
    }

    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Weights per block.
    pub fn block_elements(self) -> usize {
        self.row().2
    }

    pub fn block_bytes(self) -> usize {
        self.row().3
    }

    pub fn scaling(self) -> Scaling {
        self.row().4
    }

    /// Bytes of one row of weights; an error when blocks do not divide it or the size overflows.
    pub fn row_bytes(self, columns: usize) -> Result<usize> {
        let elements = self.block_elements();
        if columns == 0 || !columns.is_multiple_of(elements) {
            return Err(Error::new(
                ErrorCode::TensorShapeMismatch,
                format!(
                    "Expected rows of {} to be a multiple of {elements} weights long, found {columns}.",
                    self.name()
                ),
            ));
        }
        (columns / elements)
            .checked_mul(self.block_bytes())
            .ok_or_else(|| Error::new(ErrorCode::GgufInvalid, "A row of weights is larger than memory."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_number() {
        for format in Format::all() {
            assert_eq!(Format::from_id(format as u32).unwrap(), format);
            assert_eq!(format.row().0, format);
        }
        assert!(Format::from_id(4).is_err());
    }

    #[test]
    fn rows_are_whole_blocks() {
        assert_eq!(Format::Q4_K.row_bytes(512).unwrap(), 288);
        assert!(Format::Q4_K.row_bytes(255).is_err());
        assert!(Format::F32.row_bytes(0).is_err());
        assert!(Format::F32.row_bytes(usize::MAX).is_err());
    }
}

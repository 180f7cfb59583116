use crate::error::{Error, ErrorCode, Result};
use crate::format::Format;

/// Weights as they lie in the file: `rows` rows of `columns` weights, each row whole blocks.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    format: Format,
    rows: usize,
    columns: usize,
    row_bytes: usize,
    bytes: &'a [u8],
}

impl<'a> Matrix<'a> {
    /// Fails unless `bytes` is exactly the matrix.
    pub fn new(format: Format, rows: usize, columns: usize, bytes: &'a [u8]) -> Result<Self> {
        let row_bytes = format.row_bytes(columns)?;
        if rows == 0 || row_bytes.checked_mul(rows) != Some(bytes.len()) {
            return Err(Error::new(
                ErrorCode::TensorShapeMismatch,
                format!(
                    "Expected {rows} rows of {row_bytes} bytes ({columns} weights of {}), found {} bytes.",
                    format.name(),
                    bytes.len()
                ),
            ));
        }
        Ok(Self {
            format,
            rows,
            columns,
            row_bytes,
            bytes,
        })
    }

    pub const fn format(&self) -> Format {
        self.format
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }

    pub const fn columns(&self) -> usize {
        self.columns
    }

    pub const fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes of one row. Panics outside, like a slice.
    pub fn row(&self, index: usize) -> &'a [u8] {
        &self.bytes[index * self.row_bytes..(index + 1) * self.row_bytes]
    }

    /// `count` rows from `first` on. Panics outside, like a slice.
    pub fn slice(&self, first: usize, count: usize) -> Self {
        Self {
            rows: count,
            bytes: &self.bytes[first * self.row_bytes..(first + count) * self.row_bytes],
            ..*self
        }
    }
}

use std::path::Path;
use std::sync::Arc;

use super::mapping::Mapping;
use crate::error::{Error, ErrorCode, Result};
use crate::format::Format;
use crate::matrix::Matrix;

/// The mapped files of a model.
pub struct WeightFiles {
    shards: Vec<Arc<Mapping>>,
}

/// A matrix inside a mapped file, checked when it was made; several experts' matrices may follow each other.
#[derive(Clone)]
pub struct StoredMatrix {
    mapping: Arc<Mapping>,
    offset: usize,
    format: Format,
    rows: usize,
    columns: usize,
    row_bytes: usize,
}

/// Numbers per matrix in the attribute `weights`: shard, type, offset, rows.
const FIELDS: usize = 4;

impl WeightFiles {
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        let shards = paths
            .iter()
            .map(|path| Mapping::open(path.as_ref()).map(Arc::new))
            .collect::<Result<_>>()?;
        Ok(Self { shards })
    }

    /// Whether all files still are there in full.
    pub fn check(&self) -> Result<()> {
        self.shards.iter().try_for_each(|shard| shard.check())
    }

    /// The matrices that a node's attribute names; all of one width.
    pub fn matrices(&self, fields: &[i64], columns: i64) -> Result<Vec<StoredMatrix>> {
        let invalid = || {
            Error::new(
                ErrorCode::EngineFailed,
                format!("Expected {FIELDS} numbers per matrix in a node, found {fields:?} of {columns} columns."),
            )
        };
        let columns = usize::try_from(columns).map_err(|_| invalid())?;
        if !fields.len().is_multiple_of(FIELDS) {
            return Err(invalid());
        }
        fields
            .chunks_exact(FIELDS)
            .map(|chunk| {
                let number = |index: usize| usize::try_from(chunk[index]).map_err(|_| invalid());
                let mapping = self.shards.get(number(0)?).ok_or_else(invalid)?;
                let format = Format::from_id(u32::try_from(chunk[1]).map_err(|_| invalid())?)?;
                StoredMatrix::new(Arc::clone(mapping), format, number(2)?, number(3)?, columns)
            })
            .collect()
    }
}

impl StoredMatrix {
    fn new(mapping: Arc<Mapping>, format: Format, offset: usize, rows: usize, columns: usize) -> Result<Self> {
        let row_bytes = format.row_bytes(columns)?;
        let bytes = row_bytes
            .checked_mul(rows)
            .ok_or_else(|| Error::new(ErrorCode::GgufInvalid, "A matrix is larger than memory."))?;
        Matrix::new(format, rows, columns, mapping.slice(offset, bytes)?)?;
        Ok(Self {
            mapping,
            offset,
            format,
            rows,
            columns,
            row_bytes,
        })
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }

    pub const fn columns(&self) -> usize {
        self.columns
    }

    pub fn matrix(&self) -> Result<Matrix<'_>> {
        Matrix::new(
            self.format,
            self.rows,
            self.columns,
            self.mapping.slice(self.offset, self.row_bytes * self.rows)?,
        )
    }
}

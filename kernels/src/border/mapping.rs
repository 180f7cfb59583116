use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::{Advice, Mmap, MmapOptions};

use crate::error::{Error, ErrorCode, Result};

/// A file of weights in memory, read page by page when touched and shared with other processes.
///
/// A file that shrinks while it is mapped makes reads of the lost part fatal (SIGBUS): `check` finds that out
/// between steps; within a step nothing can.
pub struct Mapping {
    path: PathBuf,
    file: File,
    bytes: Mmap,
}

impl Mapping {
    /// Fails with `ENGINE_FAILED` when the file cannot be opened or mapped.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(
                ErrorCode::EngineFailed,
                format!("Could not map the weights of {}: {error}.", path.display()),
            )
        };
        let file = File::open(path).map_err(failed)?;
        // SAFETY: the map is read only and private to this struct. Another process may change the file: that
        // changes numbers, or ends the process when it cuts the file (see above); it breaks no Rust invariant, as
        // bytes of any value are valid weights.
        let bytes = unsafe { MmapOptions::new().map(&file) }.map_err(failed)?;
        // Best effort: read-ahead makes the first token of a cold file several times faster.
        let _ = bytes.advise(Advice::WillNeed);
        Ok(Self {
            path: path.to_path_buf(),
            file,
            bytes,
        })
    }

    /// Bytes of one tensor; an error when they reach outside of the file.
    pub fn slice(&self, offset: usize, length: usize) -> Result<&[u8]> {
        offset
            .checked_add(length)
            .and_then(|end| self.bytes.get(offset..end))
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::SourceTruncated,
                    format!(
                        "Expected {length} bytes of weights at {offset} in {}, but the file ends at {}. Download it again.",
                        self.path.display(),
                        self.bytes.len()
                    ),
                )
            })
    }

    /// Whether the file still is as long as it was when it was mapped.
    pub fn check(&self) -> Result<()> {
        let length = self.file.metadata().map_or(0, |metadata| metadata.len());
        if length >= self.bytes.len() as u64 {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::SourceTruncated,
            format!(
                "Expected {} to stay {} bytes long while the model is loaded, found {length}. Do not overwrite model files in place; load the model again.",
                self.path.display(),
                self.bytes.len()
            ),
        ))
    }
}

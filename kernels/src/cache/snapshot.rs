//! A sequence as bytes, to keep on disk.
//!
//! ```text
//! "rivulet kv cache", version u32, type u32, layers u32, per layer: heads, key and value dimensions u32;
//! positions u64; then whole pages, positions beyond the last as zeros. Little-endian.
//! ```

use std::sync::Arc;

use super::{Cache, CacheLayout, CacheType, PAGE_TOKENS, Sequence, SequenceId, check_length, tile};
use crate::error::{Error, ErrorCode, Result};

const MAGIC: &[u8; 16] = b"rivulet kv cache";
/// Changes whenever the layout of a page does.
const VERSION: u32 = 1;

impl Cache {
    /// The first `length` positions of a sequence.
    pub fn save(&self, id: SequenceId, length: usize) -> Result<Vec<u8>> {
        let sequence = self.sequence(id)?;
        check_length(sequence, length)?;
        let pages = &sequence.pages[..length.div_ceil(PAGE_TOKENS)];
        let mut bytes = header(&self.layout);
        bytes.reserve_exact(8 + pages.len() * self.layout.page_bytes());
        bytes.extend((length as u64).to_le_bytes());
        for page in pages {
            bytes.extend_from_slice(page);
        }
        if !length.is_multiple_of(PAGE_TOKENS) {
            let start = bytes.len() - self.layout.page_bytes();
            clear(&self.layout, &mut bytes[start..], length % PAGE_TOKENS);
        }
        Ok(bytes)
    }

    /// A new sequence from what `save` gave; fails when it is of another layout, damaged, or beyond the budget.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<SequenceId> {
        let header = header(&self.layout);
        let rest = bytes.strip_prefix(header.as_slice()).ok_or_else(|| {
            invalid(if bytes.starts_with(&header[..MAGIC.len()]) {
                "Expected a cache snapshot of this model, version and cache type, found another."
            } else {
                "Expected a cache snapshot, found other data."
            })
        })?;
        let (length, data) = rest
            .split_first_chunk()
            .ok_or_else(|| invalid("Expected a cache snapshot, found it cut off in its header."))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let count = length.div_ceil(PAGE_TOKENS);
        if count.checked_mul(self.layout.page_bytes()) != Some(data.len()) {
            return Err(invalid(&format!(
                "Expected a cache snapshot of {length} positions to have {count} pages of {} bytes, found {} bytes.",
                self.layout.page_bytes(),
                data.len()
            )));
        }
        let mut pages = self.source.take(count)?;
        for (page, data) in pages.iter_mut().zip(data.chunks_exact(self.layout.page_bytes())) {
            page.copy_from_slice(data);
        }
        let pages = pages.into_iter().map(Arc::new).collect();
        Ok(self.insert(Sequence {
            length,
            reserved: 0,
            pages,
        }))
    }
}

fn header(layout: &CacheLayout) -> Vec<u8> {
    let kind = match layout.kind() {
        CacheType::F32 => 0,
        CacheType::F16 => 1,
        CacheType::Q8_0 => 2,
        CacheType::Q4_0 => 3,
    };
    let mut bytes = MAGIC.to_vec();
    let mut number = |value: usize| bytes.extend((value as u32).to_le_bytes());
    number(VERSION as usize);
    number(kind);
    number(layout.layers().len());
    for layer in layout.layers() {
        number(layer.kv_heads);
        number(layer.key_dim);
        number(layer.value_dim);
    }
    bytes
}

/// Zeros at positions `from..` of a page: they may hold what another sequence once wrote.
fn clear(layout: &CacheLayout, page: &mut [u8], from: usize) {
    for (index, layer) in layout.layers().iter().enumerate() {
        let zeros = vec![0.0; layer.key_dim.max(layer.value_dim)];
        let layer_bytes = &mut page[layout.layer_range(index)];
        for head in layer_bytes.chunks_exact_mut(layout.head_bytes(index).max(1)) {
            let (keys, values) = head.split_at_mut(layout.key_bytes(index));
            for token in from..PAGE_TOKENS {
                tile::store_key(layout.kind(), keys, token, &zeros[..layer.key_dim]);
                tile::store_value(layout.kind(), values, token, &zeros[..layer.value_dim]);
            }
        }
    }
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

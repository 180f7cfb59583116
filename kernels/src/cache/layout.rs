use crate::cache::tile;
use crate::error::{Error, ErrorCode, Result};

/// Positions per page, and per tile of keys or values in it.
pub const PAGE_TOKENS: usize = 64;

/// How keys and values are kept. Products are made in f32 from all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheType {
    F32,
    F16,
    /// Bytes with an f16 scale per token and 32 dimensions.
    Q8_0,
    /// Four bits with an f16 scale per token and 32 dimensions.
    Q4_0,
}

impl CacheType {
    /// `f32`, `f16`, `q8_0` or `q4_0`.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "q8_0" => Ok(Self::Q8_0),
            "q4_0" => Ok(Self::Q4_0),
            _ => Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("Expected a cache type of f32, f16, q8_0 or q4_0, found '{name}'."),
            )),
        }
    }
}

/// What one layer keeps per position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLayer {
    /// 0 for a layer that keeps nothing here.
    pub kv_heads: usize,
    pub key_dim: usize,
    /// 0 when values are the first elements of keys (latent attention).
    pub value_dim: usize,
}

/// Where everything lies in a page: layer after layer, in each head after head, of each the keys, then the values.
#[derive(Clone, Debug)]
pub struct CacheLayout {
    layers: Vec<CacheLayer>,
    kind: CacheType,
    /// First byte of each layer in a page, and the end of the last.
    offsets: Vec<usize>,
}

impl CacheLayout {
    /// Fails when a page would be larger than memory.
    pub fn new(layers: Vec<CacheLayer>, kind: CacheType) -> Result<Self> {
        let mut offsets = vec![0usize];
        let mut end = 0usize;
        for layer in &layers {
            end = layer_bytes(kind, layer)
                .and_then(|bytes| bytes.checked_add(end))
                // A page is one allocation.
                .filter(|bytes| isize::try_from(*bytes).is_ok())
                .ok_or_else(|| {
                    Error::new(
                        ErrorCode::InvalidArgument,
                        format!("Expected a cache layer that fits memory, found {layer:?}."),
                    )
                })?;
            offsets.push(end);
        }
        if end == 0 {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "Expected at least one layer that keeps keys, found none.",
            ));
        }
        Ok(Self { layers, kind, offsets })
    }

    pub fn layers(&self) -> &[CacheLayer] {
        &self.layers
    }

    pub const fn kind(&self) -> CacheType {
        self.kind
    }

    pub fn bytes_per_token(&self) -> usize {
        self.page_bytes() / PAGE_TOKENS
    }

    pub fn page_bytes(&self) -> usize {
        self.offsets[self.layers.len()]
    }

    /// The bytes of a layer in a page.
    pub(crate) fn layer_range(&self, layer: usize) -> std::ops::Range<usize> {
        self.offsets[layer]..self.offsets[layer + 1]
    }

    /// Bytes of the keys of one head of a layer.
    pub(crate) fn key_bytes(&self, layer: usize) -> usize {
        tile::key_bytes(self.kind, self.layers[layer].key_dim).unwrap_or(0)
    }

    /// Bytes of keys and values of one head of a layer.
    pub(crate) fn head_bytes(&self, layer: usize) -> usize {
        self.layer_range(layer).len() / self.layers[layer].kv_heads.max(1)
    }
}

fn layer_bytes(kind: CacheType, layer: &CacheLayer) -> Option<usize> {
    let keys = tile::key_bytes(kind, layer.key_dim)?;
    let values = tile::value_bytes(kind, layer.value_dim)?;
    keys.checked_add(values)?.checked_mul(layer.kv_heads)
}

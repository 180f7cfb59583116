use crate::cache::{CacheLayer, CacheLayout, PAGE_TOKENS};
use crate::error::{Error, ErrorCode, Result};
use crate::norm::NormKind;
use crate::rope::Rope;

/// A norm of queries, keys or values.
#[derive(Clone, Debug)]
pub struct HeadNorm {
    pub kind: NormKind,
    /// Over all heads of a token at once instead of each head.
    pub whole_row: bool,
    /// (head dimension,), (heads, head dimension), or empty: not multiplied.
    pub weight: Vec<f32>,
    /// As `weight`; empty: nothing added.
    pub bias: Vec<f32>,
    pub epsilon: f32,
}

/// A factor of queries that grows with their position: log(floor((position + offset) / floor_length) + 1) * scale + 1.
#[derive(Clone, Copy, Debug)]
pub struct Temperature {
    pub scale: f32,
    /// Positions.
    pub floor_length: usize,
    pub offset: usize,
}

/// What is added to scores of each head by the distance of a position from the row's (T5); beyond a reach it stays the
/// same.
#[derive(Clone, Debug)]
pub struct PositionBias {
    reach: usize,
    /// Per head of distances from `-(reach + PAGE_TOKENS - 1)` to as many, so that a tile's lie side by side.
    values: Vec<f32>,
}

impl PositionBias {
    /// `values` is (heads, 2 * reach + 1), from `reach` positions before the row to as many after it.
    pub fn new(heads: usize, values: &[f32]) -> Result<Self> {
        let width = values.len() / heads.max(1);
        if heads == 0 || width * heads != values.len() || width.is_multiple_of(2) {
            return Err(invalid(format!(
                "Expected as many distances before a row as after it for each of {heads} heads, found {} numbers.",
                values.len()
            )));
        }
        let beyond = PAGE_TOKENS - 1;
        let spread = values.chunks_exact(width).flat_map(|own| {
            let (first, last) = (own[0], own[width - 1]);
            std::iter::repeat_n(first, beyond)
                .chain(own.iter().copied())
                .chain(std::iter::repeat_n(last, beyond))
        });
        Ok(Self {
            reach: width / 2,
            values: spread.collect(),
        })
    }

    /// What a score gets whose position is so far behind the row's.
    pub fn at(&self, head: usize, distance: isize) -> f32 {
        let most = self.reach.cast_signed();
        let index = (distance.clamp(-most, most) + most).cast_unsigned() + PAGE_TOKENS - 1;
        self.values[head * self.width() + index]
    }

    const fn width(&self) -> usize {
        2 * self.reach + 1 + 2 * (PAGE_TOKENS - 1)
    }

    fn heads(&self) -> usize {
        self.values.len() / self.width()
    }

    /// Of a row at `position` for the positions of the tile that begins at `start`.
    pub(crate) fn tile(&self, head: usize, position: usize, start: usize) -> &[f32; PAGE_TOKENS] {
        // From the distance of which all of a tile is beyond the reach on one side.
        let zero = self.reach + PAGE_TOKENS - 1;
        let first = (zero + start).saturating_sub(position).min(self.reach + zero);
        let own = &self.values[head * self.width() + first..];
        own.first_chunk()
            .unwrap_or_else(|| unreachable!("a tile ends within the table"))
    }
}

/// What attention of a layer does. The rest is in its cache layer.
#[derive(Clone, Debug)]
pub struct AttentionSettings {
    pub heads: usize,
    pub kv_heads: usize,
    pub key_dim: usize,
    pub value_dim: usize,
    /// Factor of the products of queries and keys.
    pub scale: f32,
    /// Scores become cap * tanh(score / cap).
    pub softcap: Option<f32>,
    /// Positions that a position sees, itself included; not causal: half of them before it and half after.
    pub window: Option<usize>,
    /// Positions see only those of the same chunk of this many, counted from 0.
    pub chunk: Option<usize>,
    /// Otherwise positions see later ones of their own item too.
    pub causal: bool,
    pub rope: Option<Rope>,
    pub query_norm: Option<HeadNorm>,
    pub key_norm: Option<HeadNorm>,
    pub value_norm: Option<HeadNorm>,
    /// Queries and keys are normalized after they have turned.
    pub norm_after_rope: bool,
    /// (heads,) scores of a place that has no value.
    pub sinks: Option<Vec<f32>>,
    /// (heads,) how much scores fall per position of distance (ALiBi).
    pub alibi_slopes: Option<Vec<f32>>,
    pub temperature: Option<Temperature>,
    pub position_bias: Option<PositionBias>,
}

impl AttentionSettings {
    /// Causal attention with scale 1 / sqrt(key_dim) and nothing else.
    pub fn new(heads: usize, kv_heads: usize, key_dim: usize, value_dim: usize) -> Self {
        Self {
            heads,
            kv_heads,
            key_dim,
            value_dim,
            scale: 1.0 / (key_dim as f32).sqrt(),
            softcap: None,
            window: None,
            chunk: None,
            causal: true,
            rope: None,
            query_norm: None,
            key_norm: None,
            value_norm: None,
            norm_after_rope: false,
            sinks: None,
            alibi_slopes: None,
            temperature: None,
            position_bias: None,
        }
    }

    /// Query heads per key head.
    pub(crate) const fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Positions `low..high` that a position sees, `end` being the first after its item.
    pub(crate) fn visible(&self, position: usize, end: usize) -> (usize, usize) {
        let mut low = 0;
        let mut high = if self.causal { position + 1 } else { end };
        if let Some(window) = self.window {
            if self.causal {
                low = (position + 1).saturating_sub(window);
            } else {
                low = position.saturating_sub(window / 2);
                high = high.min(position + window / 2 + 1);
            }
        }
        if let Some(chunk) = self.chunk {
            let first = position / chunk * chunk;
            low = low.max(first);
            high = high.min(first.saturating_add(chunk));
        }
        (low, high)
    }

    /// How much scores of a head fall per position of distance.
    pub(crate) fn slope(&self, head: usize) -> f32 {
        self.alibi_slopes.as_ref().map_or(0.0, |slopes| slopes[head])
    }

    /// Factor of a query.
    pub(crate) fn query_scale(&self, position: usize) -> f32 {
        self.temperature.map_or(self.scale, |temperature| {
            let whole = ((position + temperature.offset) / temperature.floor_length) as f32;
            self.scale * ((whole + 1.0).ln() * temperature.scale + 1.0)
        })
    }

    pub(crate) fn check(&self, layout: &CacheLayout, layer: usize) -> Result<()> {
        let layer = layout.layers().get(layer).ok_or_else(|| {
            invalid(format!(
                "Expected one of the {} layers of the cache, found {layer}.",
                layout.layers().len()
            ))
        })?;
        let latent = layer.value_dim == 0 && self.value_dim <= self.key_dim;
        let own = CacheLayer {
            kv_heads: self.kv_heads,
            key_dim: self.key_dim,
            value_dim: if latent { 0 } else { self.value_dim },
        };
        if own != *layer || self.kv_heads == 0 || self.key_dim == 0 || self.value_dim == 0 {
            return Err(invalid(format!(
                "Expected attention over the cache layer {layer:?}, found {own:?}."
            )));
        }
        if latent && self.value_norm.is_some() {
            return Err(invalid("Expected no norm of values that are part of keys.".to_owned()));
        }
        if self.heads == 0 || !self.heads.is_multiple_of(self.kv_heads) {
            return Err(invalid(format!(
                "Expected a multiple of the {} key heads as heads, found {}.",
                self.kv_heads, self.heads
            )));
        }
        let wrong = |values: &Option<Vec<f32>>| values.as_ref().is_some_and(|values| values.len() != self.heads);
        if wrong(&self.sinks) || wrong(&self.alibi_slopes) {
            return Err(invalid(format!(
                "Expected {} sinks and slopes, one per head.",
                self.heads
            )));
        }
        if self
            .position_bias
            .as_ref()
            .is_some_and(|bias| bias.heads() != self.heads)
        {
            return Err(invalid(format!("Expected biases of {} heads.", self.heads)));
        }
        let zero = self.window == Some(0) || self.chunk == Some(0);
        if zero
            || self
                .temperature
                .is_some_and(|temperature| temperature.floor_length == 0)
        {
            return Err(invalid(
                "Expected window, chunk and floor length of at least 1.".to_owned(),
            ));
        }
        if let Some(rope) = &self.rope {
            rope.check(self.key_dim)?;
        }
        check_norm(self.query_norm.as_ref(), self.heads, self.key_dim, self.norm_after_rope)?;
        check_norm(
            self.key_norm.as_ref(),
            self.kv_heads,
            self.key_dim,
            self.norm_after_rope,
        )?;
        check_norm(self.value_norm.as_ref(), self.kv_heads, self.value_dim, false)
    }
}

fn check_norm(norm: Option<&HeadNorm>, heads: usize, dim: usize, after_rope: bool) -> Result<()> {
    let Some(norm) = norm else {
        return Ok(());
    };
    for values in [&norm.weight, &norm.bias] {
        let per_head = values.len() == dim && !norm.whole_row;
        if !(per_head || values.is_empty() || values.len() == heads * dim) {
            return Err(invalid(format!(
                "Expected a norm of {heads} heads of {dim} to have {dim} or {} weights, found {}.",
                heads * dim,
                values.len()
            )));
        }
    }
    if norm.whole_row && after_rope {
        return Err(invalid(
            "Expected a norm of the whole row to come before the turn.".to_owned(),
        ));
    }
    Ok(())
}

pub(crate) fn invalid(message: String) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

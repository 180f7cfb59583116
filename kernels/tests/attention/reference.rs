//! Attention in f64, position by position, as its definition says; and sequences with random data to try it on.

use rivulet_kernels::attention::{AttentionScratch, AttentionSettings, BatchItem, HeadNorm, KeyValue, attend};
use rivulet_kernels::cache::{Cache, CacheLayer, CacheLayout, CacheType, SequenceId};
use rivulet_kernels::cancel::Cancel;
use rivulet_kernels::error::Result;
use rivulet_kernels::isa::Isa;
use rivulet_kernels::norm::NormKind;
use rivulet_kernels::pool::Pool;
use rivulet_kernels::rope::Pairs;

/// Numbers of about the normal distribution, the same for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 >> 33) ^ self.0;
        mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn normal(&mut self) -> f32 {
        (0..4)
            .map(|_| (self.next() % 65536) as f32 / 65536.0 - 0.5)
            .sum::<f32>()
            * 1.7
    }

    pub fn normals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }
}

/// Queries, keys and values of a sequence, rows of its tokens.
pub struct Data {
    pub tokens: usize,
    pub query: Vec<f32>,
    pub key: Vec<f32>,
    pub value: Vec<f32>,
}

impl Data {
    pub fn new(settings: &AttentionSettings, tokens: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        Self {
            tokens,
            query: random.normals(tokens * settings.heads * settings.key_dim),
            key: random.normals(tokens * settings.kv_heads * settings.key_dim),
            value: random.normals(tokens * settings.kv_heads * settings.value_dim),
        }
    }

    pub fn latent(settings: &AttentionSettings, tokens: usize, seed: u64) -> Self {
        Self {
            value: Vec::new(),
            ..Self::new(settings, tokens, seed)
        }
    }
}

/// Attention on one layer of a cache.
pub struct Player {
    pub cache: Cache,
    pub settings: AttentionSettings,
    pub isa: Isa,
    pub threads: usize,
    pub layer: usize,
    pub scratch: AttentionScratch,
}

impl Player {
    /// The layer lies between two others.
    pub fn new(settings: &AttentionSettings, kind: CacheType, isa: Isa, threads: usize) -> Self {
        Self::with_value_dim(settings, settings.value_dim, kind, isa, threads)
    }

    pub fn with_value_dim(
        settings: &AttentionSettings,
        value_dim: usize,
        kind: CacheType,
        isa: Isa,
        threads: usize,
    ) -> Self {
        let layer = CacheLayer {
            kv_heads: settings.kv_heads,
            key_dim: settings.key_dim,
            value_dim,
        };
        let other = CacheLayer {
            kv_heads: 1,
            key_dim: 8,
            value_dim: 24,
        };
        let layout = CacheLayout::new(vec![other, layer, other], kind).unwrap();
        Self {
            cache: Cache::new(layout, 1 << 30),
            settings: settings.clone(),
            isa,
            threads,
            layer: 1,
            scratch: AttentionScratch::default(),
        }
    }

    /// One step of (sequence, its data, tokens); gives the outputs of each.
    pub fn step(&mut self, items: &[(SequenceId, &Data, usize)]) -> Result<Vec<Vec<f32>>> {
        let outputs = self.compute_only(items)?;
        for (sequence, _, tokens) in items {
            self.cache.commit(*sequence, *tokens)?;
        }
        Ok(outputs)
    }

    /// A step that is not committed.
    pub fn compute_only(&mut self, items: &[(SequenceId, &Data, usize)]) -> Result<Vec<Vec<f32>>> {
        let settings = &self.settings;
        let (mut query, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
        let mut batch = Vec::new();
        let mut first = 0;
        for (sequence, data, tokens) in items {
            let position = self.cache.length(*sequence)?;
            self.cache.reserve(*sequence, *tokens)?;
            let copy = |to: &mut Vec<f32>, from: &[f32], width: usize| {
                if !from.is_empty() {
                    to.extend_from_slice(&from[position * width..(position + tokens) * width]);
                }
            };
            copy(&mut query, &data.query, settings.heads * settings.key_dim);
            copy(&mut key, &data.key, settings.kv_heads * settings.key_dim);
            copy(&mut value, &data.value, settings.kv_heads * settings.value_dim);
            batch.push(BatchItem {
                sequence: *sequence,
                first,
                tokens: *tokens,
                position,
            });
            first += tokens;
        }
        let width = settings.heads * settings.value_dim;
        let mut output = vec![f32::NAN; first * width];
        let key_value = KeyValue {
            key: &key,
            value: &value,
        };
        let team = Pool::global().team(self.threads);
        attend(
            &team,
            self.isa,
            &Cancel::new(),
            &mut self.cache,
            self.layer,
            &batch,
            &self.settings,
            &query,
            Some(key_value),
            &mut self.scratch,
            &mut output,
        )?;
        Ok(batch
            .iter()
            .map(|item| output[item.first * width..(item.first + item.tokens) * width].to_vec())
            .collect())
    }

    /// All tokens of `data` in chunks of `chunk`, as a sequence of its own.
    pub fn alone(&mut self, data: &Data, chunk: usize) -> Vec<f32> {
        let id = self.cache.open();
        let output = self.rest(id, data, chunk);
        self.cache.close(id);
        output
    }

    /// The tokens of `data` that the sequence does not have yet.
    pub fn rest(&mut self, id: SequenceId, data: &Data, chunk: usize) -> Vec<f32> {
        let mut output = Vec::new();
        loop {
            let left = data.tokens - self.cache.length(id).unwrap();
            if left == 0 {
                return output;
            }
            output.extend(self.step(&[(id, data, left.min(chunk))]).unwrap().remove(0));
        }
    }
}

fn normalized(norm: &HeadNorm, heads: usize, row: &[f64]) -> Vec<f64> {
    let dim = row.len() / heads;
    let width = if norm.whole_row { row.len() } else { dim };
    let epsilon = f64::from(norm.epsilon);
    let mut result = Vec::new();
    for part in row.chunks(width) {
        let mean = part.iter().sum::<f64>() / width as f64;
        let squares = part.iter().map(|x| x * x).sum::<f64>();
        result.extend(part.iter().map(|x| match norm.kind {
            NormKind::Rms => x / (squares / width as f64 + epsilon).sqrt(),
            NormKind::Length => x / squares.sqrt().max(epsilon),
            NormKind::Layer => (x - mean) / (squares / width as f64 - mean * mean + epsilon).sqrt(),
        }));
    }
    let at = |values: &[f32], index: usize| values.get(index % values.len().max(1)).map(|value| f64::from(*value));
    for (index, value) in result.iter_mut().enumerate() {
        *value = *value * at(&norm.weight, index).unwrap_or(1.0) + at(&norm.bias, index).unwrap_or(0.0);
    }
    result
}

fn ready(
    settings: &AttentionSettings,
    norm: Option<&HeadNorm>,
    heads: usize,
    row: &[f32],
    position: usize,
) -> Vec<f64> {
    let mut row: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
    if let Some(norm) = norm.filter(|_| !settings.norm_after_rope) {
        row = normalized(norm, heads, &row);
    }
    if let Some(rope) = &settings.rope {
        let dim = row.len() / heads;
        for head in row.chunks_mut(dim) {
            for (pair, frequency) in rope.frequencies.iter().enumerate() {
                let (a, b) = match rope.pairs {
                    Pairs::Neighbours => (2 * pair, 2 * pair + 1),
                    Pairs::Halves => (pair, pair + rope.dimensions / 2),
                };
                let (sine, cosine) = (position as f64 * frequency).sin_cos();
                let magnitude = f64::from(rope.magnitude);
                (head[a], head[b]) = (
                    magnitude * (head[a] * cosine - head[b] * sine),
                    magnitude * (head[a] * sine + head[b] * cosine),
                );
            }
        }
    }
    if let Some(norm) = norm.filter(|_| settings.norm_after_rope) {
        row = normalized(norm, heads, &row);
    }
    row
}

/// Whether a position sees another of its sequence; `end` is the first after its item.
fn sees(settings: &AttentionSettings, position: usize, other: usize, end: usize) -> bool {
    let distance = position.abs_diff(other);
    let within = settings.window.is_none_or(|window| {
        if settings.causal {
            distance < window
        } else {
            distance <= window / 2
        }
    });
    let chunk = settings.chunk.is_none_or(|chunk| position / chunk == other / chunk);
    other < end && (!settings.causal || other <= position) && within && chunk
}

/// Outputs of all tokens of a sequence. Not causal: all of them are one item.
pub fn exact(settings: &AttentionSettings, data: &Data) -> Vec<f64> {
    let group = settings.heads / settings.kv_heads;
    let (key_dim, value_dim) = (settings.key_dim, settings.value_dim);
    let row = |values: &[f32], width: usize, token: usize| values[token * width..(token + 1) * width].to_vec();
    let keys: Vec<_> = (0..data.tokens)
        .map(|token| {
            let key = row(&data.key, settings.kv_heads * key_dim, token);
            ready(settings, settings.key_norm.as_ref(), settings.kv_heads, &key, token)
        })
        .collect();
    let values: Vec<Vec<f64>> = (0..data.tokens)
        .map(|token| {
            if data.value.is_empty() {
                return keys[token]
                    .chunks(key_dim)
                    .flat_map(|head| head[..value_dim].to_vec())
                    .collect();
            }
            let value: Vec<f64> = row(&data.value, settings.kv_heads * value_dim, token)
                .iter()
                .map(|value| f64::from(*value))
                .collect();
            settings
                .value_norm
                .as_ref()
                .map_or_else(|| value.clone(), |norm| normalized(norm, settings.kv_heads, &value))
        })
        .collect();
    let mut output = Vec::new();
    for position in 0..data.tokens {
        let query = row(&data.query, settings.heads * key_dim, position);
        let query = ready(settings, settings.query_norm.as_ref(), settings.heads, &query, position);
        let temperature = settings.temperature.map_or(1.0, |temperature| {
            let floor = ((position + temperature.offset) / temperature.floor_length) as f64;
            (floor + 1.0).ln() * f64::from(temperature.scale) + 1.0
        });
        for head in 0..settings.heads {
            let kv_head = head / group;
            let mut weights = Vec::new();
            for other in (0..data.tokens).filter(|other| sees(settings, position, *other, data.tokens)) {
                let mut score: f64 = (0..key_dim)
                    .map(|element| query[head * key_dim + element] * keys[other][kv_head * key_dim + element])
                    .sum();
                score *= f64::from(settings.scale) * temperature;
                if let Some(cap) = settings.softcap {
                    score = f64::from(cap) * (score / f64::from(cap)).tanh();
                }
                if let Some(bias) = &settings.position_bias {
                    score += f64::from(bias.at(head, other.cast_signed() - position.cast_signed()));
                }
                if let Some(slopes) = &settings.alibi_slopes {
                    score -= f64::from(slopes[head]) * position.abs_diff(other) as f64;
                }
                weights.push((other, score));
            }
            let sink = settings.sinks.as_ref().map(|sinks| f64::from(sinks[head]));
            let largest = weights
                .iter()
                .map(|(_, score)| *score)
                .chain(sink)
                .fold(f64::NEG_INFINITY, f64::max);
            let sum = weights
                .iter()
                .map(|(_, score)| *score)
                .chain(sink)
                .map(|score| (score - largest).exp())
                .sum::<f64>();
            for element in 0..value_dim {
                output.push(
                    weights
                        .iter()
                        .map(|(other, score)| {
                            (score - largest).exp() / sum * values[*other][kv_head * value_dim + element]
                        })
                        .sum::<f64>(),
                );
            }
        }
    }
    output
}

use std::sync::Arc;

use super::Node;
use super::attention::{rope, temperature};
use crate::attention::{AttentionSettings, KeyValue, attend};
use crate::border::io::{NodeData, NodeReader, failed};
use crate::border::step::Step;
use crate::border::weights::StoredMatrix;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::isa::Isa;
use crate::linear::{Combine, LinearRequest, LinearWeight, linear, linear_each};
use crate::rope::{Rope, rotate_rows};

/// Attention whose keys and values come from one latent per token (MLA of DeepSeek V2).
///
/// Queries (nTokens, heads * keyDim), latents (nTokens, latentDim) and rotated key parts (nTokens, rotatedDim) →
/// (nTokens, heads * valueDim), all f32. A key is its unrotated part, then the rotated one that all heads share.
struct LatentAttention {
    layer: usize,
    /// Of what is cached and looked at: whole heads, or the one latent that all of them look at.
    settings: AttentionSettings,
    rope: Option<Rope>,
    shape: Shape,
    expansion: Expansion,
    memory: Memory,
}

#[derive(Clone, Copy)]
struct Shape {
    heads: usize,
    key_dim: usize,
    value_dim: usize,
    latent_dim: usize,
    rotated_dim: usize,
}

enum Expansion {
    /// Keys and values are made from each latent and cached: (heads * (unrotated + valueDim), latentDim), per head
    /// the key's rows, then the value's.
    Joint(StoredMatrix),
    /// Latents are cached; `key`, (heads * latentDim, unrotated), takes queries to them, `value`,
    /// (heads * valueDim, latentDim), makes values of what was mixed.
    Absorbed { key: StoredMatrix, value: StoredMatrix },
}

/// Buffers that steps use again.
#[derive(Default)]
struct Memory {
    query: Vec<f32>,
    rotated: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    /// Head by head: (heads, nTokens, …)
    inner: Vec<f32>,
    outer: Vec<f32>,
}

/// Inputs: query, latent, rotated key part, then the frequencies if `constants` names them.
pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    let shape = Shape {
        heads: reader.size("heads")?,
        key_dim: reader.size("key_dim")?,
        value_dim: reader.size("value_dim")?,
        latent_dim: reader.size("latent_dim")?,
        rotated_dim: reader.size("rotated_dim")?,
    };
    if shape.rotated_dim > shape.key_dim {
        return Err(failed("more of a key rotates than it has"));
    }
    let only = |weights: &str, columns: &str| {
        let mut matrices = reader.matrices_of(weights, columns)?;
        matrices.pop().ok_or_else(|| failed("latent attention lacks a matrix"))
    };
    let (expansion, kv_heads, key_dim, value_dim) = match reader.text("expansion")?.as_str() {
        "joint" => (
            Expansion::Joint(only("weights", "columns")?),
            shape.heads,
            shape.key_dim,
            shape.value_dim,
        ),
        "absorbed" => (
            Expansion::Absorbed {
                key: only("key_weights", "key_columns")?,
                value: only("value_weights", "value_columns")?,
            },
            1,
            shape.latent_dim + shape.rotated_dim,
            shape.latent_dim,
        ),
        other => return Err(failed(format!("latents are not expanded by '{other}'"))),
    };
    Ok(Box::new(LatentAttention {
        layer: reader.size("layer")?,
        settings: AttentionSettings {
            scale: reader.float("scale")?,
            temperature: temperature(reader)?,
            ..AttentionSettings::new(shape.heads, kv_heads, key_dim, value_dim)
        },
        rope: match reader.text("constants")?.as_str() {
            "" => None,
            _ => Some(rope(reader, reader.constant(3)?)?),
        },
        shape,
        expansion,
        memory: Memory::default(),
    }))
}

impl Node for LatentAttention {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let tokens = step.tokens;
        let Shape {
            heads,
            key_dim,
            value_dim,
            latent_dim,
            rotated_dim,
        } = self.shape;
        let inputs = (data.input(0)?, data.input(1)?, data.input(2)?);
        let latent = inputs.1.floats(tokens * latent_dim)?;
        let mut output = data.output(0, tokens, heads * value_dim)?;
        let memory = &mut self.memory;
        fill(&mut memory.query, inputs.0.floats(tokens * heads * key_dim)?);
        fill(&mut memory.rotated, inputs.2.floats(tokens * rotated_dim)?);
        if let Some(rope) = &self.rope {
            let positions = step.positions();
            let start = key_dim - rotated_dim;
            rotate_rows(step.isa, rope, &positions, heads, key_dim, start, &mut memory.query);
            rotate_rows(step.isa, rope, &positions, 1, rotated_dim, 0, &mut memory.rotated);
        }
        match &self.expansion {
            Expansion::Joint(matrix) => {
                expand(step, self.shape, matrix, latent, memory)?;
                let Memory { query, key, value, .. } = memory;
                attend_rows(step, self.layer, &self.settings, query, key, value, output.floats()?)
            }
            Expansion::Absorbed { key, value } => {
                absorb(step, self.shape, key, memory)?;
                let Memory {
                    query,
                    rotated,
                    key,
                    inner,
                    ..
                } = memory;
                join(key, latent, latent_dim, rotated, rotated_dim);
                inner.resize(tokens * heads * latent_dim, 0.0);
                attend_rows(step, self.layer, &self.settings, query, key, &[], inner)?;
                make_values(step, self.shape, value, memory, output.floats()?)
            }
        }
    }
}

/// Whole keys and values of each head from the latents, into `key` and `value`.
fn expand(step: &mut Step, shape: Shape, matrix: &StoredMatrix, latent: &[f32], memory: &mut Memory) -> Result<()> {
    let tokens = step.tokens;
    let unrotated = shape.key_dim - shape.rotated_dim;
    let width = shape.heads * (unrotated + shape.value_dim);
    memory.inner.resize(tokens * width, 0.0);
    let weights = [LinearWeight {
        matrix: matrix.matrix()?,
        bias: None,
    }];
    let cancel = Arc::clone(&step.cancel);
    let request = product((step.isa, &cancel), latent, tokens, &weights);
    linear(&step.team, &mut step.buffers.linear, &request, &mut [&mut memory.inner])?;
    memory.key.clear();
    memory.value.clear();
    for (row, rotated) in memory
        .inner
        .chunks_exact(width)
        .zip(memory.rotated.chunks_exact(shape.rotated_dim))
    {
        for head in row.chunks_exact(unrotated + shape.value_dim) {
            let (key, value) = head.split_at(unrotated);
            memory.key.extend_from_slice(key);
            memory.key.extend_from_slice(rotated);
            memory.value.extend_from_slice(value);
        }
    }
    Ok(())
}

/// Queries, their unrotated parts taken to the latents: (nTokens, heads * (latentDim + rotatedDim)), into `query`.
fn absorb(step: &mut Step, shape: Shape, key: &StoredMatrix, memory: &mut Memory) -> Result<()> {
    let tokens = step.tokens;
    let unrotated = shape.key_dim - shape.rotated_dim;
    memory.inner.clear();
    for head in 0..shape.heads {
        for row in memory.query.chunks_exact(shape.heads * shape.key_dim) {
            memory
                .inner
                .extend_from_slice(&row[head * shape.key_dim..][..unrotated]);
        }
    }
    memory.outer.resize(shape.heads * tokens * shape.latent_dim, 0.0);
    per_head(step, shape.heads, key, &memory.inner, &mut memory.outer)?;
    let old = std::mem::take(&mut memory.query);
    for (token, row) in old.chunks_exact(shape.heads * shape.key_dim).enumerate() {
        for head in 0..shape.heads {
            let absorbed = &memory.outer[(head * tokens + token) * shape.latent_dim..][..shape.latent_dim];
            memory.query.extend_from_slice(absorbed);
            memory
                .query
                .extend_from_slice(&row[head * shape.key_dim + unrotated..][..shape.rotated_dim]);
        }
    }
    Ok(())
}

/// Values from mixed latents, (nTokens, heads * latentDim) in `inner`.
fn make_values(
    step: &mut Step,
    shape: Shape,
    value: &StoredMatrix,
    memory: &mut Memory,
    output: &mut [f32],
) -> Result<()> {
    let tokens = step.tokens;
    memory.value.clear();
    for head in 0..shape.heads {
        for row in memory.inner.chunks_exact(shape.heads * shape.latent_dim) {
            memory
                .value
                .extend_from_slice(&row[head * shape.latent_dim..][..shape.latent_dim]);
        }
    }
    memory.outer.resize(shape.heads * tokens * shape.value_dim, 0.0);
    per_head(step, shape.heads, value, &memory.value, &mut memory.outer)?;
    for (token, row) in output.chunks_exact_mut(shape.heads * shape.value_dim).enumerate() {
        for (head, to) in row.chunks_exact_mut(shape.value_dim).enumerate() {
            to.copy_from_slice(&memory.outer[(head * tokens + token) * shape.value_dim..][..shape.value_dim]);
        }
    }
    Ok(())
}

/// `input` (heads, nTokens, columns) times each head's rows of the matrix: (heads, nTokens, rows / heads).
fn per_head(step: &mut Step, heads: usize, matrix: &StoredMatrix, input: &[f32], output: &mut [f32]) -> Result<()> {
    let tokens = step.tokens;
    let (rows, columns) = (matrix.rows() / heads, matrix.columns());
    let whole = matrix.matrix()?;
    let weights: Vec<_> = (0..heads)
        .map(|head| {
            [LinearWeight {
                matrix: whole.slice(head * rows, rows),
                bias: None,
            }]
        })
        .collect();
    let cancel = Arc::clone(&step.cancel);
    let requests: Vec<_> = weights
        .iter()
        .zip(input.chunks_exact(tokens * columns))
        .map(|(weight, input)| product((step.isa, &cancel), input, tokens, weight))
        .collect();
    let mut outputs: Vec<_> = output.chunks_exact_mut(tokens * rows).collect();
    linear_each(&step.team, &mut step.buffers.linear, &requests, &mut outputs)
}

fn product<'a>(
    (isa, cancel): (Isa, &'a Cancel),
    input: &'a [f32],
    tokens: usize,
    weights: &'a [LinearWeight<'a>],
) -> LinearRequest<'a> {
    LinearRequest {
        isa,
        cancel,
        input,
        tokens,
        weights,
        combine: Combine::Separate,
        scale: 1.0,
        residual: None,
    }
}

fn attend_rows(
    step: &mut Step,
    layer: usize,
    settings: &AttentionSettings,
    query: &[f32],
    key: &[f32],
    value: &[f32],
    output: &mut [f32],
) -> Result<()> {
    attend(
        &step.team,
        step.isa,
        &step.cancel,
        &mut step.cache,
        layer,
        &step.batch,
        settings,
        query,
        Some(KeyValue { key, value }),
        &mut step.buffers.attention,
        output,
    )
}

fn fill(buffer: &mut Vec<f32>, values: &[f32]) {
    buffer.clear();
    buffer.extend_from_slice(values);
}

/// Rows of `left`, each followed by its row of `right`.
fn join(buffer: &mut Vec<f32>, left: &[f32], left_width: usize, right: &[f32], right_width: usize) {
    buffer.clear();
    for (left, right) in left.chunks_exact(left_width).zip(right.chunks_exact(right_width)) {
        buffer.extend_from_slice(left);
        buffer.extend_from_slice(right);
    }
}

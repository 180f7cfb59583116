use super::Node;
use super::norm::kind;
use crate::attention::{AttentionSettings, HeadNorm, KeyValue, PositionBias, Temperature, attend};
use crate::border::io::{NodeData, NodeReader, failed};
use crate::border::step::Step;
use crate::error::Result;
use crate::rope::{Pairs, Rope};

/// Queries (nTokens, heads * keyDim), keys and values (nTokens, kvHeads * …) → (nTokens, heads * valueDim), all f32;
/// keys and values go into the cache.
struct Attention {
    layer: usize,
    /// Whether keys and values come in; else another layer of the step has cached them.
    has_keys: bool,
    settings: AttentionSettings,
}

/// Inputs: query, then key and value unless `cache_of` names another layer, then those constants that `constants`
/// names, in its order.
pub fn make(reader: &NodeReader<'_>) -> Result<Box<dyn Node>> {
    let mut settings = AttentionSettings {
        scale: reader.float("scale")?,
        softcap: reader.optional_float("softcap"),
        window: reader.optional_size("window"),
        chunk: reader.optional_size("chunk"),
        causal: !reader.flag("bidirectional"),
        norm_after_rope: reader.flag("norm_after_rope"),
        temperature: temperature(reader)?,
        ..AttentionSettings::new(
            reader.size("heads")?,
            reader.size("kv_heads")?,
            reader.size("key_dim")?,
            reader.size("value_dim")?,
        )
    };
    let source = reader.optional_size("cache_of");
    let first = if source.is_some() { 1 } else { 3 };
    let constants = reader.text("constants")?;
    for (index, name) in constants.split_whitespace().enumerate() {
        let values = reader.constant(first + index)?;
        match name {
            "frequencies" => settings.rope = Some(rope(reader, values)?),
            "query_norm" => settings.query_norm = Some(head_norm(reader, values, settings.heads * settings.key_dim)?),
            "key_norm" => settings.key_norm = Some(head_norm(reader, values, settings.kv_heads * settings.key_dim)?),
            "value_norm" => {
                settings.value_norm = Some(head_norm(reader, values, settings.kv_heads * settings.value_dim)?);
            }
            "query_norm_bias" => add_bias(&mut settings.query_norm, values),
            "key_norm_bias" => add_bias(&mut settings.key_norm, values),
            "value_norm_bias" => add_bias(&mut settings.value_norm, values),
            "sinks" => settings.sinks = Some(values),
            "position_bias" => settings.position_bias = Some(PositionBias::new(settings.heads, &values)?),
            "alibi_slopes" => settings.alibi_slopes = Some(values),
            other => return Err(failed(format!("attention has no constant '{other}'"))),
        }
    }
    Ok(Box::new(Attention {
        layer: source.map_or_else(|| reader.size("layer"), Ok)?,
        has_keys: source.is_none(),
        settings,
    }))
}

pub fn temperature(reader: &NodeReader<'_>) -> Result<Option<Temperature>> {
    let Some(scale) = reader.optional_float("temperature_scale") else {
        return Ok(None);
    };
    Ok(Some(Temperature {
        scale,
        floor_length: reader.size("temperature_floor")?,
        offset: reader.size("temperature_offset")?,
    }))
}

/// `parts` is (2, rotated / 2): frequencies as the sums of two f32.
pub fn rope(reader: &NodeReader<'_>, parts: Vec<f32>) -> Result<Rope> {
    let (high, low) = parts.split_at(parts.len() / 2);
    Ok(Rope {
        pairs: match reader.text("pairs")?.as_str() {
            "neighbours" => Pairs::Neighbours,
            "halves" => Pairs::Halves,
            other => return Err(failed(format!("no rotation pairs are called '{other}'"))),
        },
        dimensions: reader.size("rotated")?,
        frequencies: high
            .iter()
            .zip(low)
            .map(|(&high, &low)| f64::from(high) + f64::from(low))
            .collect(),
        magnitude: reader.float("magnitude")?,
    })
}

/// RMS norms of a whole row have a weight for each of its numbers; other norms are of one head each.
fn head_norm(reader: &NodeReader<'_>, weight: Vec<f32>, row: usize) -> Result<HeadNorm> {
    let text = reader.text("norm_kind")?;
    Ok(HeadNorm {
        kind: kind(&text)?,
        whole_row: text == "rms" && weight.len() == row,
        weight,
        bias: Vec::new(),
        epsilon: reader.float("epsilon")?,
    })
}

fn add_bias(norm: &mut Option<HeadNorm>, values: Vec<f32>) {
    if let Some(norm) = norm {
        norm.bias = values;
    }
}

impl Node for Attention {
    fn run(&mut self, step: &mut Step, data: &NodeData<'_>) -> Result<()> {
        let AttentionSettings {
            heads,
            kv_heads,
            key_dim,
            value_dim,
            ..
        } = self.settings;
        let tokens = step.tokens;
        let query = data.input(0)?;
        let rows = self
            .has_keys
            .then(|| Ok((data.input(1)?, data.input(2)?)))
            .transpose()?;
        let key_value = rows
            .as_ref()
            .map(|(key, value)| {
                Ok(KeyValue {
                    key: key.floats(tokens * kv_heads * key_dim)?,
                    value: value.floats(tokens * kv_heads * value_dim)?,
                })
            })
            .transpose()?;
        let mut output = data.output(0, tokens, heads * value_dim)?;
        attend(
            &step.team,
            step.isa,
            &step.cancel,
            &mut step.cache,
            self.layer,
            &step.batch,
            &self.settings,
            query.floats(tokens * heads * key_dim)?,
            key_value,
            &mut step.buffers.attention,
            output.floats()?,
        )
    }
}

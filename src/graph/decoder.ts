import type { ModelConfig } from './config.ts';
import type { AttentionInput, Dialect, NormWeight } from './dialect.ts';
import type { WeightLookup } from './weight-lookup.ts';

/** Writes a decoder-only transformer: what is in the file decides which pieces a layer has. */
export function buildDecoder(config: ModelConfig, weights: WeightLookup, dialect: Dialect): void {
  const { embeddingLength } = config;
  let stream = dialect.embed(
    weights.matrix('token_embd.weight', embeddingLength, config.vocabularySize),
    config.embeddingScale,
  );
  for (const index of config.layers.keys()) {
    const attended = attentionBlock(config, weights, dialect, index, stream);
    const withAttention = dialect.add(dialect.scale(attended.output, config.residualScale), stream);
    // Without a norm of its own the feed-forward runs beside the attention, on the same normed input.
    const feedForwardNorm = weights.norm(`blk.${index}.ffn_norm`, embeddingLength);
    const beside = feedForwardNorm === undefined && !weights.has(`blk.${index}.post_attention_norm.weight`);
    const input =
      feedForwardNorm === undefined
        ? beside
          ? attended.input
          : withAttention
        : dialect.norm(withAttention, feedForwardNorm);
    const fed = feedForwardBlock(config, weights, dialect, index, input);
    stream = dialect.add(dialect.scale(fed, config.residualScale), withAttention);
  }
  dialect.head(
    stream,
    weights.requiredNorm('output_norm', embeddingLength),
    weights.linear(
      weights.has('output.weight') ? 'output' : 'token_embd',
      embeddingLength,
      config.vocabularySize,
    ),
    {
      scale: config.logitScale,
      ...(config.logitSoftcap === undefined ? {} : { softcap: config.logitSoftcap }),
    },
  );
}

function attentionBlock(
  config: ModelConfig,
  weights: WeightLookup,
  dialect: Dialect,
  index: number,
  stream: string,
): { readonly input: string; readonly output: string } {
  const layer = config.layers[index];
  if (layer === undefined) throw new RangeError(`no layer ${index}`);
  const { embeddingLength } = config;
  const name = (part: string): string => `blk.${index}.${part}`;
  const queryWidth = layer.heads * layer.headDim;
  const kvWidth = layer.kvHeads * layer.headDim;
  const before = weights.norm(name('attn_norm'), embeddingLength);
  const input = before === undefined ? stream : dialect.norm(stream, before);
  const [query = '', key = '', value = ''] = weights.has(name('attn_qkv.weight'))
    ? dialect.split(
        dialect.linear(input, [
          weights.linear(name('attn_qkv'), embeddingLength, queryWidth + 2 * kvWidth),
        ])[0] ?? '',
        [queryWidth, kvWidth, kvWidth],
      )
    : dialect.linear(input, [
        weights.linear(name('attn_q'), embeddingLength, queryWidth),
        weights.linear(name('attn_k'), embeddingLength, kvWidth),
        weights.linear(name('attn_v'), embeddingLength, kvWidth),
      ]);
  const queryNorm = weights.norm(name('attn_q_norm'), layer.headDim, queryWidth);
  const keyNorm = weights.norm(name('attn_k_norm'), layer.headDim, kvWidth);
  const attention: AttentionInput = {
    layer: index,
    config: layer,
    query,
    key,
    value,
    scale: config.attentionScale,
    ...(queryNorm === undefined ? {} : { queryNorm }),
    ...(keyNorm === undefined ? {} : { keyNorm }),
    ...(config.attentionSoftcap === undefined ? {} : { softcap: config.attentionSoftcap }),
    ...(config.temperature === undefined ? {} : { temperature: config.temperature }),
  };
  const [projected = ''] = dialect.linear(dialect.attend(attention), [
    weights.linear(name('attn_output'), queryWidth, embeddingLength),
  ]);
  return {
    input,
    output: afterNorm(dialect, projected, weights.norm(name('post_attention_norm'), embeddingLength)),
  };
}

function feedForwardBlock(
  config: ModelConfig,
  weights: WeightLookup,
  dialect: Dialect,
  index: number,
  input: string,
): string {
  const { embeddingLength } = config;
  const activation = config.layers[index]?.activation ?? 'silu';
  const name = (part: string): string => `blk.${index}.${part}`;
  const width = weights.columnsOf(name('ffn_down.weight'));
  const up = weights.rowsOf(name('ffn_up.weight'));
  const hidden = weights.has(name('ffn_gate.weight'))
    ? dialect.gated(
        input,
        [
          weights.linear(name('ffn_gate'), embeddingLength, width),
          weights.linear(name('ffn_up'), embeddingLength, width),
        ],
        activation,
      )
    : up === 2 * width
      ? dialect.gated(input, [weights.linear(name('ffn_up'), embeddingLength, 2 * width)], activation)
      : dialect.activate(
          dialect.linear(input, [weights.linear(name('ffn_up'), embeddingLength, width)])[0] ?? '',
          activation,
        );
  const [output = ''] = dialect.linear(hidden, [weights.linear(name('ffn_down'), width, embeddingLength)]);
  return afterNorm(dialect, output, weights.norm(name('post_ffw_norm'), embeddingLength));
}

function afterNorm(dialect: Dialect, value: string, norm: NormWeight | undefined): string {
  return norm === undefined ? value : dialect.norm(value, norm);
}

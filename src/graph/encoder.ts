import type { Value } from '../onnx/graph-builder.ts';
import type { ModelConfig } from './config.ts';
import type { Dialect, NormWeight } from './dialect.ts';
import { denseNames } from './encoder-config.ts';
import type { EncoderConfig, RankConfig } from './encoder-config.ts';
import { unweightedNorm } from './layer-scope.ts';
import { layerStack } from './layer-stack.ts';
import { project } from './projection.ts';
import type { WeightLookup } from './weight-lookup.ts';

/** Writes a transformer that makes vectors of texts and, where it has a head for that, scores. */
export function buildEncoder(
  config: ModelConfig,
  encoder: EncoderConfig,
  weights: WeightLookup,
  dialect: Dialect,
): void {
  const stream = layerStack(config, weights, dialect);
  const pooled = dialect.pool(stream, finalNorm(config, weights));
  dialect.output('vectors', dense(config, weights, dialect, pooled), encoder.width);
  if (encoder.rank !== undefined) {
    const scores = rank(config, encoder.rank, weights, dialect, pooled);
    dialect.output('scores', scores, encoder.rank.labels);
  }
  weights.requireAllTaken(config);
}

/** Models whose layers end with a norm have none after them. */
function finalNorm(config: ModelConfig, weights: WeightLookup): NormWeight | undefined {
  if (config.unweightedNorms) return unweightedNorm(config.embeddingLength);
  return ['output_norm', 'enc.output_norm']
    .map((name) => weights.norm(name, config.embeddingLength))
    .find((norm) => norm !== undefined);
}

function dense(
  { embeddingLength }: ModelConfig,
  weights: WeightLookup,
  dialect: Dialect,
  pooled: Value,
): Value {
  let vectors = pooled;
  let width = embeddingLength;
  for (const name of denseNames) {
    if (!weights.has(`${name}.weight`)) continue;
    const rows = weights.rowsOf(`${name}.weight`);
    [vectors = ''] = project(dialect, vectors, [weights.linear(name, width, rows)]);
    width = rows;
  }
  return vectors;
}

/** One matrix; or two, with a function and perhaps a norm between them. */
function rank(
  config: ModelConfig,
  head: RankConfig,
  weights: WeightLookup,
  dialect: Dialect,
  pooled: Value,
): Value {
  const { embeddingLength } = config;
  if (head.tokens !== undefined) return logitsOf(head.tokens, config, weights, dialect, pooled);
  if (!weights.has('cls.output.weight')) {
    return project(dialect, pooled, [weights.linear('cls', embeddingLength, head.labels)])[0] ?? '';
  }
  let row = pooled;
  if (weights.has('cls.weight')) {
    const [inner = ''] = project(dialect, pooled, [weights.linear('cls', embeddingLength, embeddingLength)]);
    row = dialect.activate(inner, head.activation);
    const norm = weights.norm('cls.norm', embeddingLength);
    if (norm !== undefined) row = dialect.norm(row, norm);
  }
  return project(dialect, row, [weights.linear('cls.output', embeddingLength, head.labels)])[0] ?? '';
}

/** What the head of a decoder says about some tokens. */
function logitsOf(
  tokens: readonly number[],
  { embeddingLength, vocabularySize, logitScale, logitSoftcap }: ModelConfig,
  weights: WeightLookup,
  dialect: Dialect,
  pooled: Value,
): Value {
  const name = weights.has('output.weight') ? 'output' : 'token_embd';
  const { bias, outputScale = 1 } = weights.linear(name, embeddingLength, vocabularySize);
  const products = tokens.map((token) => {
    const weight = weights.row(`${name}.weight`, embeddingLength, vocabularySize, token);
    const own = {
      biasName: `${name}.bias[${token}]`,
      bias: Float32Array.of((bias?.[token] ?? 0) / outputScale),
    };
    return { weight, ...(bias === undefined ? {} : own) };
  });
  const logits = dialect.scale(dialect.join(dialect.linear(pooled, products)), logitScale * outputScale);
  if (logitSoftcap === undefined) return logits;
  return dialect.scale(dialect.activate(dialect.scale(logits, 1 / logitSoftcap), 'tanh'), logitSoftcap);
}

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
  dialect.output('vectors', dense(weights, dialect, pooled), encoder.width);
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

function dense(weights: WeightLookup, dialect: Dialect, pooled: Value): Value {
  let vectors = pooled;
  for (const name of denseNames) {
    if (!weights.has(`${name}.weight`)) continue;
    const [columns, rows] = [weights.columnsOf(`${name}.weight`), weights.rowsOf(`${name}.weight`)];
    [vectors = ''] = project(dialect, vectors, [weights.linear(name, columns, rows)]);
  }
  return vectors;
}

/** One matrix; or two, with a function and perhaps a norm between them. */
function rank(
  { embeddingLength, vocabularySize }: ModelConfig,
  head: RankConfig,
  weights: WeightLookup,
  dialect: Dialect,
  pooled: Value,
): Value {
  if (head.tokens !== undefined) {
    const name = weights.has('output.weight') ? 'output.weight' : 'token_embd.weight';
    const rows = head.tokens.map((token) => ({
      weight: weights.row(name, embeddingLength, vocabularySize, token),
    }));
    return dialect.join(dialect.linear(pooled, rows));
  }
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

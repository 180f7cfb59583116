import type { Value } from '../onnx/graph-builder.ts';
import type { ModelConfig } from './config.ts';
import type { Dialect } from './dialect.ts';
import { layerInputBlock } from './layer-inputs.ts';
import type { LayerScope } from './layer-scope.ts';
import type { WeightLookup } from './weight-lookup.ts';

/*
 * Several streams of which a layer computes only the first and predicts the others (AltUp, Gemma 3n; Baykal et
 * al. 2023). Names and order as in llama.cpp's graph.
 */

/** The streams before the first layer: one, or as many as the file has projections for, and one. */
export function openStreams(
  config: ModelConfig,
  weights: WeightLookup,
  dialect: Dialect,
  stream: Value,
): readonly Value[] {
  return [stream, ...projected(config, weights, dialect, 'altup_proj.weight', () => stream, stream)];
}

/** The mean of the streams, each through its own way back. */
export function closeStreams(
  config: ModelConfig,
  weights: WeightLookup,
  dialect: Dialect,
  streams: readonly Value[],
): Value {
  const [first = '', ...others] = streams;
  if (others.length === 0) return first;
  const back = projected(
    config,
    weights,
    dialect,
    'altup_unembd_proj.weight',
    (index) => others[index] ?? '',
    first,
  );
  const sum = back.reduce((total, value) => dialect.add(total, value), first);
  return dialect.scale(sum, 1 / streams.length);
}

/** Products with the matrices of one tensor, each row as long as that of `like`. */
function projected(
  { embeddingLength }: ModelConfig,
  weights: WeightLookup,
  dialect: Dialect,
  name: string,
  inputOf: (index: number) => Value,
  like: Value,
): readonly Value[] {
  const count = weights.countOf(name);
  return Array.from({ length: count }, (_, index) => {
    const weight = weights.slice(name, embeddingLength, embeddingLength, count, index);
    const [product = ''] = dialect.linear(inputOf(index), [{ weight }]);
    return dialect.matchLength(product, like);
  });
}

/** One layer: all streams are predicted, the first is computed, and its surprise corrects all of them. */
export function alternatingLayer(
  scope: LayerScope,
  streams: readonly Value[],
  compute: (active: Value) => Value,
  input: Value | undefined,
): readonly Value[] {
  const { config, dialect, weights } = scope;
  const { embeddingLength } = config;
  const count = streams.length;
  const [active = ''] = streams;
  const mixing = columns(scope, modalities(scope, active), 'altup_predict_coef', count, count * count);
  const predictions = streams.map((stream, to) =>
    streams.reduce(
      (sum, from, index) => dialect.add(dialect.multiply(from, mixing[to * count + index] ?? '', 1), sum),
      stream,
    ),
  );
  const [predicted = ''] = predictions;
  const computed = compute(predicted);
  const surprise = dialect.add(computed, dialect.scale(predicted, -1));
  const gains = columns(scope, modalities(scope, computed), 'altup_correct_coef', count, count);
  const corrected = predictions.map((prediction, index) => {
    const moved = dialect.add(dialect.multiply(surprise, gains[index] ?? '', 1), surprise);
    return dialect.add(moved, prediction);
  });
  const [first = '', ...others] = corrected;
  const scale = weights.vector(scope.name('altup_correct_scale.weight'), embeddingLength);
  const scaled = scale === undefined ? first : dialect.multiply(first, dialect.constant(scale));
  const added = input === undefined ? undefined : layerInputBlock(scope, scaled, input);
  return [first, ...(added === undefined ? others : others.map((other) => dialect.add(added, other)))];
}

/** What mixes the streams, from -1 to 1: (nTokens, streams). */
function modalities(scope: LayerScope, stream: Value): Value {
  const { config, dialect, weights } = scope;
  const { embeddingLength } = config;
  const normed = dialect.norm(stream, weights.requiredNorm(scope.name('altup_router_norm'), embeddingLength));
  const count = weights.rowsOf(scope.name('altup_router.weight'));
  const routed = scope.project(normed, 'altup_router', embeddingLength, count);
  return dialect.activate(dialect.scale(routed, 1 / embeddingLength), 'tanh');
}

/** The columns of a small product, (nTokens, 1) each. */
function columns(scope: LayerScope, input: Value, part: string, width: number, count: number): Value[] {
  return scope.dialect.split(
    scope.project(input, part, width, count),
    Array.from({ length: count }, () => 1),
  );
}

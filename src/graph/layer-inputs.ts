import type { Value } from '../onnx/graph-builder.ts';
import type { ModelConfig } from './config.ts';
import type { Dialect } from './dialect.ts';
import type { LayerScope } from './layer-scope.ts';
import type { WeightLookup } from './weight-lookup.ts';

/**
 * A small input of its own for every layer (Gemma 3n and 4): a part of a second embedding, plus a projection of
 * the first one; undefined where the file has none. The projection has a matrix of rows for each layer.
 */
export function layerInputs(
  config: ModelConfig,
  weights: WeightLookup,
  dialect: Dialect,
  stream: Value,
): readonly Value[] | undefined {
  if (!weights.has('per_layer_token_embd.weight')) return undefined;
  const { embeddingLength, vocabularySize } = config;
  const count = config.layers.length;
  const width = weights.columnsOf('per_layer_proj_norm.weight');
  const total = count * width;
  const table = weights.matrix('per_layer_token_embd.weight', total, vocabularySize);
  const norm = weights.requiredNorm('per_layer_proj_norm', width);
  const embedded = dialect.split(
    dialect.embed(table, Math.sqrt(width)),
    config.layers.map(() => width),
  );
  return embedded.map((own, index) => {
    const weight = weights.slice('per_layer_model_proj.weight', embeddingLength, width, count, index);
    const [product = ''] = dialect.linear(stream, [{ weight }]);
    const projected = dialect.norm(dialect.scale(product, embeddingLength ** -0.5), norm);
    return dialect.scale(dialect.add(projected, own), Math.SQRT1_2);
  });
}

/** What a layer's own input adds to the stream. */
export function layerInputBlock(scope: LayerScope, stream: Value, own: Value): Value {
  const { config, dialect, layer, weights } = scope;
  const { embeddingLength } = config;
  const width = weights.rowsOf(scope.name('inp_gate.weight'));
  const gate = dialect.activate(scope.project(stream, 'inp_gate', embeddingLength, width), layer.activation);
  const output = scope.project(dialect.multiply(gate, own), 'proj', width, embeddingLength);
  return scope.apply(output, scope.norm(embeddingLength, 'post_norm'));
}

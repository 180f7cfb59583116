import { RivuletError } from '../errors.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { LatentExpansion } from './dialect.ts';
import type { LatentConfig } from './layer-config.ts';
import type { LayerScope } from './layer-scope.ts';

/** Multi-head latent attention, from the normed stream to the heads' outputs. */
export function latentAttention(scope: LayerScope, input: Value): Value {
  const { config, dialect, layer } = scope;
  const latent = layer.latent;
  if (latent === undefined) throw new RangeError(`layer ${scope.index} has no latent attention`);
  if (config.bidirectional) {
    throw new RivuletError(
      'UNSUPPORTED',
      `Expected latent attention to look back only, found a file of "${config.architecture}" that says otherwise. Look for a newer rivulet.`,
    );
  }
  const { length, rotatedLength } = latent;
  const compressed = scope.project(input, 'attn_kv_a_mqa', config.embeddingLength, length + rotatedLength);
  const [shared = '', rotatedKey = ''] = dialect.split(compressed, [length, rotatedLength]);
  return dialect.latentAttend({
    layer: scope.index,
    config: layer,
    latentConfig: latent,
    query: queries(scope, input),
    latent: dialect.norm(shared, scope.weights.requiredNorm(scope.name('attn_kv_a_norm'), length)),
    rotatedKey,
    expansion: expansion(scope, latent),
    scale: layer.scoreScale,
    ...(layer.temperature === undefined ? {} : { temperature: layer.temperature }),
  });
}

/** Straight from the stream, or through a narrow layer of their own. */
function queries(scope: LayerScope, input: Value): Value {
  const { config, layer, weights } = scope;
  const width = layer.heads * layer.headDim;
  if (!scope.has('attn_q_a')) return scope.project(input, 'attn_q', config.embeddingLength, width);
  const narrow = weights.rowsOf(scope.name('attn_q_a.weight'));
  const compressed = scope.project(input, 'attn_q_a', config.embeddingLength, narrow);
  const normed = scope.dialect.norm(compressed, weights.requiredNorm(scope.name('attn_q_a_norm'), narrow));
  return scope.project(normed, 'attn_q_b', narrow, width);
}

function expansion(scope: LayerScope, { length, rotatedLength, absorbed }: LatentConfig): LatentExpansion {
  const { layer, weights } = scope;
  const { heads, valueDim } = layer;
  const unrotated = layer.headDim - rotatedLength;
  if (absorbed) {
    return {
      kind: 'absorbed',
      key: weights.matrices(scope.name('attn_k_b.weight'), unrotated, length, heads),
      value: weights.matrices(scope.name('attn_v_b.weight'), length, valueDim, heads),
    };
  }
  const rows = heads * (unrotated + valueDim);
  return { kind: 'joint', weight: weights.matrix(scope.name('attn_kv_b.weight'), length, rows) };
}

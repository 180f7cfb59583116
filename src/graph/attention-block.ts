import type { Value } from '../onnx/graph-builder.ts';
import type { NormWeight } from './dialect.ts';
import { latentAttention } from './latent-attention-block.ts';
import { unweightedNorm } from './layer-scope.ts';
import type { LayerScope } from './layer-scope.ts';
import { readPositionBias } from './position-bias.ts';
import { project } from './projection.ts';

/** From the normed stream to what is added to it, before the norm after the attention. */
export function attentionBlock(scope: LayerScope, input: Value): Value {
  const { config, dialect, layer } = scope;
  const { embeddingLength } = config;
  const { heads, kvHeads, valueDim } = layer;
  if (kvHeads === 0) return scope.project(input, 'attn_output', embeddingLength, embeddingLength);
  const attended = layer.latent === undefined ? attention(scope, input) : latentAttention(scope, input);
  const width = heads * valueDim;
  const normed = scope.apply(gated(scope, attended, input), scope.norm(width, 'attn_sub_norm'));
  const output = scope.project(normed, 'attn_output', width, embeddingLength);
  return dialect.scale(output, config.attentionOutputScale);
}

function attention(scope: LayerScope, input: Value): Value {
  const { config, dialect, layer, weights } = scope;
  const { heads, kvHeads, headDim, cacheOf } = layer;
  const [query = '', key = '', value = ''] =
    cacheOf === undefined ? queryKeyValue(scope, input) : queryOnly(scope, input);
  const norms = [
    headNorm(scope, 'attn_q_norm', query, heads),
    cacheOf === undefined ? headNorm(scope, 'attn_k_norm', key, kvHeads) : { value: '' },
  ] as const;
  const sinks = weights.vector(scope.name('attn_sinks.weight'), heads);
  const positionBias = readPositionBias(scope);
  const [queryNorm, keyNorm] = norms.map(({ norm }) => norm);
  return dialect.attend({
    layer: scope.index,
    config: layer,
    query: norms[0].value,
    key: norms[1].value,
    value,
    scale: layer.scoreScale,
    ...(cacheOf === undefined ? {} : { cacheOf }),
    ...(queryNorm === undefined ? {} : { queryNorm }),
    ...(keyNorm === undefined ? {} : { keyNorm }),
    ...(layer.unweightedHeadNorms
      ? { queryNorm: unweightedNorm(headDim), keyNorm: unweightedNorm(headDim) }
      : {}),
    ...(layer.normsValues && cacheOf === undefined ? { valueNorm: unweightedNorm(layer.valueDim) } : {}),
    ...(config.normsAfterRotation ? { normsAfterRotation: true } : {}),
    ...(config.scoreSoftcap === undefined ? {} : { softcap: config.scoreSoftcap }),
    ...(sinks === undefined ? {} : { sinks }),
    ...(layer.alibiSlopes === undefined ? {} : { alibiSlopes: layer.alibiSlopes }),
    ...(layer.temperature === undefined ? {} : { temperature: layer.temperature }),
    ...(config.bidirectional ? { bidirectional: true } : {}),
    ...(positionBias === undefined ? {} : { positionBias }),
  });
}

/** The three projections, fused (rows of all queries, then keys, then values) or apart. */
function queryKeyValue(scope: LayerScope, input: Value): Value[] {
  const { config, dialect, layer } = scope;
  const { embeddingLength, projectionLimit } = config;
  const widths = [
    layer.heads * layer.headDim,
    layer.kvHeads * layer.headDim,
    layer.kvHeads * layer.valueDim,
  ] as const;
  const clamp = (value: Value): Value =>
    projectionLimit === undefined ? value : dialect.clamp(value, projectionLimit);
  if (scope.has('attn_qkv')) {
    const width = widths.reduce((sum, part) => sum + part, 0);
    return dialect.split(clamp(scope.project(input, 'attn_qkv', embeddingLength, width)), widths);
  }
  const [query, key] = [
    scope.linear('attn_q', embeddingLength, widths[0]),
    scope.linear('attn_k', embeddingLength, widths[1]),
  ] as const;
  if (!scope.has('attn_v') && layer.normsValues) {
    // What becomes keys becomes values too, each through its own norm.
    const [queries = '', keys = ''] = project(dialect, input, [query, key]).map(clamp);
    return [queries, keys, keys];
  }
  return project(dialect, input, [query, key, scope.linear('attn_v', embeddingLength, widths[2])]).map(clamp);
}

/** Of layers that share a cache; matrices for keys and values of their own have no use then. */
function queryOnly(scope: LayerScope, input: Value): Value[] {
  const { config, layer, weights } = scope;
  for (const part of ['attn_k', 'attn_v', 'attn_k_norm']) weights.leave(scope.name(`${part}.weight`));
  return [scope.project(input, 'attn_q', config.embeddingLength, layer.heads * layer.headDim)];
}

/** Norms over whole rows happen here, those over single heads in the attention. */
function headNorm(
  scope: LayerScope,
  part: string,
  input: Value,
  heads: number,
): { readonly value: Value; readonly norm?: NormWeight } {
  const { headDim } = scope.layer;
  const norm = scope.weights.norm(scope.name(part), headDim, heads * headDim);
  if (norm === undefined) return { value: input };
  const wholeRow = norm.weight.length > headDim && scope.weights.rowsOf(scope.name(`${part}.weight`)) === 1;
  return wholeRow ? { value: scope.dialect.norm(input, norm) } : { value: input, norm };
}

/** Times a gate made from the block's input, for every element or every head. */
function gated(scope: LayerScope, attended: Value, input: Value): Value {
  const { config, dialect, layer } = scope;
  if (!scope.has('attn_gate')) return attended;
  const perHead = scope.weights.rowsOf(scope.name('attn_gate.weight')) === layer.heads;
  const width = perHead ? layer.heads : layer.heads * layer.valueDim;
  const gate = scope.project(input, 'attn_gate', config.embeddingLength, width);
  const factors = dialect.activate(gate, config.attentionGate);
  return perHead ? dialect.multiply(attended, factors, layer.heads) : dialect.multiply(attended, factors);
}

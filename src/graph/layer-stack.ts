import type { Value } from '../onnx/graph-builder.ts';
import { alternatingLayer, closeStreams, openStreams } from './alternating-streams.ts';
import { attentionBlock } from './attention-block.ts';
import { embeddingName } from './config.ts';
import type { ModelConfig } from './config.ts';
import type { Dialect, NormWeight } from './dialect.ts';
import { feedForwardBlock } from './feed-forward-block.ts';
import { layerInputBlock, layerInputs } from './layer-inputs.ts';
import { LayerScope, unweightedNorm } from './layer-scope.ts';
import type { WeightLookup } from './weight-lookup.ts';

/** Writes a transformer from its embedding to the last layer: what is in the file decides which pieces a layer has. */
export function layerStack(config: ModelConfig, weights: WeightLookup, dialect: Dialect): Value {
  const stream = embedding(config, weights, dialect);
  const inputs = layerInputs(config, weights, dialect, stream);
  let streams = openStreams(config, weights, dialect, stream);
  for (const [index, layer] of config.layers.entries()) {
    const scope = new LayerScope(config, weights, dialect, index, layer);
    const [active = ''] = streams;
    streams =
      streams.length > 1
        ? alternatingLayer(scope, streams, (predicted) => transformerLayer(scope, predicted), inputs?.[index])
        : [finishLayer(scope, transformerLayer(scope, active), inputs?.[index])];
  }
  return closeStreams(config, weights, dialect, streams);
}

function embedding(config: ModelConfig, weights: WeightLookup, dialect: Dialect): Value {
  const { embeddingLength, trainedContextLength } = config;
  const table = weights.matrix(embeddingName(weights), embeddingLength, config.vocabularySize);
  let stream = dialect.embed(table, config.embeddingScale);
  if (weights.has('position_embd.weight')) {
    const positions = weights.matrix('position_embd.weight', embeddingLength, trainedContextLength);
    stream = dialect.add(stream, dialect.embedPositions(positions));
  }
  // Every text is of the first type: "sentence A" of pairs.
  const type = weights.firstRow('token_types.weight', embeddingLength);
  if (type !== undefined) stream = dialect.add(stream, dialect.constant(type));
  const norm = weights.norm('token_embd_norm', embeddingLength);
  return norm === undefined ? stream : dialect.norm(stream, norm);
}

function transformerLayer(scope: LayerScope, stream: Value): Value {
  return scope.config.normsAfterResidual ? lateNormLayer(scope, stream) : earlyNormLayer(scope, stream);
}

/** As in the first transformer: a norm after each addition to the stream. */
function lateNormLayer(scope: LayerScope, stream: Value): Value {
  const { config, dialect } = scope;
  const norm = (part: string): NormWeight => scope.requiredNorm(config.embeddingLength, part);
  let attended = dialect.norm(dialect.add(attentionBlock(scope, stream), stream), norm('attn_output_norm'));
  const second = scope.norm(config.embeddingLength, 'attn_norm_2');
  if (second !== undefined) attended = dialect.norm(dialect.add(attended, stream), second);
  const fed = dialect.add(feedForwardBlock(scope, attended, stream), attended);
  return dialect.norm(fed, norm('layer_output_norm'));
}

/** Norms before the blocks and perhaps after them, but not on the stream itself. */
function earlyNormLayer(scope: LayerScope, stream: Value): Value {
  const { config, dialect, layer } = scope;
  const { embeddingLength } = config;
  const blank = config.unweightedNorms ? unweightedNorm(embeddingLength) : undefined;
  const attentionNorm = scope.norm(embeddingLength, 'attn_norm') ?? blank;
  const afterAttention = scope.norm(embeddingLength, 'post_attention_norm', 'attn_output_norm');
  const afterFeedForward = scope.norm(embeddingLength, 'post_ffw_norm', 'layer_output_norm');
  const ownNorm = scope.norm(embeddingLength, 'ffn_norm') ?? blank;
  // Without other norms around the feed-forward, the one "after the attention" is the feed-forward's own.
  const lends = ownNorm === undefined && afterFeedForward === undefined;
  const feedForwardNorm = ownNorm ?? (lends ? afterAttention : undefined);

  const normed = scope.apply(stream, attentionNorm);
  let attended = stream;
  if (layer.heads > 0) {
    const second = scope.norm(embeddingLength, 'attn_norm_2');
    const output = attentionBlock(scope, second === undefined ? normed : dialect.norm(stream, second));
    const finished = scope.apply(output, lends ? undefined : afterAttention);
    attended = dialect.add(dialect.scale(finished, config.residualScale), stream);
  }
  attended = withDetour(scope, attended, normed);
  if (!layer.feedsForward) return attended;
  // A feed-forward without any norm of its own runs beside the attention, on the same normed input.
  const beside = layer.heads > 0 && lends && feedForwardNorm === undefined;
  const input = beside ? normed : scope.apply(config.parallelResidual ? stream : attended, feedForwardNorm);
  const fed = scope.apply(feedForwardBlock(scope, input, stream), afterFeedForward);
  return dialect.add(dialect.scale(fed, config.residualScale), attended);
}

/** A narrow way beside the attention (LAuReL), where the file has one. */
function withDetour(scope: LayerScope, attended: Value, normed: Value): Value {
  const { config, dialect, weights } = scope;
  if (!scope.has('laurel_l')) return attended;
  const { embeddingLength } = config;
  const width = weights.rowsOf(scope.name('laurel_l.weight'));
  const narrow = scope.project(normed, 'laurel_l', embeddingLength, width);
  const wide = scope.project(narrow, 'laurel_r', width, embeddingLength);
  const detour = dialect.add(scope.apply(wide, scope.norm(embeddingLength, 'laurel_post_norm')), normed);
  return dialect.scale(dialect.add(attended, detour), Math.SQRT1_2);
}

/** The layer's own input and scale, where it has them. */
function finishLayer(scope: LayerScope, stream: Value, input: Value | undefined): Value {
  const { dialect, weights } = scope;
  const completed = input === undefined ? stream : dialect.add(layerInputBlock(scope, stream, input), stream);
  const scale = weights.vector(scope.name('layer_output_scale.weight'), 1)?.values[0];
  return dialect.scale(completed, scale ?? 1);
}

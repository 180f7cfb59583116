import type { Value } from '../onnx/graph-builder.ts';
import type { ExpertWeight } from './dialect.ts';
import type { LayerScope } from './layer-scope.ts';
import type { MixtureConfig } from './mixture-config.ts';
import { project, projectGated } from './projection.ts';
import type { ScaledWeight } from './weight-lookup.ts';

/** From the normed stream to what is added to it; `layerInput` is the stream at the layer's start. */
export function feedForwardBlock(scope: LayerScope, input: Value, layerInput: Value): Value {
  const { config, dialect, layer } = scope;
  const { mixture } = layer;
  if (mixture === undefined) return denseBlock(scope, input, '');
  const expertNorm = scope.norm(config.embeddingLength, 'ffn_norm_exps');
  const expertInput = expertNorm === undefined ? input : dialect.norm(layerInput, expertNorm);
  const routed = expertBlock(scope, mixture, expertInput, config.routesLayerInput ? layerInput : expertInput);
  if (scope.has('ffn_up_shexp')) {
    const sum = dialect.add(routed, sharedExpert(scope, input));
    return dialect.scale(sum, config.sharedExpertScale);
  }
  if (!scope.has('ffn_up')) return routed;
  const sum = dialect.add(routed, denseBlock(scope, input, ''));
  // Experts that read the same stream as the dense block share one variance with it.
  return expertNorm === undefined ? dialect.scale(sum, Math.SQRT1_2) : sum;
}

/** A feed-forward without experts; `suffix` names that of the shared expert. */
function denseBlock(scope: LayerScope, input: Value, suffix: '' | '_shexp'): Value {
  const { config, dialect, layer, weights } = scope;
  const { embeddingLength } = config;
  const [gate, up, down] = [`ffn_gate${suffix}`, `ffn_up${suffix}`, `ffn_down${suffix}`] as const;
  const width = weights.columnsOf(scope.name(`${down}.weight`));
  const wide = weights.rowsOf(scope.name(`${up}.weight`));
  let hidden: Value;
  if (scope.has(gate) || wide === 2 * width) {
    const parts = scope.has(gate)
      ? [scope.linear(gate, embeddingLength, width), scope.linear(up, embeddingLength, width)]
      : [scope.linear(up, embeddingLength, 2 * width)];
    hidden =
      layer.gateDeviations === undefined
        ? projectGated(dialect, input, parts, layer.activation, layer.limits)
        : peakGated(scope, input, parts, layer.gateDeviations);
  } else {
    const [product = ''] = project(dialect, input, [scope.linear(up, embeddingLength, width)]);
    hidden = dialect.activate(product, layer.activation);
  }
  const normed = scope.apply(hidden, scope.norm(width, 'ffn_sub_norm'));
  return scope.project(normed, down, width, embeddingLength);
}

/** As other gates, but only what stands out of the gate goes on. */
function peakGated(
  { dialect, layer }: LayerScope,
  input: Value,
  weights: readonly ScaledWeight[],
  deviations: number,
): Value {
  const [gate = '', up = ''] = project(dialect, input, weights);
  const peaks = dialect.activate(dialect.keepPeaks(gate, deviations), layer.activation);
  return dialect.multiply(peaks, up);
}

/** The expert that every token takes, perhaps with a gate of its own. */
function sharedExpert(scope: LayerScope, input: Value): Value {
  const { config, dialect } = scope;
  const output = denseBlock(scope, input, '_shexp');
  if (!scope.has('ffn_gate_inp_shexp')) return output;
  const gate = scope.project(input, 'ffn_gate_inp_shexp', config.embeddingLength, 1);
  return dialect.multiply(output, dialect.activate(gate, 'sigmoid'), 1);
}

function expertBlock(scope: LayerScope, mixture: MixtureConfig, input: Value, routerInput: Value): Value {
  const { config, dialect, weights } = scope;
  const { embeddingLength } = config;
  const { experts } = mixture;
  const width = weights.columnsOf(scope.name('ffn_down_exps.weight'));
  const part = (name: string, rows: number): ExpertWeight =>
    weights.experts(scope.name(name), embeddingLength, rows, experts);
  const hidden = scope.has('ffn_gate_up_exps')
    ? [part('ffn_gate_up_exps', 2 * width)]
    : scope.has('ffn_gate_exps')
      ? [part('ffn_gate_exps', width), part('ffn_up_exps', width)]
      : [part('ffn_up_exps', width)];
  const selectionBias = weights.vector(scope.name('exp_probs_b.bias'), experts);
  return dialect.mixture({
    layer: scope.index,
    config: mixture,
    input,
    logits: scope.project(routerInput, 'ffn_gate_inp', embeddingLength, experts),
    ...(selectionBias === undefined ? {} : { selectionBias }),
    hidden,
    holdsGate: scope.has('ffn_gate_up_exps'),
    down: weights.experts(scope.name('ffn_down_exps'), width, embeddingLength, experts),
  });
}

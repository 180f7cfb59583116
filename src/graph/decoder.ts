import type { Value } from '../onnx/graph-builder.ts';
import type { ModelConfig } from './config.ts';
import type { Dialect } from './dialect.ts';
import { unweightedNorm } from './layer-scope.ts';
import { layerStack } from './layer-stack.ts';
import { plain } from './projection.ts';
import type { WeightLookup } from './weight-lookup.ts';

/** Writes a decoder-only transformer. */
export function buildDecoder(config: ModelConfig, weights: WeightLookup, dialect: Dialect): void {
  head(config, weights, dialect, layerStack(config, weights, dialect));
  weights.requireAllTaken(config);
}

function head(config: ModelConfig, weights: WeightLookup, dialect: Dialect, stream: Value): void {
  const { embeddingLength, vocabularySize } = config;
  const output = weights.linear(
    weights.has('output.weight') ? 'output' : 'token_embd',
    embeddingLength,
    vocabularySize,
  );
  dialect.head(
    stream,
    config.unweightedNorms
      ? unweightedNorm(embeddingLength)
      : weights.requiredNorm('output_norm', embeddingLength),
    plain(output),
    {
      scale: config.logitScale * (output.outputScale ?? 1),
      ...(config.logitSoftcap === undefined ? {} : { softcap: config.logitSoftcap }),
    },
  );
}

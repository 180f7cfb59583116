import type { GgufFile } from '../gguf/read-gguf.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { readModelConfig, requireArchitecture } from './config.ts';
import type { ModelConfig } from './config.ts';
import { buildDecoder } from './decoder.ts';
import { NativeDialect } from './dialect-native.ts';
import { buildEncoder } from './encoder.ts';
import { readEncoderConfig } from './encoder-config.ts';
import type { EncoderConfig } from './encoder-config.ts';
import { sharedCacheLayers } from './native-io.ts';
import type { NativeCacheLayer } from './native-io.ts';
import { readVectors } from './read-vectors.ts';
import { WeightLookup } from './weight-lookup.ts';

export interface NativeGraph {
  readonly config: ModelConfig;
  /** ONNX model of our own operators; its matrices lie in the GGUF. */
  readonly bytes: Uint8Array;
}

/** From an open file to a graph for the native engine. */
export async function buildNativeGraph(
  gguf: GgufFile,
  options: { readonly contextLength: number; readonly signal?: AbortSignal | undefined },
): Promise<NativeGraph> {
  requireArchitecture(gguf.metadata);
  const vectors = await readVectors(gguf, options.signal);
  const config = readModelConfig(gguf.metadata, gguf.tensors, vectors, options.contextLength);
  const graph = new GraphBuilder();
  const indices = config.layers.map((_, index) => index);
  buildDecoder(config, new WeightLookup(gguf.tensors, vectors), new NativeDialect(graph, config, indices));
  return { config, bytes: graph.build() };
}

export interface NativeEncoderGraph extends NativeGraph {
  readonly encoder: EncoderConfig;
  readonly layers: readonly NativeCacheLayer[];
}

/** From an open file to a graph that makes vectors of texts. */
export async function buildNativeEncoderGraph(
  gguf: GgufFile,
  options: { readonly rankTokens?: readonly number[] | undefined; readonly signal?: AbortSignal | undefined },
): Promise<NativeEncoderGraph> {
  requireArchitecture(gguf.metadata);
  const encoder = readEncoderConfig(gguf.metadata, gguf.tensors, options.rankTokens);
  const vectors = await readVectors(gguf, options.signal);
  const config = readModelConfig(gguf.metadata, gguf.tensors, vectors);
  const graph = new GraphBuilder();
  const { layers, indices } = sharedCacheLayers(config);
  const dialect = new NativeDialect(graph, config, indices);
  buildEncoder(config, encoder, new WeightLookup(gguf.tensors, vectors), dialect);
  return { config, encoder, layers, bytes: graph.build() };
}

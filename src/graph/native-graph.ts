import type { GgufFile } from '../gguf/read-gguf.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { readModelConfig, requireArchitecture } from './config.ts';
import type { ModelConfig } from './config.ts';
import { buildDecoder } from './decoder.ts';
import { NativeDialect } from './dialect-native.ts';
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
  buildDecoder(config, new WeightLookup(gguf.tensors, vectors), new NativeDialect(graph, config));
  return { config, bytes: graph.build() };
}

import type { GgufFile } from '../gguf/read-gguf.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ModelConfig } from './config.ts';
import { readModelConfig, requireArchitecture } from './config.ts';
import { buildDecoder } from './decoder.ts';
import { PortableDialect } from './dialect-portable.ts';
import { readVectors } from './read-vectors.ts';
import { WeightLookup } from './weight-lookup.ts';
import { WeightPack } from './weight-pack.ts';

export interface PortableGraph {
  readonly config: ModelConfig;
  /** ONNX model; its matrices lie in the pack file or in the GGUF itself. */
  readonly bytes: Uint8Array;
  readonly pack: WeightPack;
}

export interface PortableGraphOptions {
  readonly contextLength: number;
  /** Base name of the file that repacked matrices will be in. */
  readonly packFileName: string;
  /** Base names of the GGUF's files, for models whose matrices need no repacking. */
  readonly shardNames: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** From an open file to a graph: configuration, small tensors, blocks. */
export async function buildPortableGraph(
  gguf: GgufFile,
  options: PortableGraphOptions,
): Promise<PortableGraph> {
  requireArchitecture(gguf.metadata);
  const vectors = await readVectors(gguf, options.signal);
  const config = readModelConfig(gguf.metadata, gguf.tensors, vectors, options.contextLength);
  const pack = new WeightPack(gguf, options.packFileName, options.shardNames);
  const graph = new GraphBuilder();
  const weights = new WeightLookup(gguf.tensors, vectors);
  buildDecoder(config, weights, new PortableDialect(graph, pack, config));
  return { config, bytes: graph.build(), pack };
}

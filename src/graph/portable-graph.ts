import type { GgufFile } from '../gguf/read-gguf.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ModelConfig } from './config.ts';
import { readModelConfig, requireArchitecture } from './config.ts';
import { buildDecoder } from './decoder.ts';
import { PortableDialect } from './dialect-portable.ts';
import { buildEncoder } from './encoder.ts';
import { readEncoderConfig } from './encoder-config.ts';
import type { EncoderConfig } from './encoder-config.ts';
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
  buildDecoder(config, weights, new PortableDialect(graph, pack, config, 'sequence'));
  return { config, bytes: graph.build(), pack };
}

export interface PortableEncoderGraph extends PortableGraph {
  readonly encoder: EncoderConfig;
}

/** The same, to a graph that makes vectors of texts. */
export async function buildPortableEncoderGraph(
  gguf: GgufFile,
  options: Omit<PortableGraphOptions, 'contextLength'> & {
    readonly rankTokens?: readonly number[] | undefined;
  },
): Promise<PortableEncoderGraph> {
  requireArchitecture(gguf.metadata);
  const encoder = readEncoderConfig(gguf.metadata, gguf.tensors, options.rankTokens);
  const vectors = await readVectors(gguf, options.signal);
  const config = readModelConfig(gguf.metadata, gguf.tensors, vectors);
  const pack = new WeightPack(gguf, options.packFileName, options.shardNames);
  const graph = new GraphBuilder();
  const weights = new WeightLookup(gguf.tensors, vectors);
  buildEncoder(config, encoder, weights, new PortableDialect(graph, pack, config, 'texts'));
  return { config, encoder, bytes: graph.build(), pack };
}

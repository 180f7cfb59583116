import { realpath } from 'node:fs/promises';
import { totalmem } from 'node:os';

import { buildNativeEncoderGraph, buildNativeGraph } from './graph/native-graph.ts';
import type { CacheType, EncoderRequest, Platform, SessionRequest } from './platform.ts';
import type { Encoder } from './session/encoder.ts';
import { loadNativeAddon, platformTriple } from './session/load-native.ts';
import { createNativeEncoder, createNativeSession } from './session/native-node.ts';
import type { Session } from './session/session.ts';
import { openFileSource } from './source/file-source.ts';

/** Node: files of the disk; the native engine over mapped files, or onnxruntime-node over repacked weights. */
export const nodePlatform: Platform = {
  openSource: openFileSource,
  createSession,
  createEncoder,
  cacheTypeOf,
  cacheBudgetBytes: Math.floor(totalmem() / 2),
};

/** Memory that this process may still take, in bytes; limits of its container are heeded. */
export function availableMemoryBytes(): number {
  return process.availableMemory();
}

async function createSession(request: SessionRequest): Promise<Session> {
  const paths = await Promise.all(request.gguf.sources.map((source) => realpath(source.name)));
  const obstacle = obstacleOf(request);
  if (obstacle === undefined) return openNative(request, paths);
  if (request.dialect === undefined) warnOnce(obstacle);
  // Loaded when needed: onnxruntime-node's binding takes longer to load than the native engine a model.
  const { openPortable } = await import('./open-portable-node.ts');
  return openPortable(request, paths);
}

async function createEncoder(request: EncoderRequest): Promise<Encoder> {
  const { gguf, threads, rankTokens, signal } = request;
  const files = await Promise.all(gguf.sources.map((source) => realpath(source.name)));
  const obstacle = obstacleOf(request);
  if (obstacle === undefined) {
    const graph = await buildNativeEncoderGraph(gguf, { rankTokens, signal });
    signal?.throwIfAborted();
    return createNativeEncoder({ files, graph, threads });
  }
  if (request.dialect === undefined) warnOnce(obstacle);
  const { openPortableEncoder } = await import('./open-portable-node.ts');
  return openPortableEncoder(request, files);
}

async function openNative(request: SessionRequest, files: readonly string[]): Promise<Session> {
  const { gguf, contextLength, threads, signal } = request;
  const graph = await buildNativeGraph(gguf, { contextLength, signal });
  signal?.throwIfAborted();
  return createNativeSession({
    files,
    graph,
    contextLength,
    cacheType: cacheTypeOf(request),
    cacheBudgetBytes: nodePlatform.cacheBudgetBytes,
    threads,
  });
}

/** @default 'f16' in the native engine; the portable one has f32 only */
function cacheTypeOf(request: Pick<SessionRequest, 'gguf' | 'dialect' | 'cacheType'>): CacheType {
  return obstacleOf(request) === undefined ? (request.cacheType ?? 'f16') : 'f32';
}

/** Why the native engine does not run a file; undefined when it does, or fails because it was asked for. */
function obstacleOf({ gguf, dialect }: Pick<SessionRequest, 'gguf' | 'dialect'>): string | undefined {
  if (dialect !== undefined) return dialect === 'native' ? undefined : 'asked for';
  const found = loadNativeAddon();
  if ('missing' in found) return found.missing;
  return gguf.littleEndian ? undefined : 'the file is big-endian';
}

let warned = false;

function warnOnce(obstacle: string): void {
  if (warned) return;
  warned = true;
  process.emitWarning(
    `rivulet runs its portable engine, which is several times slower than the native one: ${obstacle}. Install @rivulet/kernels-${platformTriple()}, or build it with cargo (npm run build).`,
    { code: 'RIVULET_PORTABLE' },
  );
}

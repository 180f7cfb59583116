import { createHash } from 'node:crypto';
import { open, realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

import type { GgufFile } from './gguf/read-gguf.ts';
import { summarizeTensors } from './gguf/summarize-tensors.ts';
import { buildPortableEncoderGraph, buildPortableGraph } from './graph/portable-graph.ts';
import { packLayoutVersion } from './graph/weight-pack.ts';
import type { WeightPack } from './graph/weight-pack.ts';
import type { EncoderRequest, SessionRequest } from './platform.ts';
import { describeEncoder } from './session/encoder.ts';
import type { Encoder } from './session/encoder.ts';
import { createOnnxNodeRunner, createOnnxNodeTextRunner } from './session/onnx-node.ts';
import { PortableEncoder } from './session/portable-encoder.ts';
import { PortableSession, tokensPerRun } from './session/portable-session.ts';
import type { Session } from './session/session.ts';
import { writePack } from './session/write-pack.ts';
import { openCache } from './source/disk-cache.ts';

const packFileName = 'weights.bin';

/** Opens a model in onnxruntime-node, its weights repacked into the disk cache where they must be. */
export async function openPortable(request: SessionRequest, paths: readonly string[]): Promise<Session> {
  const { gguf, signal } = request;
  const graph = await buildPortableGraph(gguf, {
    contextLength: request.contextLength,
    packFileName,
    shardNames: paths.map((path) => basename(path)),
    signal,
  });
  const runner = await createOnnxNodeRunner({
    graph: graph.bytes,
    folder: await weightFolder(request, graph.pack, paths),
    config: graph.config,
    threads: request.threads,
  });
  return new PortableSession(runner, graph.config, {
    contextLength: request.contextLength,
    parameters: summarizeTensors(gguf.tensors).parameters,
  });
}

/** The same for vectors of texts. */
export async function openPortableEncoder(
  request: EncoderRequest,
  paths: readonly string[],
): Promise<Encoder> {
  const { gguf, rankTokens, signal } = request;
  const graph = await buildPortableEncoderGraph(gguf, {
    packFileName,
    shardNames: paths.map((path) => basename(path)),
    rankTokens,
    signal,
  });
  const runner = await createOnnxNodeTextRunner({
    graph: graph.bytes,
    folder: await weightFolder(request, graph.pack, paths),
    threads: request.threads,
  });
  const info = describeEncoder(graph.config, graph.encoder, {
    dialect: 'portable',
    device: runner.device,
    threads: runner.threads,
    tokensPerStep: tokensPerRun(summarizeTensors(gguf.tensors).parameters),
  });
  return new PortableEncoder(runner, info, graph.encoder.rank?.rows ?? 'cls');
}

/** Where the graph's matrices lie: beside the GGUF, or in the cache. */
async function weightFolder(
  request: PackRequest,
  pack: WeightPack,
  paths: readonly string[],
): Promise<string> {
  const folder = pack.needed ? dirname(await ensurePack(request, pack, paths)) : dirname(paths[0] ?? '.');
  request.signal?.throwIfAborted();
  // ONNX Runtime compares resolved paths: a linked cache folder would look like an escape.
  return realpath(folder);
}

type PackRequest = Pick<SessionRequest, 'gguf' | 'cache' | 'onProgress' | 'signal'>;

/** The path of the pack file, written on first use. */
async function ensurePack(request: PackRequest, pack: WeightPack, paths: readonly string[]): Promise<string> {
  const { gguf, onProgress, signal } = request;
  const options = {
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  };
  const key = `portable-v${packLayoutVersion}-${await fingerprint(gguf, paths)}`;
  const entry = await openCache(request.cache).produceFile(
    key,
    packFileName,
    async (path) => {
      const file = await open(path, 'w');
      try {
        await file.truncate(pack.lengthBytes);
        const sink = async (offsetBytes: number, bytes: Uint8Array): Promise<void> => {
          let done = 0;
          while (done < bytes.length) {
            done += (await file.write(bytes, done, bytes.length - done, offsetBytes + done)).bytesWritten;
          }
        };
        await writePack(gguf, pack, sink, options);
      } finally {
        await file.close();
      }
    },
    options,
  );
  return entry.path;
}

/** How many pieces of the weights, and of what size, tell one file from another. */
const samples = { count: 64, bytes: 4096 };

/**
 * Tells files apart without reading them whole: header, sizes, times of change and samples of the weights.
 * Hexadecimal.
 */
async function fingerprint(gguf: GgufFile, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(gguf.headerBytes);
  for (const [index, source] of gguf.sources.entries()) {
    const { mtimeMs } = await stat(paths[index] ?? source.name);
    hash.update(`${source.size}/${mtimeMs}/`);
    const length = Math.min(samples.bytes, source.size);
    for (let sample = 0; sample < samples.count; sample++) {
      const offset = Math.floor(((source.size - length) * sample) / (samples.count - 1));
      hash.update(await source.read(offset, length));
    }
  }
  return hash.digest('hex').slice(0, 32);
}

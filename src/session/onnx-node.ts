import { workerData } from 'node:worker_threads';

import { InferenceSession, Tensor } from 'onnxruntime-node';

import { RivuletError } from '../errors.ts';
import type { ModelConfig } from '../graph/config.ts';
import { cacheLayers, portableNames, portableTextNames } from '../graph/portable-io.ts';
import type { CacheLayer } from '../graph/portable-io.ts';
import type { TextFeeds } from './lay-out-texts.ts';
import { physicalCores } from './physical-cores.ts';
import type { PortableTextRunner } from './portable-encoder.ts';
import type { PortableFeeds, PortableRunner } from './portable-session.ts';
import { RunGate } from './run-gate.ts';

export interface OnnxNodeOptions {
  /** The graph as ONNX bytes. */
  readonly graph: Uint8Array;
  /** Folder of the files that the graph's external tensors name; symbolic links resolved. */
  readonly folder: string;
  readonly config: ModelConfig;
  readonly threads: number | undefined;
}

/**
 * Opens a portable graph in onnxruntime-node on the CPU. A run blocks its thread; between two runs waiting
 * messages are handled.
 * @throws {RivuletError} `ENGINE_FAILED`
 */
export async function createOnnxNodeRunner(options: OnnxNodeOptions): Promise<PortableRunner> {
  const threads = options.threads ?? physicalCores();
  const gate = gateOfThread();
  const session = await createSession(options, threads, gate);
  const layers = cacheLayers(options.config);

  const run: PortableRunner['run'] = async (feeds) => {
    const outputs = await runBetweenMessages(session, gate, toTensors(feeds, layers));
    return {
      logits: floatsOf(outputs[portableNames.logits]),
      cacheRows: floatsOf(outputs[portableNames.cacheRows]),
    };
  };
  return { threads, device: 'cpu', run, release: () => session.release() };
}

/** The same for a portable graph of whole texts. @throws {RivuletError} `ENGINE_FAILED` */
export async function createOnnxNodeTextRunner(
  options: Omit<OnnxNodeOptions, 'config'>,
): Promise<PortableTextRunner> {
  const threads = options.threads ?? physicalCores();
  const gate = gateOfThread();
  const session = await createSession(options, threads, gate);
  const run: PortableTextRunner['run'] = async (feeds) => {
    const outputs = await runBetweenMessages(session, gate, textTensors(feeds));
    const scores = outputs[portableTextNames.scores];
    return {
      vectors: floatsOf(outputs[portableTextNames.vectors]),
      ...(scores === undefined ? {} : { scores: floatsOf(scores) }),
    };
  };
  return { threads, device: 'cpu', run, release: () => session.release() };
}

async function runBetweenMessages(
  session: InferenceSession,
  gate: RunGate,
  inputs: Record<string, Tensor>,
): Promise<InferenceSession.OnnxValueMapType> {
  // A run is synchronous and takes the whole thread: aborts and pulls must get in between two of them.
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (!gate.enter()) throw new RivuletError('DISPOSED', 'The engine is being ended with its process.');
  try {
    return await session.run(inputs);
  } catch (error) {
    throw new RivuletError('ENGINE_FAILED', `ONNX Runtime could not run the graph: ${String(error)}`, {
      cause: error,
    });
  } finally {
    gate.leave();
  }
}

/** The gate of the thread that runs this engine; outside of one nobody can close it. */
function gateOfThread(): RunGate {
  const data: unknown = workerData;
  const shared = typeof data === 'object' && data !== null && 'runGate' in data ? data.runGate : undefined;
  return shared instanceof SharedArrayBuffer ? new RunGate(shared) : new RunGate();
}

async function createSession(
  options: Omit<OnnxNodeOptions, 'config'>,
  threads: number,
  gate: RunGate,
): Promise<InferenceSession> {
  if (!gate.enter()) throw new RivuletError('DISPOSED', 'The engine is being ended with its process.');
  try {
    return await InferenceSession.create(options.graph, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      extra: { session: { model_external_initializers_file_folder_path: options.folder } },
    });
  } catch (error) {
    throw new RivuletError(
      'ENGINE_FAILED',
      `ONNX Runtime could not open the model's graph: ${String(error)}. If weights were changed or deleted while loading, load again.`,
      { cause: error },
    );
  } finally {
    gate.leave();
  }
}

function toTensors(
  { tokens, position, rows, cache }: PortableFeeds,
  layers: readonly CacheLayer[],
): Record<string, Tensor> {
  const count = tokens.length;
  const total = position + count;
  cache.reserve(count);
  const inputs: Record<string, Tensor> = {
    [portableNames.tokens]: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [count]),
    [portableNames.positions]: new Tensor(
      'float32',
      Float32Array.from(tokens, (_, index) => position + index),
      [count, 1],
    ),
    [portableNames.rows]: new Tensor('int64', BigInt64Array.from(rows, BigInt), [rows.length]),
    [portableNames.lastPosition]: new Tensor('int32', Int32Array.of(total - 1), [1]),
    [portableNames.totalLength]: new Tensor('int32', Int32Array.of(total), []),
  };
  for (const [index, { layer, kvHeads, headDim }] of layers.entries()) {
    const shape = [1, kvHeads, cache.capacity, headDim];
    inputs[portableNames.pastKey(layer)] = new Tensor('float32', cache.key(index), shape);
    inputs[portableNames.pastValue(layer)] = new Tensor('float32', cache.value(index), shape);
  }
  return inputs;
}

function textTensors(feeds: TextFeeds): Record<string, Tensor> {
  const { tokens, positions, slots, longest, places, lengths, pooling } = feeds;
  const [count, texts] = [tokens.length, lengths.length];
  return {
    [portableNames.tokens]: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [count]),
    [portableNames.positions]: new Tensor('float32', positions, [count, 1]),
    [portableTextNames.slots]: new Tensor('int64', slots, [texts, longest]),
    [portableTextNames.places]: new Tensor('int64', places, [count]),
    [portableTextNames.lengths]: new Tensor('float32', lengths, [texts, 1]),
    [portableTextNames.pooling]: new Tensor('float32', pooling, [pooling.length / count, count]),
  };
}

function floatsOf(tensor: { readonly data: unknown } | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new RivuletError('ENGINE_FAILED', 'Expected float outputs from ONNX Runtime and found none.');
}

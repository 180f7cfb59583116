import { nativeCacheLayers } from '../graph/native-io.ts';
import type { NativeEncoderGraph, NativeGraph } from '../graph/native-graph.ts';
import { cacheElementBytes } from './cache-element-bytes.ts';
import { describeEncoder } from './encoder.ts';
import type { Encoder } from './encoder.ts';
import { requireNativeAddon } from './load-native.ts';
import type { NativeEngine, NativeEngineOptions, NativeOutcome } from './native-addon.ts';
import { NativeEncoder } from './native-encoder.ts';
import { NativeSession, resultsOf } from './native-session.ts';
import { physicalCores } from './physical-cores.ts';
import type { Session } from './session.ts';

export interface NativeSessionOptions {
  /** Paths of the files, symbolic links resolved. */
  readonly files: readonly string[];
  readonly graph: NativeGraph;
  readonly contextLength: number;
  readonly cacheType: NativeEngineOptions['cacheType'];
  readonly cacheBudgetBytes: number;
  readonly threads: number | undefined;
}

/** Sequences that one step may advance: beyond, rows no longer share the reading of weights. */
const sequencesPerStep = 64;
/**
 * Matrix products reach their full speed at half of it; more would only take memory, and make aborts and the streams
 * that decode beside it wait.
 */
const tokensPerStep = 256;

/** As `PAGE_TOKENS` of `kernels/src/cache/layout.rs`. */
const pageTokens = 64;

/** Opens a graph in the native engine. @throws {RivuletError} `ENGINE_UNAVAILABLE`, `ENGINE_FAILED` */
export async function createNativeSession(options: NativeSessionOptions): Promise<Session> {
  const { config, bytes } = options.graph;
  const layers = nativeCacheLayers(config);
  const threads = options.threads ?? physicalCores();
  const engine = await startEngine({
    files: options.files,
    graph: bytes,
    layers,
    cacheType: options.cacheType,
    cacheBudgetBytes: options.cacheBudgetBytes,
    threads,
    contextLength: options.contextLength,
    vocabularySize: config.vocabularySize,
  });
  const elements = layers.reduce(
    (sum, { kvHeads, keyDim, valueDim }) => sum + kvHeads * (keyDim + valueDim),
    0,
  );
  return new NativeSession(engine, {
    dialect: 'native',
    device: 'cpu',
    isa: engine.isa,
    threads,
    vocabularySize: config.vocabularySize,
    contextLength: options.contextLength,
    sequencesPerStep,
    tokensPerStep,
    pageTokens,
    cacheBytesPerToken: elements * cacheElementBytes[options.cacheType],
  });
}

export interface NativeEncoderOptions {
  /** Paths of the files, symbolic links resolved. */
  readonly files: readonly string[];
  readonly graph: NativeEncoderGraph;
  readonly threads: number | undefined;
}

/**
 * From 256 to 1024 tokens per step differ by 4 % on two cores (MiniLM, texts of 16 to 64 tokens); more only take memory.
 * With more threads each of them should still have as many to do.
 */
const encoderTokens = { least: 512, perThread: 128, most: 4096 };

/** Opens a graph that makes vectors in the native engine. @throws as {@link createNativeSession} */
export async function createNativeEncoder(options: NativeEncoderOptions): Promise<Encoder> {
  const { config, encoder, layers, bytes } = options.graph;
  const threads = options.threads ?? physicalCores();
  const engine = await startEngine({
    files: options.files,
    graph: bytes,
    layers,
    // Read by the layer that wrote it and then written over: there is little of it, so it may be exact.
    cacheType: 'f32',
    cacheBudgetBytes: Number.MAX_SAFE_INTEGER,
    threads,
    contextLength: config.trainedContextLength,
    vocabularySize: config.vocabularySize,
  });
  const info = describeEncoder(config, encoder, {
    dialect: 'native',
    device: 'cpu',
    isa: engine.isa,
    threads,
    tokensPerStep: Math.min(
      encoderTokens.most,
      Math.max(encoderTokens.least, encoderTokens.perThread * threads),
    ),
  });
  return new NativeEncoder(engine, info, encoder.rank?.rows ?? 'cls');
}

/** @throws {RivuletError} `ENGINE_UNAVAILABLE`, `ENGINE_FAILED` */
async function startEngine(options: Omit<NativeEngineOptions, 'library'>): Promise<NativeEngine> {
  const { addon, library } = requireNativeAddon();
  const { promise, resolve } = Promise.withResolvers<NativeOutcome>();
  const engine = addon.NativeEngine.start({ library, ...options }, resolve);
  resultsOf(await promise);
  return engine;
}

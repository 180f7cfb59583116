import { nativeCacheLayers } from '../graph/native-io.ts';
import type { NativeGraph } from '../graph/native-graph.ts';
import { requireNativeAddon } from './load-native.ts';
import type { NativeEngine, NativeEngineOptions, NativeOutcome } from './native-addon.ts';
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

const bytesPerElement = { f32: 4, f16: 2, q8_0: 34 / 32, q4_0: 18 / 32 } as const;

/** Opens a graph in the native engine. @throws {RivuletError} `ENGINE_UNAVAILABLE`, `ENGINE_FAILED` */
export async function createNativeSession(options: NativeSessionOptions): Promise<Session> {
  const { addon, library } = requireNativeAddon();
  const { config, bytes } = options.graph;
  const layers = nativeCacheLayers(config);
  const threads = options.threads ?? physicalCores();
  const { promise, resolve } = Promise.withResolvers<NativeOutcome>();
  const engine: NativeEngine = addon.NativeEngine.start(
    {
      library,
      files: options.files,
      graph: bytes,
      layers,
      cacheType: options.cacheType,
      cacheBudgetBytes: options.cacheBudgetBytes,
      threads,
      contextLength: options.contextLength,
      vocabularySize: config.vocabularySize,
    },
    resolve,
  );
  resultsOf(await promise);
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
    cacheBytesPerToken: elements * bytesPerElement[options.cacheType],
  });
}

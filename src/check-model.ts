import { checkLoadOptions } from './check-load-options.ts';
import { RivuletError } from './errors.ts';
import { onlyEncodes } from './graph/config.ts';
import { buildNativeEncoderGraph, buildNativeGraph } from './graph/native-graph.ts';
import type { GgufFile } from './gguf/read-gguf.ts';
import { inspectGguf } from './inspect-file.ts';
import type { LoadOptions, ModelInfo } from './model.ts';
import { closeGguf, openGguf } from './open-gguf.ts';
import { cacheBytesPerToken, chooseContextLength } from './open-model.ts';
import { availableMemoryBytes, nodePlatform } from './platform-node.ts';

/** Whether a model can be loaded, as plain data. */
export interface ModelCheck {
  readonly reference: string;
  /** Nothing speaks against it. */
  readonly fits: boolean;
  /** What speaks against it, for people to read. */
  readonly problems: readonly string[];
  /** With the context length that it would be loaded with. */
  readonly info: ModelInfo;
  readonly memory: {
    /** Bytes of the weights. The native engine maps them: the system may take their memory back. */
    readonly weightBytes: number;
    /** Bytes of one sequence of the whole context; an estimate. */
    readonly cacheBytes: number;
    /** Bytes that this process may still take. */
    readonly availableBytes: number;
  };
}

/**
 * Reads the header of a local file and judges it.
 * @throws {RivuletError} for files that are no models; the signal's reason on abort
 */
export async function checkFile(
  reference: string,
  path: string,
  options: LoadOptions,
  availableBytes: number = availableMemoryBytes(),
): Promise<ModelCheck> {
  const gguf = await openGguf(nodePlatform, path, options.signal);
  try {
    const { info, memory } = inspectGguf(reference, gguf);
    const { contextLength = 'auto' } = options;
    const { cacheBudgetBytes } = nodePlatform;
    const cacheType = nodePlatform.cacheTypeOf({ ...options, gguf });
    const problems: string[] = [];
    const note = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
      try {
        return await work();
      } catch (error) {
        if (!RivuletError.isInstance(error)) throw error;
        problems.push(error.message);
        return undefined;
      }
    };
    await note(() => checkLoadOptions(options));
    const chosen = await note(() =>
      chooseContextLength(gguf, contextLength, { cacheBudgetBytes, cacheType }),
    );
    const length = chosen ?? info.contextLength;
    await note(() => buildGraph(gguf, length, options.signal));
    const cacheBytes = Math.ceil((cacheBytesPerToken(gguf, cacheType) ?? 0) * length);
    const { weightBytes } = memory;
    if (weightBytes + cacheBytes > availableBytes) {
      problems.push(
        `Expected ${weightBytes + cacheBytes} bytes of memory for the weights and one whole context, found ${availableBytes} available. Choose a smaller quantization, or a smaller contextLength than ${length}.`,
      );
    }
    return {
      reference,
      fits: problems.length === 0,
      problems,
      info: { ...info, contextLength: length },
      memory: { weightBytes, cacheBytes, availableBytes },
    };
  } finally {
    await closeGguf(gguf);
  }
}

/** As a load does it, but for the weights. @throws {RivuletError} when no graph can be built for the file */
async function buildGraph(
  gguf: GgufFile,
  contextLength: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (onlyEncodes(gguf.metadata)) await buildNativeEncoderGraph(gguf, { signal });
  else await buildNativeGraph(gguf, { contextLength, signal });
}

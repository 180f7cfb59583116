import { detectReasoning } from './chat/reasoning.ts';
import type { ChatTemplate } from './chat/template.ts';
import { createTemplate } from './create-template.ts';
import { RivuletError } from './errors.ts';
import { createScheduler } from './generate/scheduler.ts';
import type { Metadata } from './gguf/metadata.ts';
import type { GgufFile } from './gguf/read-gguf.ts';
import { summarizeTensors } from './gguf/summarize-tensors.ts';
import { embeddingName, onlyEncodes, readModelConfig } from './graph/config.ts';
import { cacheLayers } from './graph/portable-io.ts';
import { createModel } from './model.ts';
import type { LoadOptions, Model, ModelInfo } from './model.ts';
import { closeGguf, openGguf } from './open-gguf.ts';
import type { Platform, SessionRequest } from './platform.ts';
import { SequenceCache } from './session/sequence-cache.ts';
import type { Session } from './session/session.ts';
import type { FileIdentity } from './source/byte-source.ts';
import { createTokenizer } from './tokenizer/create-tokenizer.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** Load options of the engine side, with what the caller's side resolved. */
export interface OpenOptions extends LoadOptions {
  /** Cache folder for repacked weights. */
  readonly cache?: string;
}

export interface OpenedModel {
  readonly model: Model;
  readonly header: ModelHeader;
}

/** A file's header, or where its bytes are: a large vocabulary's take megabytes, and are seldom needed twice. */
export type ModelHeader = Uint8Array<ArrayBuffer> | (FileIdentity & { readonly byteLength: number });

/**
 * Opens a model in the calling thread: header → tokenizer and template → graph and session → scheduler.
 * @throws {RivuletError} of every room below; the signal's reason on abort
 */
export async function openModel(
  platform: Platform,
  reference: string,
  location: string,
  options: OpenOptions = {},
): Promise<OpenedModel> {
  const start = performance.now();
  checkOptions(options);
  options.onProgress?.({ phase: 'load', label: reference });
  const gguf = await openGguf(platform, location, options.signal);
  let session: Session | undefined;
  try {
    const contextLength = chooseContextLength(gguf, options.contextLength ?? 'auto', platform);
    const encodesOnly = onlyEncodes(gguf.metadata);
    const opening =
      options.vocabularyOnly || encodesOnly
        ? undefined
        : platform.createSession(sessionRequest(gguf, contextLength, options));
    // Both at once: the session reads the file and loads in a thread of its own.
    opening?.catch(() => undefined);
    let tokenizer: Tokenizer;
    try {
      tokenizer = createTokenizer(gguf.metadata);
    } finally {
      session = await opening;
    }
    const metadata = gguf.metadata.withoutArrays();
    let made: ChatTemplate | undefined;
    const template = (): ChatTemplate => (made ??= createTemplate(metadata, tokenizer, options.chatTemplate));
    options.signal?.throwIfAborted();
    const info = describeModel(reference, gguf, tokenizer.vocabularySize, contextLength, template);
    const model = createModel({
      info:
        session === undefined
          ? info
          : {
              ...info,
              engine: {
                dialect: session.info.dialect,
                device: session.info.device,
                ...(session.info.isa === undefined ? {} : { isa: session.info.isa }),
                threads: session.info.threads,
                loadMs: performance.now() - start,
              },
            },
      tokenizer,
      template,
      encodesOnly,
      ...(session === undefined ? {} : { engine: createScheduler(session, { fileDefaults: metadata }) }),
    });
    const file = gguf.sources[0]?.file;
    const { headerBytes } = gguf;
    return {
      model,
      header: file === undefined ? headerBytes : { ...file, byteLength: headerBytes.length },
    };
  } catch (error) {
    await session?.dispose();
    throw error;
  } finally {
    await closeGguf(gguf);
  }
}

function sessionRequest(gguf: GgufFile, contextLength: number, options: OpenOptions): SessionRequest {
  const { threads, dialect, cacheType, cache, onProgress, signal } = options;
  return {
    gguf,
    contextLength,
    ...(threads === undefined ? {} : { threads }),
    ...(dialect === undefined ? {} : { dialect }),
    ...(cacheType === undefined ? {} : { cacheType }),
    ...(cache === undefined ? {} : { cache }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** More threads than any machine has cores; ONNX Runtime would start them all. */
const maximumThreads = 1024;

/** Also for callers without types. @throws {RivuletError} `INVALID_ARGUMENT` */
function checkOptions({
  threads,
  dialect,
  cacheType,
}: {
  readonly threads?: number;
  readonly dialect?: string;
  readonly cacheType?: string;
}): void {
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0 && threads <= maximumThreads)) {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected threads to be a whole number from 1 to ${maximumThreads}, found ${threads}.`,
    );
  }
  requireOneOf('dialect', dialect, ['native', 'portable']);
  requireOneOf('cacheType', cacheType, ['f32', 'f16', 'q8_0', 'q4_0']);
}

function requireOneOf(name: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return;
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected ${name} to be one of ${known.join(', ')}; found '${value}'.`,
  );
}

/** What can be told about a model without its weights. */
export function describeModel(
  reference: string,
  gguf: GgufFile,
  vocabularySize: number,
  contextLength: number,
  template: () => ChatTemplate,
): ModelInfo {
  const { metadata } = gguf;
  const { parameters, quantization } = summarizeTensors(gguf.tensors);
  const name = metadata.optionalString('general.name');
  return {
    id: reference,
    architecture: metadata.architecture,
    ...(name === undefined ? {} : { name }),
    parameters,
    quantization,
    fileBytes: gguf.fileBytes,
    contextLength,
    trainedContextLength: trainedContextLength(metadata),
    vocabularySize,
    capabilities: capabilities(template),
  };
}

/**
 * The context of an engine: as asked for, at most what the model was trained for; `auto` also stays within
 * the memory that caches may take.
 * @throws {RivuletError} `INVALID_ARGUMENT`
 */
export function chooseContextLength(
  gguf: GgufFile,
  wanted: number | 'auto',
  platform: Pick<Platform, 'cacheBudgetBytes'>,
): number {
  const trained = trainedContextLength(gguf.metadata);
  if (wanted === 'auto') {
    const bytesPerToken = cacheBytesPerToken(gguf);
    if (bytesPerToken === undefined) return trained;
    return Math.max(1, Math.min(trained, Math.floor(platform.cacheBudgetBytes / bytesPerToken)));
  }
  if (Number.isInteger(wanted) && wanted > 0 && wanted <= trained) return wanted;
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected contextLength to be 'auto' or a whole number from 1 to ${trained}, for which the model was trained; found ${wanted}.`,
    { details: { contextLength: wanted, trainedContextLength: trained } },
  );
}

/** Bytes of cache per token; undefined for files that hold a vocabulary only or that no graph is known for. */
export function cacheBytesPerToken(gguf: GgufFile): number | undefined {
  if (!gguf.tensors.has(embeddingName(gguf.tensors))) return undefined;
  try {
    return SequenceCache.bytesPerToken(cacheLayers(readModelConfig(gguf.metadata, gguf.tensors, new Map())));
  } catch (error) {
    if (RivuletError.isInstance(error) && error.code === 'ARCHITECTURE_UNSUPPORTED') return undefined;
    throw error;
  }
}

function trainedContextLength(metadata: Metadata): number {
  return metadata.optionalNumber(`${metadata.architecture}.context_length`) ?? 0;
}

function capabilities(template: () => ChatTemplate): ModelInfo['capabilities'] {
  try {
    const { source, origin } = template();
    return { chat: origin !== 'fallback', reasoning: detectReasoning(source) !== undefined };
  } catch (error) {
    // A broken template must not keep the model from completing raw text; chat() reports it.
    if (RivuletError.isInstance(error)) return { chat: false, reasoning: false };
    throw error;
  }
}

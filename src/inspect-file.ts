import type { ChatTemplate } from './chat/template.ts';
import { createTemplate } from './create-template.ts';
import { RivuletError } from './errors.ts';
import type { Metadata } from './gguf/metadata.ts';
import type { GgufFile } from './gguf/read-gguf.ts';
import type { TensorTable } from './gguf/tensor-table.ts';
import type { ModelInfo } from './model.ts';
import { cacheBytesPerToken, chooseContextLength, describeModel } from './open-model.ts';
import { closeGguf, openGguf } from './open-gguf.ts';
import { nodePlatform } from './platform-node.ts';
import { createTokenizer } from './tokenizer/create-tokenizer.ts';

/** Of an engine that nobody has told anything else. */
const usualCacheType = 'f16';

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
    /** Bytes that every token of a sequence adds, in the native engine's usual form (f16). */
    readonly cacheBytesPerToken: number;
  };
}

/** Reads the header of a local file. @throws {RivuletError} of the rooms below; the signal's reason on abort */
export async function inspectFile(
  reference: string,
  path: string,
  signal?: AbortSignal,
): Promise<ModelInspection> {
  const gguf = await openGguf(nodePlatform, path, signal);
  try {
    return inspectGguf(reference, gguf);
  } finally {
    await closeGguf(gguf);
  }
}

/** The same of a header that was read. */
export function inspectGguf(reference: string, gguf: GgufFile): ModelInspection {
  const { metadata, tensors } = gguf;
  let made: ChatTemplate | undefined;
  const template = (): ChatTemplate => (made ??= createTemplate(metadata, createTokenizer(metadata)));
  const contextLength = chooseContextLength(gguf, 'auto', {
    cacheBudgetBytes: nodePlatform.cacheBudgetBytes,
    cacheType: usualCacheType,
  });
  const vocabularySize = metadata.optionalStringList('tokenizer.ggml.tokens')?.length ?? 0;
  return {
    info: describeModel(reference, gguf, vocabularySize, contextLength, template),
    metadata,
    tensors,
    tokenizerKind: metadata.optionalString('tokenizer.ggml.model') ?? 'none',
    ...inspectTemplate(template),
    memory: {
      weightBytes: Array.from(tensors).reduce((sum, tensor) => sum + tensor.byteLength, 0),
      cacheBytesPerToken: cacheBytesPerToken(gguf, usualCacheType) ?? 0,
    },
  };
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

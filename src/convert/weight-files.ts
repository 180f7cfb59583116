import { RivuletError } from '../errors.ts';
import { quoted } from '../gguf/quoted.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { readModelJson } from './json-fields.ts';
import type { ModelFiles } from './model-files.ts';
import { readSafetensors, type SafeTensor } from './safetensors.ts';

/** All weights of a model by name, with the open files that hold them. */
export interface ModelWeights {
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  close(): Promise<void>;
}

const singleFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';

/** The largest uploads have below 200 parts; each is an open file. */
const maximumParts = 1024;

/**
 * Opens the safetensors of a model, in one file or in parts that an index names.
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`, as {@link readSafetensors}
 */
export async function openWeights(files: ModelFiles, signal?: AbortSignal): Promise<ModelWeights> {
  const sources: ByteSource[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sources.map((source) => source.close()));
  };
  try {
    const tensors = new Map<string, SafeTensor>();
    for (const path of await listParts(files, signal)) {
      const source = await files.open(path);
      if (source === undefined) throw noWeights(files, path);
      sources.push(source);
      for (const tensor of await readSafetensors(source, signal)) {
        if (tensors.has(tensor.name)) {
          throw new RivuletError(
            'SOURCE_UNREADABLE',
            `Expected each tensor once in the parts of ${files.name}, found ${quoted(tensor.name)} twice. Parts of different uploads are mixed; download the model again.`,
            { details: { tensor: tensor.name } },
          );
        }
        tensors.set(tensor.name, tensor);
      }
    }
    return { tensors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listParts(files: ModelFiles, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const index = await readModelJson(files, indexFile, signal);
  if (index === undefined) return [singleFile];
  const map = index.optionalObject('weight_map');
  const parts = new Set(Array.from(map?.names() ?? [], (name) => map?.string(name) ?? ''));
  for (const part of parts) {
    if (/^[\w.-]+\.safetensors$/.test(part)) continue;
    throw new RivuletError(
      'SOURCE_UNREADABLE',
      `Expected names of safetensors files beside "${indexFile}", found ${quoted(part)}. Download the model again.`,
      { details: { file: indexFile } },
    );
  }
  if (parts.size > 0 && parts.size <= maximumParts) return Array.from(parts).toSorted();
  throw new RivuletError(
    'SOURCE_UNREADABLE',
    `Expected up to ${maximumParts} parts in "${indexFile}", found ${parts.size}. Download the model again.`,
    { details: { file: indexFile } },
  );
}

function noWeights(files: ModelFiles, path: string): RivuletError {
  return new RivuletError(
    'SOURCE_NOT_FOUND',
    `Expected the weights "${path}" in ${files.name}, but they are not there. Other formats (pytorch_model.bin, ONNX) are not read; download the safetensors of the model.`,
    { details: { path } },
  );
}

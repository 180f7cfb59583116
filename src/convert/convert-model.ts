import { RivuletError } from '../errors.ts';
import type { ProgressListener } from '../events.ts';
import { quoted } from '../gguf/quoted.ts';
import type { WritableValue } from '../gguf/writable-value.ts';
import { type WritableTensor, writeGguf } from '../gguf/write-gguf.ts';
import { dequantize } from '../quant/dequantize.ts';
import { type QuantizedType, quantize } from '../quant/quantize.ts';
import type { ByteSink } from '../source/byte-sink.ts';
import { readBertConfig } from './bert-config.ts';
import { bertMetadata } from './bert-metadata.ts';
import { type NamedTensor, nameBertTensors } from './bert-tensors.ts';
import type { ModelFiles } from './model-files.ts';
import { readVocabulary } from './read-vocabulary.ts';
import { openWeights } from './weight-files.ts';

export interface ConvertOptions {
  /** Type of the matrices. @default 'F16' */
  readonly type?: QuantizedType | undefined;
  /** `general.name`. */
  readonly modelName: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

export interface Converted {
  /** Of the GGUF file. */
  readonly bytes: number;
  /** What the model asks for and the file cannot say. */
  readonly warnings: readonly string[];
}

/** Whole blocks of every type; a piece takes 4 MB as floats. */
const pieceElements = 2 ** 20;

/**
 * Writes the safetensors of a model of the BERT family as a GGUF file, with the keys and names that
 * llama.cpp's converter uses.
 *
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`, `SOURCE_TRUNCATED`, `METADATA_MISSING`,
 * `METADATA_WRONG_TYPE`, `ARCHITECTURE_UNSUPPORTED`, `TENSOR_MISSING`, `TENSOR_SHAPE_MISMATCH`,
 * `TENSOR_TYPE_UNSUPPORTED`, `TOKENIZER_UNSUPPORTED`, `TOKENIZER_INVALID`, `WEIGHTS_NOT_FINITE`; the signal's reason
 */
export async function convertModel(
  files: ModelFiles,
  sink: ByteSink,
  options: ConvertOptions,
): Promise<Converted> {
  const { type = 'F16', modelName, signal, onProgress } = options;
  const config = await readBertConfig(files, signal);
  const vocabulary = await readVocabulary(files, config.vocabularySize, signal);
  const weights = await openWeights(files, signal);
  try {
    const named = nameBertTensors(config, weights.tensors);
    const totalBytes = named.reduce((total, { tensor }) => total + tensor.byteLength, 0);
    let doneBytes = 0;
    const count = (readBytes: number): void => {
      doneBytes += readBytes;
      onProgress?.({ phase: 'convert', label: modelName, doneBytes, totalBytes });
    };
    count(0);
    const metadata: ReadonlyMap<string, WritableValue> = bertMetadata(config, vocabulary, {
      type,
      modelName,
    });
    const tensors = named.map((each) => writable(each, type, count, signal));
    const bytes = await writeGguf(sink, { metadata, tensors });
    return { bytes, warnings: vocabulary.warnings };
  } finally {
    await weights.close();
  }
}

function writable(
  { name, tensor, shape, keepFloat }: NamedTensor,
  wanted: QuantizedType,
  count: (readBytes: number) => void,
  signal: AbortSignal | undefined,
): WritableTensor {
  const type = keepFloat ? 'F32' : wanted === 'Q8_0' && (shape.at(-1) ?? 0) % 32 !== 0 ? 'F16' : wanted;
  return {
    name,
    type,
    shape: shape.toReversed(),
    async *chunks() {
      const elementBytes = tensor.byteLength / tensor.elementCount;
      for (let done = 0; done < tensor.elementCount; done += pieceElements) {
        signal?.throwIfAborted();
        const elements = Math.min(pieceElements, tensor.elementCount - done);
        const offset = tensor.offset + done * elementBytes;
        const bytes = await tensor.source.read(offset, elements * elementBytes, signal);
        const values = dequantize(tensor.type, bytes, elements);
        requireFinite(values, type, tensor.name);
        yield quantize(type, values);
        count(bytes.length);
      }
    },
  };
}

const largestHalf = 65_504;

/** Half precision ends at 65 504, and so do the scales of Q8_0. */
function requireFinite(values: Float32Array, type: QuantizedType, tensor: string): void {
  const largest = type === 'F32' ? Number.MAX_VALUE : type === 'F16' ? largestHalf : largestHalf * 127;
  for (const value of values) {
    if (Math.abs(value) <= largest) continue;
    throw new RivuletError(
      'WEIGHTS_NOT_FINITE',
      `Expected numbers that ${type} can hold in the tensor ${quoted(tensor)}, found ${value}. ${
        Number.isFinite(value) ? 'Convert to F32.' : 'The model is damaged; download it again.'
      }`,
      { details: { tensor, type } },
    );
  }
}

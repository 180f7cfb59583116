import { RivuletError } from '../errors.ts';
import { quoted } from '../gguf/quoted.ts';
import { type TensorType, tensorTypeByName } from '../gguf/tensor-type.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { JsonFields, parseObject } from './json-fields.ts';

/** A tensor of a safetensors file. */
export interface SafeTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Outermost dimension first, as PyTorch has it. */
  readonly shape: readonly number[];
  readonly elementCount: number;
  readonly byteLength: number;
  readonly source: ByteSource;
  /** From the start of the file, in bytes. */
  readonly offset: number;
}

/** What a header may ask for: it is untrusted, and the figures leave room over the largest published files. */
const limits = {
  /** The format allows 100 MB; 50 000 tensors take 8, and as objects in memory many times that. */
  headerBytes: 32 * 2 ** 20,
  /** Mixtures with a tensor per expert reach 50 000. */
  tensors: 2 ** 19,
  /** Convolutions over volumes have five. */
  dimensions: 8,
} as const;

const lengthBytes = 8;

/** Our names for the types of the format; others have no use in a model that is converted. */
const types: ReadonlyMap<string, TensorType> = new Map([
  ['F64', 'F64'],
  ['F32', 'F32'],
  ['F16', 'F16'],
  ['BF16', 'BF16'],
  ['I64', 'I64'],
  ['I32', 'I32'],
  ['I16', 'I16'],
  ['I8', 'I8'],
]);

/** Types that are listed but never read: bytes per element. */
const otherTypes: ReadonlyMap<string, number> = new Map([
  ['U64', 8],
  ['U32', 4],
  ['U16', 2],
  ['U8', 1],
  ['BOOL', 1],
]);

/**
 * Reads the tensor list of a safetensors file, whose weights stay where they are. Tensors of types without
 * a GGUF counterpart (unsigned integers, booleans) are checked and left out.
 *
 * @throws {RivuletError} `SOURCE_TRUNCATED`, `SOURCE_UNREADABLE`, `TENSOR_TYPE_UNSUPPORTED`
 */
export async function readSafetensors(
  source: ByteSource,
  signal?: AbortSignal,
): Promise<readonly SafeTensor[]> {
  if (source.size < lengthBytes) throw broken(source, `at least ${lengthBytes} bytes`, `${source.size}`);
  const lengthField = await source.read(0, lengthBytes, signal);
  const view = new DataView(lengthField.buffer, lengthField.byteOffset, lengthBytes);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > limits.headerBytes || lengthBytes + headerBytes > source.size) {
    throw broken(source, 'a header inside the file', `a length of ${headerBytes} bytes`);
  }
  const text = new TextDecoder().decode(await source.read(lengthBytes, headerBytes, signal));
  const header = new JsonFields(source.name, parseObject(text, source.name));
  const dataStart = lengthBytes + headerBytes;
  const found: (SafeTensor | undefined)[] = [];
  const ranges: [begin: number, end: number][] = [];
  for (const name of header.names()) {
    if (name === '__metadata__') continue;
    if (ranges.length === limits.tensors) throw broken(source, `at most ${limits.tensors} tensors`, 'more');
    const fields = header.optionalObject(name);
    if (fields === undefined) throw broken(source, `a tensor ${quoted(name)}`, 'nothing under its name');
    const { tensor, range } = readTensor(source, name, fields, dataStart);
    ranges.push(range);
    found.push(tensor);
  }
  requireSeparate(source, ranges);
  return found.filter((tensor) => tensor !== undefined);
}

function readTensor(
  source: ByteSource,
  name: string,
  fields: JsonFields,
  dataStart: number,
): { tensor: SafeTensor | undefined; range: [begin: number, end: number] } {
  const shape = numbersOf(fields, 'shape');
  const range = numbersOf(fields, 'data_offsets');
  const dtype = fields.string('dtype');
  const type = types.get(dtype);
  const elementBytes = type === undefined ? otherTypes.get(dtype) : tensorTypeByName(type).blockBytes;
  if (elementBytes === undefined) {
    throw new RivuletError(
      'TENSOR_TYPE_UNSUPPORTED',
      `Expected the tensor ${quoted(name)} of a type that can be converted (${Array.from(types.keys()).join(', ')}), found ${quoted(dtype)}. Use a version of the model in one of these.`,
      { details: { tensor: name, type: dtype } },
    );
  }
  const [begin, end] = range;
  if (begin === undefined || end === undefined || range.length !== 2 || begin > end) {
    throw broken(source, `a begin and an end of ${quoted(name)}`, `[${range.join(', ')}]`);
  }
  if (dataStart + end > source.size) {
    throw broken(source, `${quoted(name)} inside the file`, `an end at byte ${dataStart + end}`);
  }
  const elementCount = shape.reduce((product, length) => product * length, 1);
  if (shape.length > limits.dimensions || elementCount * elementBytes !== end - begin) {
    throw broken(
      source,
      `bytes of ${quoted(name)} for its shape`,
      `${end - begin} for [${shape.join(', ')}] of ${dtype}`,
    );
  }
  const tensor =
    type === undefined
      ? undefined
      : { name, type, shape, elementCount, byteLength: end - begin, source, offset: dataStart + begin };
  return { tensor, range: [begin, end] };
}

function numbersOf(fields: JsonFields, name: string): readonly number[] {
  const list = fields.optionalList(name) ?? [Number.NaN];
  return list.map((value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new RivuletError(
      'SOURCE_UNREADABLE',
      `Expected "${name}" in the header of "${fields.file}" to be a list of whole numbers, found something else. The file is damaged; download it again.`,
      { details: { file: fields.file } },
    );
  });
}

/** The format forbids tensors to share bytes: a small file could otherwise stand for a huge model. */
function requireSeparate(source: ByteSource, ranges: readonly (readonly [number, number])[]): void {
  let last = 0;
  for (const [begin, end] of ranges.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin < last) throw broken(source, 'tensors that share no bytes', `two at byte ${begin}`);
    last = end;
  }
}

function broken(source: ByteSource, expected: string, found: string): RivuletError {
  return new RivuletError(
    'SOURCE_UNREADABLE',
    `The safetensors file "${source.name}" cannot be read: expected ${expected}, found ${found}. It is damaged or of another kind; download it again.`,
    { details: { file: source.name } },
  );
}

import { headerLimits } from './header-limits.ts';
import type { HeaderReader } from './header-reader.ts';
import { quoted } from './quoted.ts';
import type { TensorInfo } from './tensor-table.ts';
import { describeUnknownTensorType, tensorTypeById } from './tensor-type.ts';
import type { TensorTypeInfo } from './tensor-type.ts';

/**
 * Reads `count` entries of the tensor table; offsets are still relative to the data section.
 * @throws {RivuletError} `TENSOR_TYPE_UNSUPPORTED`, `GGUF_INVALID`, `GGUF_LIMIT_EXCEEDED`, `GGUF_TRUNCATED`
 */
export function readTensorInfos(reader: HeaderReader, count: number): TensorInfo[] {
  const names = new Set<string>();
  const tensors: TensorInfo[] = [];
  // Name length, number of dimensions, type and offset.
  reader.need(count * ((reader.wideLengths ? 8 : 4) + 4 + 4 + 8), `a table of ${count} tensors`);
  for (let index = 0; index < count; index++) {
    const tensor = readTensorInfo(reader, index);
    if (names.has(tensor.name)) {
      throw reader.invalid(`Expected tensor names to be unique, found ${quoted(tensor.name)} twice.`, {
        tensor: tensor.name,
      });
    }
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return tensors;
}

function readTensorInfo(reader: HeaderReader, index: number): TensorInfo {
  const name = reader.string(`the name of tensor ${index}`, headerLimits.tensorNameBytes);
  const what = `the tensor ${quoted(name)}`;
  const dimensions = reader.uint32(what);
  if (dimensions > headerLimits.dimensions) {
    throw reader.limit(what, dimensions, headerLimits.dimensions, 'dimensions');
  }
  const shape: number[] = [];
  for (let axis = 0; axis < dimensions; axis++) {
    const length = reader.wideLengths ? reader.uint64(what) : reader.uint32(what);
    if (typeof length === 'bigint' || length === 0) {
      throw reader.invalid(`Expected dimension ${axis} of ${what} between 1 and 2^53, found ${length}.`);
    }
    shape.push(length);
  }
  const typeId = reader.uint32(what);
  const type = tensorTypeById(typeId);
  if (type === undefined) {
    throw reader.error(
      'TENSOR_TYPE_UNSUPPORTED',
      `Expected ${what} to have a known tensor type, found number ${describeUnknownTensorType(typeId)}. Use a file with another quantization, such as Q4_K_M or Q8_0.`,
      { tensor: name, typeId },
    );
  }
  const offset = reader.uint64(what);
  if (typeof offset === 'bigint') {
    throw reader.invalid(`Expected the offset of ${what} below 2^53, found ${offset}.`, { tensor: name });
  }
  const elementCount = shape.reduce((product, length) => product * length, 1);
  const byteLength = blockBytes(reader, name, shape, elementCount, type);
  return { name, type: type.name, shape, elementCount, byteLength, shard: 0, offset };
}

function blockBytes(
  reader: HeaderReader,
  name: string,
  shape: readonly number[],
  elementCount: number,
  type: TensorTypeInfo,
): number {
  const columns = shape[0] ?? 1;
  if (columns % type.blockElements !== 0) {
    throw reader.invalid(
      `Expected the first dimension of the tensor ${quoted(name)} to be a multiple of ${type.blockElements}, the block size of ${type.name}, found ${columns}.`,
      { tensor: name, type: type.name },
    );
  }
  const byteLength = (elementCount / type.blockElements) * type.blockBytes;
  if (!Number.isSafeInteger(elementCount) || !Number.isSafeInteger(byteLength)) {
    throw reader.invalid(
      `Expected the tensor ${quoted(name)} to have fewer than 2^53 elements and bytes, found the shape ${shape.join(' x ')}.`,
      { tensor: name },
    );
  }
  return byteLength;
}

/**
 * Turns relative offsets into absolute ones and checks that every tensor is aligned, apart from all others
 * and inside the file; `fileBytes` undefined leaves out the last check.
 */
export function placeTensors(
  reader: HeaderReader,
  tensors: readonly TensorInfo[],
  dataOffset: number,
  alignment: number,
  fileBytes: number | undefined,
): TensorInfo[] {
  const placed = tensors.map((tensor) => {
    if (tensor.offset % alignment !== 0) {
      throw reader.invalid(
        `Expected the tensor ${quoted(tensor.name)} at a multiple of ${alignment} bytes, found it at ${tensor.offset}.`,
        { tensor: tensor.name, alignment },
      );
    }
    const offset = dataOffset + tensor.offset;
    const end = offset + tensor.byteLength;
    if (!Number.isSafeInteger(end)) {
      throw reader.invalid(
        `Expected the tensor ${quoted(tensor.name)} to end below byte 2^53, found ${end}.`,
      );
    }
    if (fileBytes !== undefined && end > fileBytes) {
      throw reader.error(
        'GGUF_TRUNCATED',
        `Expected the tensor ${quoted(tensor.name)} up to byte ${end}, but the file has ${fileBytes} bytes. The download was cut off; download it again.`,
        { tensor: tensor.name, neededBytes: end, fileBytes },
      );
    }
    return { ...tensor, offset };
  });
  let previous: TensorInfo | undefined;
  for (const tensor of placed.toSorted((left, right) => left.offset - right.offset)) {
    if (previous !== undefined && tensor.offset < previous.offset + previous.byteLength) {
      throw reader.invalid(
        `Expected tensors not to overlap, but ${quoted(previous.name)} and ${quoted(tensor.name)} share byte ${tensor.offset}.`,
        { tensor: tensor.name },
      );
    }
    previous = tensor;
  }
  return placed;
}

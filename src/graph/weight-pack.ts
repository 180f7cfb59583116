import type { GgufFile } from '../gguf/read-gguf.ts';
import type { TensorInfo } from '../gguf/tensor-table.ts';
import type { ExternalData } from '../onnx/graph-builder.ts';
import { nBitsLayout } from '../quant/repack-nbits.ts';

/** A matrix as the portable dialect sees it: numbers as they are, or codes with scales. */
export type PackedMatrix =
  | { readonly kind: 'float'; readonly data: ExternalData }
  | {
      readonly kind: 'codes';
      readonly bits: 4 | 8;
      readonly blockSize: 16 | 32;
      /** (rows, columns / blockSize, blockSize * bits / 8) u8 */
      readonly codes: ExternalData;
      /** (rows, columns / blockSize) f32 */
      readonly scales: ExternalData;
      /** (rows, columns / blockSize) f32, times the sum of each input block */
      readonly correction?: ExternalData;
    };

/** One matrix to be written into the pack file. */
export interface PackEntry {
  readonly tensor: TensorInfo;
  readonly matrix: PackedMatrix;
}

/** Bump when the layout of the pack file changes: old cache files are then not found any more. */
export const packLayoutVersion = 1;

/** ONNX Runtime needs none, but aligned matrices start on a cache line. */
const alignmentBytes = 64;

/**
 * Where every matrix lies in the file beside the graph. Little-endian files without quantized matrices
 * need no pack: the graph then points into the GGUF itself.
 */
export class WeightPack {
  readonly fileName: string;
  readonly #shardNames: readonly string[];
  readonly #entries = new Map<string, PackEntry>();
  readonly needed: boolean;
  #lengthBytes = 0;

  constructor(
    gguf: Pick<GgufFile, 'tensors' | 'littleEndian'>,
    fileName: string,
    shardNames: readonly string[],
  ) {
    this.fileName = fileName;
    this.#shardNames = shardNames;
    this.needed =
      !gguf.littleEndian || Array.from(gguf.tensors).some(({ type }) => nBitsLayout(type) !== undefined);
  }

  get entries(): readonly PackEntry[] {
    return [...this.#entries.values()];
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  matrix(tensor: TensorInfo): PackedMatrix {
    const known = this.#entries.get(tensor.name);
    if (known !== undefined) return known.matrix;
    const matrix = this.#place(tensor);
    this.#entries.set(tensor.name, { tensor, matrix });
    return matrix;
  }

  #place(tensor: TensorInfo): PackedMatrix {
    const layout = nBitsLayout(tensor.type);
    if (layout === undefined) {
      const inGguf: ExternalData = {
        file: this.#shardNames[tensor.shard] ?? '',
        offsetBytes: tensor.offset,
        lengthBytes: tensor.byteLength,
      };
      return { kind: 'float', data: this.needed ? this.#reserve(tensor.byteLength) : inGguf };
    }
    const { bits, blockSize } = layout;
    const blocks = tensor.elementCount / blockSize;
    return {
      kind: 'codes',
      bits,
      blockSize,
      codes: this.#reserve((tensor.elementCount * bits) / 8),
      scales: this.#reserve(blocks * 4),
      ...(layout.correction ? { correction: this.#reserve(blocks * 4) } : {}),
    };
  }

  #reserve(lengthBytes: number): ExternalData {
    const offsetBytes = this.#lengthBytes;
    this.#lengthBytes = Math.ceil((offsetBytes + lengthBytes) / alignmentBytes) * alignmentBytes;
    return { file: this.fileName, offsetBytes, lengthBytes };
  }
}

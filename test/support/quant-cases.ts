import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tensorTypeByName } from '../../src/gguf/tensor-type.ts';
import type { TensorType } from '../../src/gguf/tensor-type.ts';

/** One matrix of the conformance folder `quants`. */
export interface QuantCase {
  readonly type: TensorType;
  readonly kind: string;
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
  /** (rows, columns) f32, dequantized by the reference. */
  readonly values: Float32Array;
  /** (rows), in f64. */
  readonly matrixVector: readonly number[];
  /** (columns) f32 */
  readonly vector: Float32Array;
}

interface CaseFiles {
  readonly bytes: string;
  readonly values: string;
  readonly matrixVector: readonly number[];
}

interface TypeEntry extends Readonly<Partial<Record<(typeof kinds)[number], CaseFiles>>> {
  readonly type: string;
  readonly ggmlType: number;
  readonly blockSize: number;
  readonly typeSize: number;
}

interface Index {
  readonly rows: number;
  readonly columns: number;
  readonly vector: string;
  readonly types: readonly TypeEntry[];
}

const kinds = ['quantized', 'quantized-gauss', 'quantized-importance', 'random'] as const;

/** All cases of a folder with an `index.json`; checks that its type table is ours. */
export function readQuantCases(folder: string): QuantCase[] {
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
  const vector = readFloats(join(folder, index.vector));
  return index.types.flatMap((entry) => {
    const info = tensorTypeByName(entry.type);
    if (
      info?.id !== entry.ggmlType ||
      info.blockElements !== entry.blockSize ||
      info.blockBytes !== entry.typeSize
    ) {
      throw new Error(`The table of tensor types disagrees with the reference about ${entry.type}.`);
    }
    return kinds.flatMap((kind): QuantCase[] => {
      const files = entry[kind];
      if (files === undefined) return [];
      return [
        {
          type: info.name,
          kind,
          rows: index.rows,
          columns: index.columns,
          bytes: readFileSync(join(folder, files.bytes)),
          values: readFloats(join(folder, files.values)),
          matrixVector: files.matrixVector,
          vector,
        },
      ];
    });
  });
}

function readFloats(path: string): Float32Array {
  return new Float32Array(new Uint8Array(readFileSync(path)).buffer);
}

/** How many values differ in any bit. */
export function differentBits(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) return Math.max(left.length, right.length);
  const leftBits = new Uint32Array(left.buffer, left.byteOffset, left.length);
  const rightBits = new Uint32Array(right.buffer, right.byteOffset, right.length);
  let different = 0;
  for (let i = 0; i < leftBits.length; i++) if (leftBits[i] !== rightBits[i]) different += 1;
  return different;
}

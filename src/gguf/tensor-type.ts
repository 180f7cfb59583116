/** Names of the tensor element types of ggml. */
export type TensorType =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F64'
  | 'I8'
  | 'I16'
  | 'I32'
  | 'I64'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q8_1'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'Q8_K'
  | 'IQ2_XXS'
  | 'IQ2_XS'
  | 'IQ2_S'
  | 'IQ3_XXS'
  | 'IQ3_S'
  | 'IQ1_S'
  | 'IQ1_M'
  | 'IQ4_NL'
  | 'IQ4_XS'
  | 'TQ1_0'
  | 'TQ2_0'
  | 'MXFP4'
  | 'NVFP4'
  | 'Q1_0'
  | 'Q2_0';

export interface TensorTypeInfo {
  readonly id: number;
  readonly name: TensorType;
  /** Elements per block. */
  readonly blockElements: number;
  readonly blockBytes: number;
}

/** Columns: type number in files, elements per block, bytes per block. Source: `enum ggml_type` and `ggml-common.h`. */
const rows: Readonly<Record<TensorType, readonly [id: number, blockElements: number, blockBytes: number]>> = {
  F32: [0, 1, 4],
  F16: [1, 1, 2],
  Q4_0: [2, 32, 18],
  Q4_1: [3, 32, 20],
  Q5_0: [6, 32, 22],
  Q5_1: [7, 32, 24],
  Q8_0: [8, 32, 34],
  Q8_1: [9, 32, 36],
  Q2_K: [10, 256, 84],
  Q3_K: [11, 256, 110],
  Q4_K: [12, 256, 144],
  Q5_K: [13, 256, 176],
  Q6_K: [14, 256, 210],
  Q8_K: [15, 256, 292],
  IQ2_XXS: [16, 256, 66],
  IQ2_XS: [17, 256, 74],
  IQ3_XXS: [18, 256, 98],
  IQ1_S: [19, 256, 50],
  IQ4_NL: [20, 32, 18],
  IQ3_S: [21, 256, 110],
  IQ2_S: [22, 256, 82],
  IQ4_XS: [23, 256, 136],
  I8: [24, 1, 1],
  I16: [25, 1, 2],
  I32: [26, 1, 4],
  I64: [27, 1, 8],
  F64: [28, 1, 8],
  IQ1_M: [29, 256, 56],
  BF16: [30, 1, 2],
  TQ1_0: [34, 256, 54],
  TQ2_0: [35, 256, 66],
  MXFP4: [39, 32, 17],
  NVFP4: [40, 64, 36],
  Q1_0: [41, 128, 18],
  Q2_0: [42, 64, 18],
};

const byName: ReadonlyMap<string, TensorTypeInfo> = new Map(
  Object.entries(rows).map(([name, [id, blockElements, blockBytes]]) => [
    name,
    // The keys of `rows` are exactly the union; `Object.entries` only widens them.
    { id, name: name as TensorType, blockElements, blockBytes },
  ]),
);

const byId: ReadonlyMap<number, TensorTypeInfo> = new Map(
  Array.from(byName.values(), (info) => [info.id, info]),
);

/** All types that rivulet can name, in the order of their numbers in files. */
export const tensorTypes: readonly TensorTypeInfo[] = Array.from(byId.values()).toSorted(
  (left, right) => left.id - right.id,
);

/** The type with this number in a GGUF tensor table, if it is a known one. */
export function tensorTypeById(id: number): TensorTypeInfo | undefined {
  return byId.get(id);
}

/** The layout of a type; a plain string may be no type at all. */
export function tensorTypeByName(name: TensorType): TensorTypeInfo;
export function tensorTypeByName(name: string): TensorTypeInfo | undefined;
export function tensorTypeByName(name: string): TensorTypeInfo | undefined {
  return byName.get(name);
}

/**
 * Numbers that stand for types no longer written or written by forks only, so that a message can say what
 * the file is. Source: the removed entries of `enum ggml_type`, and ik_llama.cpp's additions.
 */
export function describeUnknownTensorType(id: number): string {
  const removed = removedTypes.get(id);
  if (removed !== undefined) return `${id} (${removed}, removed from ggml)`;
  if (id >= firstForkId && id <= lastForkId) return `${id} (a type that only ik_llama.cpp writes)`;
  return String(id);
}

const removedTypes: ReadonlyMap<number, string> = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [31, 'Q4_0_4_4'],
  [32, 'Q4_0_4_8'],
  [33, 'Q4_0_8_8'],
  [36, 'IQ4_NL_4_4'],
  [37, 'IQ4_NL_4_8'],
  [38, 'IQ4_NL_8_8'],
]);
const firstForkId = 133;
const lastForkId = 399;

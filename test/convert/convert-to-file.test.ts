import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { convert } from '../../src/index.ts';
import { spawnCli } from '../cli/spawn-cli.ts';
import { temporaryFolder } from '../source/temporary-folder.ts';
import { bertFiles, fileBytes, type Files } from './tiny-bert.ts';

async function modelFolder(files: Files = bertFiles()): Promise<{ root: string; model: string }> {
  const root = await temporaryFolder();
  const model = join(root, 'my-model');
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(model, name)), { recursive: true });
    writeFileSync(join(model, name), fileBytes(content));
  }
  return { root, model };
}

it('writes a file that is there completely or not at all', async () => {
  const { root, model } = await modelFolder();
  const output = join(root, 'out.gguf');
  const converted = await convert(model, { output });
  expect(converted).toEqual({ path: output, bytes: readFileSync(output).length, warnings: [] });
  const controller = new AbortController();
  const reason = new Error('enough');
  await expect(
    convert(join(model, 'model.safetensors'), {
      output: join(root, 'other.gguf'),
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    }),
  ).rejects.toBe(reason);
  expect(readdirSync(root).toSorted()).toEqual(['my-model', 'out.gguf']);
});

it('replaces a file only when told to', async () => {
  const { root, model } = await modelFolder();
  const output = join(root, 'out.gguf');
  writeFileSync(output, 'mine');
  await expect(convert(model, { output })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(readFileSync(output, 'utf8')).toBe('mine');
  await convert(model, { output, overwrite: true });
  expect(readFileSync(output).subarray(0, 4).toString()).toBe('GGUF');
});

it.each([
  ['nothing at the path', (root: string) => join(root, 'none'), 'out.gguf', 'SOURCE_NOT_FOUND'],
  ['no folder for the output', (root: string) => join(root, 'my-model'), 'no/out.gguf', 'INVALID_ARGUMENT'],
])('%s is a typed error', async (_, from, to, code) => {
  const { root } = await modelFolder();
  await expect(convert(from(root), { output: join(root, to) })).rejects.toMatchObject({ code });
});

it('on the command line: types, names, errors', async () => {
  const { root, model } = await modelFolder();
  const output = join(root, 'q.gguf');
  const first = await spawnCli(['convert', model, output, '--type', 'q8_0']);
  expect(first).toMatchObject({ exitCode: 0, stdout: `${output}\n` });
  expect(first.stderr).toMatch(/^\d.* in \d.*\n$/m);
  const info = await spawnCli(['tokenize', output, 'the cats', '--ids']);
  expect(info.stdout).toMatch(/5\D+6\D+7/);
  expect(await spawnCli(['convert', model, output])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^INVALID_ARGUMENT: .*--force/) as string,
  });
  expect(await spawnCli(['convert', model, output, '--force'])).toMatchObject({ exitCode: 0 });
  expect(await spawnCli(['convert', model, output, '--type', 'q4'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/f16, f32, q8_0/) as string,
  });
});

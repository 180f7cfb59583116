import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NoSuchModelError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { embed, generateText } from 'ai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Progress } from '#rivulet';
import { createLocal, local } from '../../../providers/ai-sdk/index.ts';
import { conformanceModelPath } from '../../support/conformance-model.ts';

const encoder = conformanceModelPath('bert');

afterEach(() => local.unload());

describe('lifecycle', () => {
  test('load, list, use, unload', async () => {
    expect(local.list()).toEqual([]);
    const phases: Progress['phase'][] = [];
    const provider = createLocal({ threads: 1, keepAlive: '1m' });
    const loading = provider.load(encoder, { onProgress: ({ phase }) => void phases.push(phase) });
    expect(local.list()).toMatchObject([{ reference: encoder, state: 'loading', activeStreams: 0 }]);
    const before = Date.now();
    const model = await loading;
    expect(phases).toContain('load');

    const [status] = local.list();
    expect(status).toMatchObject({
      reference: encoder,
      state: 'loaded',
      options: { threads: 1 },
      info: {
        architecture: 'bert',
        contextLength: model.info.contextLength,
        engine: { device: 'cpu', threads: 1 },
      },
      activeStreams: 0,
    });
    expect(status).not.toHaveProperty('progress');
    expect(status?.idleSince).toBeGreaterThanOrEqual(before);
    expect((status?.unloadsAt ?? 0) - (status?.idleSince ?? 0)).toBeCloseTo(60_000, -2);
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);

    // The same settings are the same engine.
    await embed({ model: provider.embeddingModel(encoder), value: 'a brook' });
    expect(local.list()).toHaveLength(1);
    await embed({ model: local.embeddingModel(encoder, { threads: 2 }), value: 'a brook' });
    expect(local.list()).toHaveLength(2);

    await local.unload('other.gguf');
    expect(local.list()).toHaveLength(2);
    await local.unload(encoder);
    expect(local.list()).toEqual([]);
    // What was loaded before goes on: its next request loads again.
    const { embeddings } = await model.embed({ values: ['a brook'] });
    expect(embeddings).toHaveLength(1);
    expect(local.list()).toHaveLength(1);
  });

  test('a signal ends the wait of a load only', async () => {
    const reason = new Error('enough');
    await expect(local.load(encoder, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(local.list()).toEqual([]);
    const controller = new AbortController();
    const loading = local.load(encoder, { signal: controller.signal });
    controller.abort(reason);
    await expect(loading).rejects.toBe(reason);
    expect(local.list()).toMatchObject([{ state: 'loading' }]);
    expect((await local.load(encoder)).info.architecture).toBe('bert');
    expect(local.list()).toHaveLength(1);
  });

  test('unloading ends a load under way', async () => {
    const loading = local.load(encoder);
    const failed = expect(loading).rejects.toMatchObject({
      code: 'DISPOSED',
      details: { reference: encoder },
    });
    await local.unload(encoder);
    await failed;
    expect(local.list()).toEqual([]);
  });

  test('no time to live: unloaded after each use, never before one', async () => {
    const model = local.embeddingModel(encoder, { keepAlive: 0, threads: 1 });
    const first = await embed({ model, value: 'a brook' });
    await expect.poll(() => local.list()).toEqual([]);
    const second = await embed({ model, value: 'a brook' });
    expect(second.embedding).toEqual(first.embedding);
  });
});

describe('check', () => {
  test('a model that can be loaded, with the context that was asked for; nothing is loaded', async () => {
    const check = await createLocal({ contextLength: 32 }).check(encoder);
    expect(check).toMatchObject({
      reference: encoder,
      fits: true,
      problems: [],
      info: { architecture: 'bert', contextLength: 32, capabilities: { embedding: true } },
    });
    expect(check.info.engine).toBeUndefined();
    expect(check.memory.weightBytes).toBeGreaterThan(1000);
    expect(check.memory.availableBytes).toBeGreaterThan(2 ** 20);
    expect(JSON.parse(JSON.stringify(check))).toEqual(check);
    expect(local.list()).toEqual([]);
  });

  test('problems are told, all of them', async () => {
    const check = await local.check(encoder, { contextLength: 2 ** 20, device: 'cuda' });
    expect(check.fits).toBe(false);
    expect(check.problems).toEqual([
      expect.stringContaining("Expected device to be 'cpu' or 'auto'"),
      expect.stringContaining('Expected contextLength'),
    ]);
  });

  test('no file there is an error, not a problem', async () => {
    await expect(local.check('/nowhere/at-all.gguf')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });
});

describe('where models are', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rivulet-models-'));
    await mkdir(join(folder, 'sub', 'tiny'), { recursive: true });
    await copyFile(encoder, join(folder, 'sub', 'tiny.gguf'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test.each(['sub/tiny.gguf', 'sub/tiny', './sub/tiny.gguf'])(
    '%s in the folder of models',
    async (reference) => {
      const { embeddingModel } = createLocal({ modelDirectory: folder });
      const model = embeddingModel(reference);
      expect(model.modelId).toBe(reference);
      expect((await embed({ model, value: 'a brook' })).embedding.length).toBeGreaterThan(0);
    },
  );

  test('absolute paths are as without the folder, and so are those of the working directory', async () => {
    const provider = createLocal({ modelDirectory: join(folder, 'sub'), vocabularyOnly: true });
    expect((await provider.load(encoder)).info.architecture).toBe('bert');
    await expect(provider.load('package.json')).rejects.toMatchObject({ code: 'GGUF_BAD_MAGIC' });
  });

  test('what leads out of the folder is refused', async () => {
    const provider = createLocal({ modelDirectory: join(folder, 'sub', 'tiny') });
    for (const reference of ['../tiny.gguf', 'x/../../tiny.gguf', '..']) {
      const error: unknown = await generateText({ model: provider(reference), prompt: 'Hi' }).catch(
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(NoSuchModelError);
      expect(error).toMatchObject({
        cause: { code: 'REFERENCE_INVALID' },
        message: expect.stringContaining('leads out'),
      });
    }
  });

  test('what is nowhere names both places', async () => {
    const provider = createLocal({ modelDirectory: folder });
    await expect(provider.load('nothing.gguf')).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringMatching(/nothing\.gguf.*folder of models/s),
      details: { modelDirectory: folder },
    });
  });
});

test.each(['cuda', 'webgpu'] as const)('the device %s is refused, saying what to do', async (device) => {
  const model = local(encoder, { device });
  const error: unknown = await generateText({ model, prompt: 'Hi' }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnsupportedFunctionalityError);
  expect(error).toMatchObject({ message: expect.stringContaining("Leave device away, or set it to 'auto'") });
});

import { readdir, readFile } from 'node:fs/promises';
import { NoSuchModelError } from '@ai-sdk/provider';
import { WORKFLOW_DESERIALIZE, WORKFLOW_SERIALIZE } from '@ai-sdk/provider-utils';
import { describe, expect, test } from 'vitest';
import * as entry from '../../../providers/ai-sdk/index.ts';
import * as embeddingModel from '../../../providers/ai-sdk/local-embedding-model.ts';
import * as languageModel from '../../../providers/ai-sdk/local-language-model.ts';
import * as provider from '../../../providers/ai-sdk/local-provider.ts';
import * as rerankingModel from '../../../providers/ai-sdk/local-reranking-model.ts';
import * as entryV3 from '../../../providers/ai-sdk/v3/index.ts';

const folder = new URL('../../../providers/ai-sdk/', import.meta.url);

async function sources(): Promise<Map<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const texts = names.map(async (name): Promise<[string, string]> => [
    name,
    await readFile(new URL(name, folder), 'utf8'),
  ]);
  return new Map(await Promise.all(texts));
}

/** How a provider with the id `local` is laid out and named by the conventions of the AI SDK. */
describe('the conventions of the AI SDK', () => {
  test.each([
    ['version 4', entry, 'v4'],
    ['version 3', entryV3, 'v3'],
  ])('the entry of %s exports the provider, its maker and the version', (_name, module, version) => {
    expect(Object.keys(module).toSorted()).toEqual(['VERSION', 'createLocal', 'local']);
    expect(module.VERSION).toMatch(/^\d+\.\d+\.\d+/u);
    expect(module.local.specificationVersion).toBe(version);
    expect(module.createLocal().specificationVersion).toBe(version);
  });

  test('local-provider.ts holds the provider, one file each holds the models', () => {
    expect(provider.local).toBe(entry.local);
    expect(provider.createLocal).toBe(entry.createLocal);
    const classes = [
      languageModel.LocalLanguageModel,
      embeddingModel.LocalEmbeddingModel,
      rerankingModel.LocalRerankingModel,
    ];
    for (const one of classes) {
      expect(one[WORKFLOW_SERIALIZE]).toBeTypeOf('function');
      expect(one[WORKFLOW_DESERIALIZE]).toBeTypeOf('function');
    }
    expect(classes.map(({ name }) => name)).toEqual([
      'LocalLanguageModel',
      'LocalEmbeddingModel',
      'LocalRerankingModel',
    ]);
  });

  test('every kind of model has a file for its options, of which only types go out', async () => {
    const files = await sources();
    for (const kind of ['language', 'embedding', 'reranking']) {
      const name = `local-${kind}-model-options.ts`;
      const type = `Local${kind[0]?.toUpperCase()}${kind.slice(1)}ModelOptions`;
      expect(files.get(name)).toMatch(new RegExp(`export type ${type} =`, 'u'));
      expect(files.get('index.ts')).toContain(`export type { ${type} } from './${name}'`);
      expect(files.get(name)).not.toMatch(/export const/u);
    }
  });

  test.each([
    ['languageModel', 'local.chat'],
    ['chat', 'local.chat'],
    ['embeddingModel', 'local.embedding'],
    ['embedding', 'local.embedding'],
    ['rerankingModel', 'local.reranking'],
    ['reranking', 'local.reranking'],
  ] as const)('local.%s makes models of %s', (method, kind) => {
    for (const [{ local }, specificationVersion] of [
      [entry, 'v4'],
      [entryV3, 'v3'],
    ] as const) {
      const model = local[method]('x.gguf');
      expect(model.provider).toBe(kind);
      expect(model.modelId).toBe('x.gguf');
      expect(model.specificationVersion).toBe(specificationVersion);
    }
    // What comes before the dot is the key of the options.
    expect(kind.split('.')[0]).toBe('local');
  });

  test('the provider is called, never constructed, in both versions', () => {
    for (const { local } of [entry, entryV3]) {
      expect(local('x.gguf')).toMatchObject({ provider: 'local.chat' });
      expect(() => Reflect.construct(local, ['x.gguf'])).toThrow(/new/u);
    }
  });

  test('kinds that it does not have are NoSuchModelErrors, or are not there', () => {
    for (const { local } of [entry, entryV3]) {
      const attempt = (): unknown => local.imageModel('x.gguf');
      expect(attempt).toThrow(expect.objectContaining({ modelId: 'x.gguf', modelType: 'imageModel' }));
      expect(attempt).toThrow(NoSuchModelError);
      expect('transcriptionModel' in local).toBe(false);
      expect('speechModel' in local).toBe(false);
    }
  });

  test('zod comes from its version 4, JSON is parsed nowhere by hand, nothing prints', async () => {
    for (const [name, text] of await sources()) {
      expect({ name, imports: /from 'zod'/u.test(text) }).toEqual({ name, imports: false });
      expect({ name, parses: /\bJSON\.parse\b/u.test(text) }).toEqual({ name, parses: false });
      expect({ name, prints: /\bconsole\./u.test(text) }).toEqual({ name, prints: false });
      expect({ name, kebab: /^(?:v3\/)?[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/u.test(name) }).toEqual({
        name,
        kebab: true,
      });
    }
  });

  test('the package depends on the specification, not on ai', async () => {
    const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
    const manifest = JSON.parse(text) as Record<string, Record<string, unknown>>;
    expect(manifest).toMatchObject({ type: 'module', sideEffects: false });
    expect(manifest['exports']).toMatchObject({
      './ai-sdk': { types: expect.any(String), default: expect.any(String) },
      './ai-sdk/v3': { types: expect.any(String), default: expect.any(String) },
      './package.json': './package.json',
    });
    const dependencies = Object.keys(manifest['dependencies'] ?? {});
    expect(dependencies).toEqual(
      expect.arrayContaining(['@ai-sdk/provider', '@ai-sdk/provider-utils', '@ai-sdk/provider-v3']),
    );
    expect(dependencies).not.toContain('ai');
    expect(manifest['peerDependencies']).toHaveProperty('zod', '^3.25.76 || ^4.1.8');
  });
});

import { NoSuchModelError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { WORKFLOW_DESERIALIZE, WORKFLOW_SERIALIZE } from '@ai-sdk/provider-utils';
import { cosineSimilarity, createProviderRegistry, customProvider, embed, embedMany, rerank } from 'ai';
import { describe, expect, test } from 'vitest';

import { local } from '../../../providers/ai-sdk/index.ts';
import { LocalEmbeddingModel } from '../../../providers/ai-sdk/local-embedding-model.ts';
import { conformanceModelPath } from '../../support/conformance-model.ts';

const encoder = conformanceModelPath('bert');
const reranker = conformanceModelPath('bert-rerank');

describe('embedding models', () => {
  test('embed and embedMany', async () => {
    const model = local.embeddingModel(encoder);
    expect(model).toMatchObject({
      specificationVersion: 'v4',
      provider: 'local.embedding',
      modelId: encoder,
    });
    const one = await embed({ model, value: 'a brook' });
    const many = await embedMany({ model, values: ['the sea', 'a brook'] });
    expect(many.embeddings[1]).toEqual(one.embedding);
    expect(cosineSimilarity(one.embedding, one.embedding)).toBeCloseTo(1, 5);
    expect(one.usage.tokens).toBeGreaterThan(2);
    expect(many.usage.tokens).toBeGreaterThan(one.usage.tokens);
    expect(one.providerMetadata?.['local']).toMatchObject({ engine: { device: 'cpu' } });
    expect(one.warnings).toEqual([]);
  });

  test('options go to the model', async () => {
    const model = local.embedding(encoder);
    const value = 'a brook';
    const plain = await embed({ model, value });
    const prefixed = await embed({ model, value: 'brook', providerOptions: { local: { prefix: 'a ' } } });
    expect(prefixed.embedding).toEqual(plain.embedding);
    const mean = await embed({ model, value, providerOptions: { local: { pooling: 'mean' } } });
    expect(mean.embedding).not.toEqual(plain.embedding);
    const { embeddings } = await model.doEmbed({ values: [value], dimensions: 4 });
    expect(embeddings[0]).toHaveLength(4);
    await expect(
      embed({ model, value, providerOptions: { local: { poolign: 'mean' } }, maxRetries: 0 }),
    ).rejects.toThrow('invalid local provider options: Unrecognized key: "poolign"');
  });

  test('errors name the argument that is wrong', async () => {
    const model = local.embeddingModel(encoder);
    const failureOf = (options: Partial<Parameters<typeof model.doEmbed>[0]>) =>
      Promise.resolve(model.doEmbed({ values: ['a'], ...options })).catch((error: unknown) => error);
    expect(await failureOf({ dimensions: 100_000 })).toMatchObject({ argument: 'dimensions' });
    expect(await failureOf({ values: ['a', 1 as unknown as string] })).toMatchObject({ argument: 'values' });
    const ranked = local
      .rerankingModel(reranker)
      .doRerank({ query: 'a', documents: { type: 'text', values: ['b'] }, topN: -1 });
    await expect(ranked).rejects.toMatchObject({ argument: 'topN' });
    await expect(
      embed({ model: local.embeddingModel(encoder, { contextLength: 100_000 }), value: 'a' }),
    ).rejects.toMatchObject({ argument: 'contextLength' });
  });

  test('an abort is thrown as it is', async () => {
    const reason = new Error('enough');
    const model = local.embeddingModel(encoder);
    await expect(
      embedMany({ model, values: ['a'], abortSignal: AbortSignal.abort(reason), maxRetries: 0 }),
    ).rejects.toBe(reason);
  });

  test('no file there', async () => {
    const failed = embed({ model: local.embeddingModel('/nowhere/at-all.gguf'), value: 'a', maxRetries: 0 });
    await expect(failed).rejects.toMatchObject({ modelType: 'embeddingModel' });
    await expect(failed).rejects.toBeInstanceOf(NoSuchModelError);
  });

  test('registries, custom providers and serialization', async () => {
    const registry = createProviderRegistry({ local });
    expect(registry.embeddingModel('local:hf:owner/repo:Q8_0').modelId).toBe('hf:owner/repo:Q8_0');
    const custom = customProvider({ embeddingModels: { notes: local.embeddingModel(encoder) } });
    expect(
      (await embed({ model: custom.embeddingModel('notes'), value: 'a' })).embedding.length,
    ).toBeGreaterThan(8);
    const plain = LocalEmbeddingModel[WORKFLOW_SERIALIZE](local.embeddingModel('x.gguf', { threads: 2 }));
    expect(plain).toEqual({ modelId: 'x.gguf', config: { provider: 'local.embedding', threads: 2 } });
    const config = { provider: 'local.embedding', threads: 2 };
    expect(LocalEmbeddingModel[WORKFLOW_DESERIALIZE]({ modelId: 'x.gguf', config }).modelId).toBe('x.gguf');
  });
});

describe('reranking models', () => {
  const documents = ['the sea', 'a river', 'stones and sand'];
  const query = 'where does the river run?';

  test('rerank with texts and with objects', async () => {
    const model = local.rerankingModel(reranker);
    expect(model).toMatchObject({ specificationVersion: 'v4', provider: 'local.reranking' });
    const { ranking, rerankedDocuments } = await rerank({ model, query, documents, topN: 2 });
    expect(ranking).toHaveLength(2);
    expect(ranking[0]?.score).toBeGreaterThanOrEqual(ranking[1]?.score ?? 1);
    expect(rerankedDocuments[0]).toBe(documents[ranking[0]?.originalIndex ?? -1]);
    const objects = await rerank({ model, query, documents: documents.map((text) => ({ text })) });
    expect(objects.ranking).toHaveLength(3);
  });

  test('a model that is no reranker says so', async () => {
    await expect(
      rerank({ model: local.reranking(encoder), query, documents, maxRetries: 0 }),
    ).rejects.toBeInstanceOf(UnsupportedFunctionalityError);
  });
});

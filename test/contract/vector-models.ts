import type { EmbeddingModelV4CallOptions, RerankingModelV4 } from '@ai-sdk/provider';
import { beforeAll, describe, expect, test } from 'vitest';

/** An embedding model of version 3 or 4: what is checked here is the same in both. */
export interface ContractEmbeddingModel {
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: PromiseLike<number | undefined> | number | undefined;
  readonly supportsParallelCalls: PromiseLike<boolean> | boolean;
  doEmbed(options: EmbeddingModelV4CallOptions): PromiseLike<{
    readonly embeddings: readonly (readonly number[])[];
    readonly usage?: { readonly tokens: number };
    readonly warnings: readonly unknown[];
    readonly providerMetadata?: Readonly<Record<string, unknown>>;
  }>;
}

export interface ContractRerankingModel {
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
  doRerank(options: Parameters<RerankingModelV4['doRerank']>[0]): PromiseLike<{
    readonly ranking: readonly { readonly index: number; readonly relevanceScore: number }[];
    readonly warnings?: readonly unknown[];
    readonly response?: { readonly modelId?: string; readonly timestamp?: Date };
    readonly providerMetadata?: Readonly<Record<string, unknown>>;
  }>;
}

export interface VectorSubject<T> {
  readonly version: 'v3' | 'v4';
  readonly open: () => Promise<T>;
}

/** What every embedding model does. */
export function describeEmbeddingModel(
  name: string,
  { version, open }: VectorSubject<ContractEmbeddingModel>,
): void {
  describe(name, () => {
    let model: ContractEmbeddingModel;
    const values = ['a brook', 'the sea is wide and deep', 'a brook'];

    beforeAll(async () => {
      model = await open();
    });

    test('the model object', async () => {
      expect(model).toMatchObject({ specificationVersion: version, provider: 'local.embedding' });
      expect(model.modelId).not.toBe('');
      expect(await model.supportsParallelCalls).toBe(true);
      expect(await model.maxEmbeddingsPerCall).toBeGreaterThan(1);
    });

    test('one vector per text, in order, plain numbers of one length', async () => {
      const { embeddings, usage, warnings, providerMetadata } = await model.doEmbed({ values });
      expect(embeddings).toHaveLength(3);
      const [first, second, third] = embeddings;
      expect(Array.isArray(first)).toBe(true);
      expect(second).toHaveLength(first?.length ?? 0);
      expect(third).toEqual(first);
      expect(second).not.toEqual(first);
      for (const vector of embeddings) {
        expect(vector.every((value) => Number.isFinite(value))).toBe(true);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
      }
      expect(warnings).toEqual([]);
      expect(usage?.tokens).toBeGreaterThan(values.length);
      expect(JSON.parse(JSON.stringify(providerMetadata))).toEqual(providerMetadata);
      expect(providerMetadata).toHaveProperty('local');
    });

    test('a text has the same vector alone and beside others', async () => {
      const alone = await model.doEmbed({ values: [values[1] ?? ''] });
      const beside = await model.doEmbed({ values });
      expect(beside.embeddings[1]).toEqual(alone.embeddings[0]);
    });

    test('no texts, no vectors', async () => {
      const { embeddings, usage } = await model.doEmbed({ values: [] });
      expect(embeddings).toEqual([]);
      expect(usage?.tokens).toBe(0);
    });

    test('a signal that is aborted already throws its reason', async () => {
      const reason = new Error('enough');
      const call = model.doEmbed({ values, abortSignal: AbortSignal.abort(reason) });
      await expect(call).rejects.toBe(reason);
    });

    test("other providers' options are none of ours, unknown ones of ours are refused", async () => {
      const other = await model.doEmbed({ values: ['a'], providerOptions: { other: { poolign: 1 } } });
      expect(other.embeddings).toHaveLength(1);
      const wrong = model.doEmbed({ values: ['a'], providerOptions: { local: { poolign: 1 } } });
      await expect(wrong).rejects.toMatchObject({ name: 'AI_InvalidArgumentError' });
    });
  });
}

/** What every reranking model does. */
export function describeRerankingModel(
  name: string,
  { version, open }: VectorSubject<ContractRerankingModel>,
): void {
  describe(name, () => {
    let model: ContractRerankingModel;
    const query = 'Where does the river run?';
    const documents = {
      type: 'text' as const,
      values: ['the sea', 'a river', 'stones and sand', 'a river that runs to the sea'],
    };

    beforeAll(async () => {
      model = await open();
    });

    test('the model object', () => {
      expect(model).toMatchObject({ specificationVersion: version, provider: 'local.reranking' });
      expect(model.modelId).not.toBe('');
    });

    test('every document once, best first', async () => {
      const { ranking, warnings, response, providerMetadata } = await model.doRerank({ query, documents });
      expect(ranking.map(({ index }) => index).toSorted()).toEqual([0, 1, 2, 3]);
      const scores = ranking.map(({ relevanceScore }) => relevanceScore);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(scores.every((score) => Number.isFinite(score))).toBe(true);
      expect(warnings).toEqual([]);
      expect(response).toMatchObject({ modelId: model.modelId, timestamp: expect.any(Date) });
      expect(providerMetadata).toHaveProperty('local');
    });

    test('topN is the beginning of all', async () => {
      const all = await model.doRerank({ query, documents });
      for (const topN of [1, 3, 9]) {
        const { ranking } = await model.doRerank({ query, documents, topN });
        expect(ranking).toEqual(all.ranking.slice(0, topN));
      }
    });

    test('objects are read as their JSON', async () => {
      const values = documents.values.map((text) => ({ text }));
      const objects = await model.doRerank({ query, documents: { type: 'object', values } });
      const texts = await model.doRerank({
        query,
        documents: { type: 'text', values: values.map((value) => JSON.stringify(value)) },
      });
      expect(objects.ranking).toEqual(texts.ranking);
    });

    test('no documents, no ranking', async () => {
      const { ranking } = await model.doRerank({ query, documents: { type: 'text', values: [] } });
      expect(ranking).toEqual([]);
    });

    test('a signal that is aborted already throws its reason', async () => {
      const reason = new Error('enough');
      const call = model.doRerank({ query, documents, abortSignal: AbortSignal.abort(reason) });
      await expect(call).rejects.toBe(reason);
    });

    test('unknown options of ours are refused', async () => {
      const wrong = model.doRerank({ query, documents, providerOptions: { local: { instructoin: 'x' } } });
      await expect(wrong).rejects.toMatchObject({ name: 'AI_InvalidArgumentError' });
    });
  });
}

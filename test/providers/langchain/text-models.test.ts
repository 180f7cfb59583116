import { Document } from '@langchain/core/documents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalEmbeddings, LocalReranker } from '../../../providers/langchain/index.ts';
import type { Warning } from '../../../src/events.ts';
import { openModel } from '../../../src/open-model.ts';
import { nodePlatform } from '../../../src/platform-node.ts';
import type { Model } from '../../../src/model.ts';
import { conformanceModelPath } from '../../support/conformance-model.ts';

let encoder: Model;
let reranker: Model;

async function open(name: string): Promise<Model> {
  return (await openModel(nodePlatform, name, conformanceModelPath(name))).model;
}

beforeAll(async () => {
  encoder = await open('bert');
  reranker = await open('bert-rerank');
});
afterAll(async () => {
  await encoder.dispose();
  await reranker.dispose();
});

const vectorOf = async (text: string): Promise<number[]> => {
  const { embeddings } = await encoder.embed({ values: [text] });
  return Array.from(embeddings[0] ?? []);
};

describe('LocalEmbeddings', () => {
  it('gives the vectors of the model as plain numbers, in order', async () => {
    const embeddings = new LocalEmbeddings(encoder);
    expect(embeddings.model).toBe('bert');
    const texts = ['a long text about a river', 'sea', ''];
    const vectors = await embeddings.embedDocuments(texts);
    for (const [index, text] of texts.entries()) expect(vectors[index]).toEqual(await vectorOf(text));
    expect(await embeddings.embedQuery('sea')).toEqual(vectors[1]);
    expect(await embeddings.embedDocuments([])).toEqual([]);
  });

  it('has prefixes for queries and documents apart, and dimensions', async () => {
    const embeddings = new LocalEmbeddings({
      model: encoder,
      queryPrefix: 'query: ',
      documentPrefix: 'passage: ',
    });
    expect(await embeddings.embedQuery('sea')).toEqual(await vectorOf('query: sea'));
    expect(await embeddings.embedDocuments(['sea'])).toEqual([await vectorOf('passage: sea')]);
    const short = await new LocalEmbeddings(encoder, { dimensions: 4 }).embedQuery('sea');
    expect(short).toHaveLength(4);
    expect(Math.hypot(...short)).toBeCloseTo(1, 5);
  });

  it('fails at once, without trying again, by what LangChain calls it', async () => {
    let attempts = 0;
    const counted: Model = {
      ...encoder,
      embed: (request) => {
        attempts += 1;
        return encoder.embed(request);
      },
    };
    const long = 'river '.repeat(2000);
    await expect(new LocalEmbeddings(counted).embedDocuments(['a', long])).rejects.toMatchObject({
      name: 'ContextOverflowError',
      message: expect.stringContaining('values[1]') as string,
    });
    await expect(new LocalEmbeddings(counted, { dimensions: 1e6 }).embedQuery('a')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(attempts).toBe(2);
    await expect(new LocalEmbeddings('/no/such.gguf').embedQuery('a')).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
  });

  it('cuts on request and tells', async () => {
    const warnings: Warning[] = [];
    const embeddings = new LocalEmbeddings(encoder, {
      truncate: true,
      onWarning: (warning) => void warnings.push(warning),
    });
    expect(await embeddings.embedDocuments(['river '.repeat(2000)])).toHaveLength(1);
    expect(warnings).toEqual([expect.objectContaining({ feature: 'truncate' })]);
  });

  it.each([new Error('enough'), 'enough'])('an abort rejects with its reason (%s)', async (reason) => {
    const abort = new AbortController();
    const waiting = new LocalEmbeddings(encoder).embedDocuments(
      Array.from({ length: 5000 }, () => 'the river runs to the sea'),
      { signal: abort.signal },
    );
    setTimeout(() => abort.abort(reason), 20);
    await expect(waiting).rejects.toBe(reason);
  });
});

describe('LocalReranker', () => {
  const documents = ['the sea', 'a river', 'stones and sand'].map(
    (pageContent, place) => new Document({ pageContent, metadata: { place }, id: `d${place}` }),
  );
  const query = 'where does the river run?';

  it('gives new documents, best first, with scores; the given ones stay as they are', async () => {
    const before = structuredClone(documents);
    const found = await new LocalReranker(reranker).compressDocuments(documents, query);
    expect(structuredClone(documents)).toEqual(before);
    const { ranking } = await reranker.rerank({
      query,
      documents: documents.map(({ pageContent }) => pageContent),
    });
    expect(found.map(({ id, metadata }) => [id, metadata['place'], metadata['relevanceScore']])).toEqual(
      ranking.map(({ index, score }) => [`d${index}`, index, score]),
    );
    for (const document of found) expect(document).toBeInstanceOf(Document);
  });

  it('keeps the best so many, and ranks texts and objects too', async () => {
    const top = new LocalReranker({ model: reranker, topN: 2 });
    const best = await top.compressDocuments(documents, query);
    expect(best).toHaveLength(2);
    const all = await top.rerank(documents, query, { topN: 3 });
    expect(all.slice(0, 2).map(({ relevanceScore }) => relevanceScore)).toEqual(
      best.map(({ metadata }) => metadata['relevanceScore'] as number),
    );
    const mixed = await top.rerank(['a river', { pageContent: 'a river' }, { title: 'River' }], query, {
      topN: 3,
    });
    expect(mixed.map(({ index }) => index).toSorted()).toEqual([0, 1, 2]);
    const scoreOf = (place: number): number | undefined =>
      mixed.find(({ index }) => index === place)?.relevanceScore;
    expect(scoreOf(0)).toBe(scoreOf(1));
    expect(await top.compressDocuments([], query)).toEqual([]);
  });

  it('says what a model without a head cannot do', async () => {
    await expect(new LocalReranker(encoder).compressDocuments(documents, query)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });
});

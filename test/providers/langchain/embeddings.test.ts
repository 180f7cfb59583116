import { Document } from '@langchain/core/documents';
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';
import { Embeddings } from '@langchain/core/embeddings';
import { afterAll, describe, expect, test } from 'vitest';

import { LocalEmbeddings, LocalReranker } from '../../../providers/langchain/index.ts';
import { loadModel } from '../../../src/index.ts';
import { conformanceModelPath } from '../../support/conformance-model.ts';

const encoder = conformanceModelPath('bert');
const reranker = conformanceModelPath('bert-rerank');

describe('LocalEmbeddings', () => {
  test('queries and documents', async () => {
    const embeddings = new LocalEmbeddings(encoder);
    expect(embeddings).toBeInstanceOf(Embeddings);
    const documents = await embeddings.embedDocuments(['the sea', 'a brook']);
    expect(documents).toHaveLength(2);
    expect(await embeddings.embedQuery('a brook')).toEqual(documents[1]);
    expect(await embeddings.embedDocuments([])).toEqual([]);
  });

  test('prefixes for either, dimensions', async () => {
    const embeddings = new LocalEmbeddings({ model: encoder, queryPrefix: 'a ', dimensions: 8 });
    const [plain] = await embeddings.embedDocuments(['a brook']);
    expect(await embeddings.embedQuery('brook')).toEqual(plain);
    expect(plain).toHaveLength(8);
  });

  test('a loaded model goes too', async () => {
    const model = await loadModel(encoder);
    afterAll(() => model.dispose());
    expect(await new LocalEmbeddings(model).embedQuery('a')).toHaveLength(
      (await new LocalEmbeddings(encoder).embedQuery('a')).length,
    );
  });

  test('the signal of the instance', async () => {
    const embeddings = new LocalEmbeddings(encoder, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(embeddings.embedQuery('a')).rejects.toThrow('enough');
  });
});

describe('LocalReranker', () => {
  const query = 'where does the river run?';
  const documents = ['the sea', 'a river', 'stones and sand'].map(
    (pageContent, place) => new Document({ pageContent, metadata: { place }, id: `d${place}` }),
  );

  test('orders copies and leaves the documents alone', async () => {
    const compressor = new LocalReranker(reranker);
    expect(BaseDocumentCompressor.isBaseDocumentCompressor(compressor)).toBe(true);
    const before = structuredClone(
      documents.map(({ pageContent, metadata, id }) => ({ pageContent, metadata, id })),
    );
    const ordered = await compressor.compressDocuments(documents, query);
    expect(ordered).toHaveLength(3);
    const scores = ordered.map(({ metadata }) => metadata['relevanceScore'] as number);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    for (const { metadata, pageContent, id } of ordered) {
      const given = documents[metadata['place'] as number];
      expect(given).toMatchObject({ pageContent, id });
      expect(given?.metadata).not.toHaveProperty('relevanceScore');
    }
    expect(documents.map(({ pageContent, metadata, id }) => ({ pageContent, metadata, id }))).toEqual(before);
  });

  test('topN, and texts instead of documents', async () => {
    const compressor = new LocalReranker({ model: reranker, topN: 2 });
    expect(await compressor.compressDocuments(documents, query)).toHaveLength(2);
    const ranking = await compressor.rerank(['the sea', 'a river'], query, { topN: 1 });
    expect(ranking).toHaveLength(1);
  });
});

import { expect, it } from 'vitest';

import { findPrefixes } from '../../src/embed/prefixes.ts';
import { Metadata } from '../../src/gguf/metadata.ts';

const named = (name: string, architecture = 'bert'): Metadata =>
  new Metadata(
    new Map([
      ['general.architecture', architecture],
      ['general.name', name],
    ]),
  );

it.each([
  ['Nomic Embed Text v1.5', 'search_query: ', 'search_document: '],
  ['multilingual-e5-small', 'query: ', 'passage: '],
  ['E5 Base V2', 'query: ', 'passage: '],
  ['bge-small-en-v1.5', 'Represent this sentence for searching relevant passages: ', ''],
  ['snowflake-arctic-embed-m', 'Represent this sentence for searching relevant passages: ', ''],
  ['snowflake-arctic-embed-l-v2.0', 'query: ', ''],
  ['embeddinggemma-300M', 'task: search result | query: ', 'title: none | text: '],
  [
    'Qwen3 Embedding 0.6B',
    'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:',
    '',
  ],
  ['all-MiniLM-L6-v2', '', ''],
  ['bge-m3', '', ''],
])('%s', (name, query, document) => {
  expect(findPrefixes(named(name))).toMatchObject({ query, document });
});

it('knows some by their architecture', () => {
  expect(findPrefixes(named('model', 'gemma-embedding')).document).toBe('title: none | text: ');
});

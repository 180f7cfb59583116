import type { Metadata } from '../gguf/metadata.ts';

interface Prefixes {
  readonly query: string;
  readonly document: string;
}

interface PrefixRow extends Prefixes {
  /** Of the names in the file, in lower case. */
  readonly name: RegExp;
}

const searching = 'Represent this sentence for searching relevant passages: ';
const retrieve =
  'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:';

/** From the models' own cards; the first that fits counts. */
const rows: readonly PrefixRow[] = [
  { name: /nomic.*embed|nomic-bert/, query: 'search_query: ', document: 'search_document: ' },
  { name: /e5.*instruct/, query: `${retrieve} `, document: '' },
  { name: /multilingual-e5|(^|[^a-z])e5-(small|base|large)/, query: 'query: ', document: 'passage: ' },
  { name: /arctic-embed.*v2/, query: 'query: ', document: '' },
  { name: /arctic-embed|mxbai-embed/, query: searching, document: '' },
  { name: /bge-(small|base|large)-en/, query: searching, document: '' },
  { name: /bge-(small|base|large)-zh/, query: '为这个句子生成表示以用于检索相关文章：', document: '' },
  {
    name: /embedding ?-?gemma|gemma-embedding/,
    query: 'task: search result | query: ',
    document: 'title: none | text: ',
  },
  { name: /qwen3.*embedding/, query: retrieve, document: '' },
];

/** What a model was trained to find in front of queries and of documents; nothing for models that are not known. */
export function findPrefixes(metadata: Metadata): Prefixes {
  const names = ['general.name', 'general.basename', 'general.base_model.0.name']
    .map((key) => metadata.optionalString(key) ?? '')
    .concat(metadata.architecture)
    .map((name) => name.toLowerCase().replaceAll(/[\s_]+/g, '-'));
  return rows.find(({ name }) => names.some((each) => name.test(each))) ?? { query: '', document: '' };
}

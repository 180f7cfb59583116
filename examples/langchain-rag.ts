import { readFile } from 'node:fs/promises';

import { Document } from '@langchain/core/documents';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { ChatLocal, LocalEmbeddings, LocalReranker } from 'rivulet/langchain';

// node examples/langchain-rag.ts "A question about rivulet?" reranker.gguf
const [question = 'How can I measure the speed of rivulet on my machine?', reranker] = process.argv.slice(2);

/** One document per section of the README. */
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const documents = readme.split(/^(?=## )/m).map((section) => {
  const heading = /^#+ +(.*)$/m.exec(section)?.[1] ?? 'Introduction';
  return new Document({ pageContent: section, metadata: { source: `README.md: ${heading}` } });
});

// A vector store would keep these; for one file an array is enough.
const embeddings = new LocalEmbeddings('minilm', { truncate: true });
const vectors = await embeddings.embedDocuments(documents.map(({ pageContent }) => pageContent));
const query = await embeddings.embedQuery(question);
// The vectors have length 1, so their product is the cosine.
const similarity = (vector: readonly number[]): number =>
  vector.reduce((sum, element, index) => sum + element * (query[index] ?? 0), 0);
const similar = documents
  .map((document, index) => ({ document, score: similarity(vectors[index] ?? []) }))
  .toSorted((left, right) => right.score - left.score)
  .map(({ document }) => document);

// As much as the tiny default model keeps in view; from 1.5 B on take more.
const topN = 1;
const best =
  reranker === undefined
    ? similar.slice(0, topN)
    : await new LocalReranker(reranker, { topN, truncate: true }).compressDocuments(
        similar.slice(0, 10),
        question,
      );

const prompt = ChatPromptTemplate.fromMessages([
  ['system', 'Answer the question in one sentence. Use only the text that you are given.'],
  // A small model loses sight of a question that comes before a long text.
  ['human', '{context}\n\nUsing the text above, answer this question: {question}'],
]);
const chain = prompt
  .pipe(new ChatLocal({ model: 'smollm2', temperature: 0, maxTokens: 120 }))
  .pipe(new StringOutputParser());
const context = best.map(({ pageContent }) => pageContent).join('\n\n');

for await (const text of await chain.stream({ context, question })) process.stdout.write(text);

process.stdout.write('\n\nSources:\n');
for (const { metadata } of best) process.stdout.write(`- ${String(metadata['source'])}\n`);

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { cosineSimilarity, embed, embedMany, rerank, streamText } from 'ai';
import { local } from 'rivulet/ai-sdk';

// node examples/rag.ts "A question about a folder of Markdown?" --folder docs --reranker reranker.gguf
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: 'string', default: '.' }, reranker: { type: 'string' } },
});
const question = positionals.join(' ') || 'Which reference names a model of the Hugging Face hub?';

// Paragraphs, each with the heading that tells what it is about.
const files = (await readdir(flags.folder)).filter((name) => name.endsWith('.md'));
const markdown = await Promise.all(files.map((file) => readFile(join(flags.folder, file), 'utf8')));
const chunks = markdown.flatMap((text, index) =>
  text.split(/^(?=#{1,3} )/m).flatMap((section) => {
    const source = `${files[index]}: ${/^#+ +(.*)$/m.exec(section)?.[1] ?? ''}`;
    const pieces = section.match(/[^]{1,1200}(?=\n\n|$)|[^]{1,1200}/g) ?? [];
    return pieces.map((piece) => ({ source, text: piece.trim() })).filter(({ text }) => text !== '');
  }),
);

const model = local.embeddingModel('minilm');
const providerOptions = { local: { truncate: true } };
const values = chunks.map(({ source, text }) => `${source}\n${text}`);
const { embeddings } = await embedMany({ model, values, providerOptions });
const { embedding } = await embed({ model, value: question });
const similar = chunks
  .map((chunk, index) => Object.assign(chunk, { score: cosineSimilarity(embedding, embeddings[index]!) }))
  .toSorted((left, right) => right.score - left.score);

let best = similar.slice(0, 3);
if (flags.reranker !== undefined) {
  const { ranking } = await rerank({
    model: local.rerankingModel(flags.reranker),
    query: question,
    documents: similar.slice(0, 20).map(({ text }) => text),
    topN: 3,
    providerOptions,
  });
  best = ranking.map(({ originalIndex, score }) => Object.assign(similar[originalIndex]!, { score }));
}

// A small model loses sight of the question in a long text: the two best are for it, and the question comes after them.
const context = best.slice(0, 2).map(({ text }) => text);
const { textStream } = streamText({
  model: local('smollm2'),
  instructions: 'Answer the question in one sentence. Use only the text that you are given.',
  prompt: `${context.join('\n\n')}\n\nUsing the text above, answer this question: ${question}`,
  temperature: 0,
  maxOutputTokens: 120,
});
for await (const text of textStream) process.stdout.write(text);
process.stdout.write('\n\nSources:\n');
for (const { source, score } of best) process.stdout.write(`- ${source} (${score.toFixed(2)})\n`);

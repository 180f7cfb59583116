import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { cosineSimilarity, embed, embedMany, rerank, streamText } from 'ai';
import { local } from 'rivulet/ai-sdk';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: 'string', default: '.' }, reranker: { type: 'string' } },
});
const question = positionals.join(' ') || 'Which reference names a model of the Hugging Face hub?';

/** A section of a file: small enough for the embedding model, with the heading that tells what it is about. */
interface Chunk {
  readonly source: string;
  readonly text: string;
}

/** Markdown by headings, and long sections by paragraphs. */
function chunksOf(file: string, markdown: string): Chunk[] {
  return markdown.split(/^(?=#{1,3} )/m).flatMap((section) => {
    const heading = /^#+ +(.*)$/m.exec(section)?.[1];
    const source = heading === undefined ? file : `${file}: ${heading}`;
    const texts: string[] = [];
    for (const paragraph of section.split(/\n{2,}/)) {
      const last = texts.at(-1);
      if (last !== undefined && last.length + paragraph.length < 1000)
        texts[texts.length - 1] = `${last}\n\n${paragraph}`;
      else texts.push(paragraph.slice(0, 1200));
    }
    return texts.filter((text) => text.trim() !== '').map((text) => ({ source, text }));
  });
}

const files = (await readdir(flags.folder)).filter((name) => name.endsWith('.md'));
const chunks = (
  await Promise.all(
    files.map(async (file) => chunksOf(file, await readFile(join(flags.folder, file), 'utf8'))),
  )
).flat();

const embedder = local.embeddingModel('minilm');
const truncate = { local: { truncate: true } };
const { embeddings } = await embedMany({
  model: embedder,
  values: chunks.map(({ source, text }) => `${source}\n${text}`),
  providerOptions: truncate,
});
const { embedding } = await embed({ model: embedder, value: question });

let best = chunks
  .map(({ source, text }, index) => ({
    source,
    text,
    score: cosineSimilarity(embedding, embeddings[index] ?? []),
  }))
  .toSorted((left, right) => right.score - left.score)
  .slice(0, flags.reranker === undefined ? 3 : 20);

if (flags.reranker !== undefined) {
  const { ranking } = await rerank({
    model: local.rerankingModel(flags.reranker),
    query: question,
    documents: best.map(({ text }) => text),
    topN: 3,
    providerOptions: truncate,
  });
  best = ranking.flatMap(({ originalIndex, score }) => {
    const chunk = best[originalIndex];
    return chunk === undefined ? [] : [{ ...chunk, score }];
  });
}

// A small model loses sight of the question in a long text: the two best are for it, all are named below.
const texts = best
  .slice(0, 2)
  .map(({ text }) => text)
  .join('\n\n');
const { textStream } = streamText({
  model: local('smollm2'),
  instructions: 'Answer the question in one sentence. Use only the text that you are given.',
  prompt: `${texts}\n\nUsing the text above, answer this question: ${question}`,
  temperature: 0,
  providerOptions: { local: { repeatPenalty: 1.1 } },
  maxOutputTokens: 120,
});
for await (const text of textStream) process.stdout.write(text);

process.stdout.write('\n\nSources:\n');
for (const { source, score } of best) process.stdout.write(`- ${source} (${score.toFixed(2)})\n`);

import { readFileSync } from 'node:fs';

import type { EmbedFigures, EmbedJob } from './embedder.ts';
import { openEmbedder } from './open-embedder.ts';

const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as EmbedJob;
const embedder = await openEmbedder(job.plan);
// Everything is paged in and compiled, and texts of all lengths were seen.
await embedder.all(job.texts.slice(0, 64));

const startMs = performance.now();
const vectors = await embedder.all(job.texts);
const batchedMs = performance.now() - startMs;

let singleMs: number | undefined;
if (job.singly) {
  const startMs = performance.now();
  for (const text of job.texts) await embedder.one(text);
  singleMs = performance.now() - startMs;
}
await embedder.dispose();
const figures: EmbedFigures = {
  engine: embedder.engine,
  batchedMs,
  ...(singleMs === undefined ? {} : { singleMs }),
  vectors: vectors.map((vector) => Array.from(vector)),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

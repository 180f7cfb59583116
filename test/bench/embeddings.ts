import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { loadModel, pull } from 'rivulet';
import type { Model } from 'rivulet';

import { formatTable } from './format-table.ts';
import { installNodeLlamaCpp } from './node-llama-cpp-package.ts';
import { makeText } from './prompts.ts';
import { median } from './statistics.ts';

/** Vectors of 256 short texts: all in one call, one call per text, in both engines, and node-llama-cpp's. */
const [reference = 'minilm', rounds = '3'] = process.argv.slice(2);
const textCount = 256;

const { path } = await pull(reference);
const native = await loadModel(path, { dialect: 'native' });
const portable = await loadModel(path, { dialect: 'portable' });
const texts = makeTexts(native);
const llama = await openNodeLlamaCpp(path);

interface Subject {
  readonly label: string;
  run(): Promise<readonly ArrayLike<number>[]>;
}
const subjects: readonly Subject[] = [
  { label: 'rivulet, one call', run: () => embedAll(native) },
  { label: 'rivulet, one call per text', run: () => embedEach(native) },
  { label: 'rivulet portable (ONNX Runtime), one call', run: () => embedAll(portable) },
  { label: 'node-llama-cpp createEmbeddingContext, one after another', run: () => llama.embedEach(false) },
  { label: 'node-llama-cpp createEmbeddingContext, all at once', run: () => llama.embedEach(true) },
];

const times = new Map<string, number[]>(subjects.map(({ label }) => [label, []]));
const vectors = new Map<string, readonly ArrayLike<number>[]>();
for (const { run } of subjects) await run();
// In turn, so that a machine which changes its pace favours none.
for (let round = 0; round < Number(rounds); round++) {
  for (const { label, run } of subjects) {
    const startMs = performance.now();
    vectors.set(label, await run());
    times.get(label)?.push(performance.now() - startMs);
  }
}

const [ours] = subjects;
const exact = vectors.get('rivulet portable (ONNX Runtime), one call') ?? [];
const rows = subjects.map(({ label }) => {
  const ratio = median(
    (times.get(label) ?? []).map(
      (timeMs, round) => timeMs / (times.get(ours?.label ?? '')?.[round] ?? Number.NaN),
    ),
  );
  const lowest = Math.min(
    ...(vectors.get(label) ?? []).map((vector, index) => cosine(vector, exact[index] ?? [])),
  );
  return [
    label,
    ((textCount * 1000) / median(times.get(label) ?? [])).toFixed(0),
    ratio.toFixed(2),
    lowest.toFixed(6),
  ];
});
process.stdout.write(
  `${formatTable([['', 'texts/s', 'time against the first', 'lowest cosine to the exact vectors'], ...rows])}\n`,
);
await Promise.all([native.dispose(), portable.dispose()]);
await llama.close();
process.exit(0);

/** Of 16 to 64 tokens. */
function makeTexts(model: Model): readonly string[] {
  const words = makeText(textCount * 64).split(' ');
  return Array.from({ length: textCount }, (_, index) => {
    const wanted = 16 + ((index * 29) % 49);
    let text = '';
    for (let next = index * 64; model.tokenize(text, { addSpecial: true }).length < wanted; next++) {
      text += text === '' ? words[next] : ` ${words[next]}`;
    }
    return text;
  });
}

async function embedAll(model: Model): Promise<readonly Float32Array[]> {
  return (await model.embed({ values: texts })).embeddings;
}

async function embedEach(model: Model): Promise<readonly Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const text of texts) rows.push(...(await model.embed({ values: [text] })).embeddings);
  return rows;
}

interface EmbeddingContext {
  getEmbeddingFor(text: string): Promise<{ readonly vector: readonly number[] }>;
}

interface NodeLlamaCppEmbeddings {
  getLlama(options: { gpu: false; build: 'never'; logLevel: 'error' }): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createEmbeddingContext(options: { contextSize: number; threads: number }): Promise<EmbeddingContext>;
    }>;
    dispose(): Promise<void>;
  }>;
}

async function openNodeLlamaCpp(modelPath: string): Promise<{
  embedEach(together: boolean): Promise<readonly (readonly number[])[]>;
  close(): Promise<void>;
}> {
  const folder = await installNodeLlamaCpp((text) => process.stderr.write(`${text}\n`));
  const entry = createRequire(join(folder, 'package.json')).resolve('node-llama-cpp');
  const api = (await import(pathToFileURL(entry).href)) as NodeLlamaCppEmbeddings;
  const instance = await api.getLlama({ gpu: false, build: 'never', logLevel: 'error' });
  const model = await instance.loadModel({ modelPath });
  // Its own choice of threads makes it many times slower on a machine of two cores.
  const threads = native.info.engine?.threads ?? 1;
  const context = await model.createEmbeddingContext({ contextSize: 512, threads });
  const one = async (text: string): Promise<readonly number[]> =>
    (await context.getEmbeddingFor(text)).vector;
  return {
    embedEach: async (together) => {
      if (together) return Promise.all(texts.map(one));
      const rows: (readonly number[])[] = [];
      for (const text of texts) rows.push(await one(text));
      return rows;
    },
    close: () => instance.dispose(),
  };
}

function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let [product, leftSquares, rightSquares] = [0, 0, 0];
  for (let index = 0; index < left.length; index++) {
    const [a, b] = [left[index] ?? 0, right[index] ?? 0];
    product += a * b;
    leftSquares += a * a;
    rightSquares += b * b;
  }
  return product / Math.sqrt(leftSquares * rightSquares);
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { loadModel, pull } from 'rivulet';

import { installNodeLlamaCpp } from '../node-llama-cpp-package.ts';
import type { EmbedderPlan, EmbedFigures, EmbedJob } from './embedder.ts';
import { formatRows, summarize } from './report.ts';
import type { EmbedSamples } from './report.ts';
import { makeTexts } from './texts.ts';
import { installTransformers } from './transformers-package.ts';

const usage = `npm run bench:embeddings -- [options]

How many of 256 texts of 16 to 64 tokens become vectors in a second, by all-MiniLM-L6-v2 in F16.

  --against <name>   node-llama-cpp (the same file) or transformers.js (ONNX q8); may be repeated
  --samples <n>      processes per subject, taken in turn (3)
`;

const { values } = parseArgs({
  options: {
    against: { type: 'string', multiple: true },
    samples: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) process.stdout.write(usage);
else await bench(values.against ?? [], Number(values.samples ?? 3));

async function bench(against: readonly string[], rounds: number): Promise<void> {
  const { path } = await pull('minilm');
  const vocabulary = await loadModel(path, { vocabularyOnly: true });
  const texts = makeTexts(
    256,
    { least: 16, most: 64 },
    (text) => vocabulary.tokenize(text, { addSpecial: true }).length,
  );
  await vocabulary.dispose();
  const subjects = await listSubjects(path, against);
  const samples: (EmbedSamples & { rounds: EmbedFigures[] })[] = subjects.map(([label]) => ({
    label,
    rounds: [],
  }));
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-bench-'));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [index, [label, plan]] of subjects.entries()) {
        say(`round ${round + 1}, ${label}`);
        samples[index]?.rounds.push(measure(folder, { plan, texts, singly: plan.kind === 'rivulet' }));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${formatRows(summarize(samples, texts.length))}\n`);
}

async function listSubjects(
  model: string,
  against: readonly string[],
): Promise<(readonly [label: string, plan: EmbedderPlan])[]> {
  const subjects: (readonly [string, EmbedderPlan])[] = [
    ['rivulet', { kind: 'rivulet', model, dialect: 'native' }],
    ['rivulet', { kind: 'rivulet', model, dialect: 'portable' }],
  ];
  for (const name of against) {
    if (name === 'node-llama-cpp') {
      const folder = await installNodeLlamaCpp(say);
      for (const threads of new Set([1, availableParallelism()])) {
        subjects.push([name, { kind: name, model, folder, threads }]);
      }
    } else if (name === 'transformers.js') {
      const folder = await installTransformers(say);
      // Which batch suits it best depends on the machine.
      for (const batch of [8, 32, 256]) subjects.push([name, { kind: name, folder, batch }]);
    } else {
      throw new Error(`Expected --against node-llama-cpp or transformers.js, found "${name}".`);
    }
  }
  return subjects;
}

function measure(folder: string, job: EmbedJob): EmbedFigures {
  const file = join(folder, 'job.json');
  writeFileSync(file, JSON.stringify(job));
  const child = fileURLToPath(new URL('child.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', child, file],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(`A sample ended with ${status}: ${stderr.trim().slice(-2000)}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as EmbedFigures;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

import { readFileSync } from 'node:fs';

import { watchOthers } from './busy-elsewhere.ts';
import { describeModel } from './describe-model.ts';
import type { Job, JobResult } from './job.ts';
import { fullEffort, quickEffort } from './measure.ts';
import type { Measure } from './measure.ts';
import { bandwidthName, measures } from './measures.ts';
import { readMemoryUse } from './memory-use.ts';
import { openNodeLlamaCpp } from './node-llama-cpp-subject.ts';
import { cutPrompts } from './prompts.ts';
import { readBandwidth } from './read-bandwidth.ts';
import { openRivulet } from './rivulet-subject.ts';
import type { OpenSubject } from './subject.ts';

const begunMs = performance.now();

/** A sample takes seconds; one that takes so long hangs. */
const longestMs = 20 * 60_000;

const job = JSON.parse(process.argv[2] ?? '') as Job;
setTimeout(() => {
  process.stderr.write(`The sample took more than ${longestMs / 60_000} minutes.\n`);
  process.exit(1);
}, longestMs).unref();
const result = await perform();
// Not every native library lets a process end by itself.
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));

async function perform(): Promise<JobResult> {
  const { subject, task } = job;
  if (subject.kind === 'bare') return { values: { ...(await readMemoryUse()) } };
  if (subject.kind === 'machine') {
    return { values: { [bandwidthName]: await readBandwidth(subject.threads) } };
  }
  if (task === 'describe') {
    if (subject.kind !== 'rivulet') throw new Error('Only rivulet describes a model.');
    return { values: {}, description: await describeModel(job.model, subject) };
  }
  const measure = measures.find(({ name }) => name === task);
  if (measure === undefined) throw new Error(`There is no measure "${task}".`);
  const others = watchOthers();
  const opened = await open(measure);
  const sample = await measure.run({
    opened,
    begunMs,
    prompts: cutPrompts(readIds(job.idsFile ?? ''), job.begin),
    effort: job.quick ? quickEffort : fullEffort,
  });
  const busyElsewhere = others();
  await opened.dispose();
  return { ...sample, engine: opened.engine, busyElsewhere };
}

function open(measure: Measure): Promise<OpenSubject> {
  const { subject, model } = job;
  switch (subject.kind) {
    case 'rivulet':
      return openRivulet(model, subject);
    case 'node-llama-cpp':
      return openNodeLlamaCpp(model, subject, measure);
    case 'bare':
    case 'machine':
      throw new Error(`Nothing of kind "${subject.kind}" opens a model.`);
  }
}

function readIds(path: string): Int32Array {
  const bytes = readFileSync(path);
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Int32Array.BYTES_PER_ELEMENT);
}

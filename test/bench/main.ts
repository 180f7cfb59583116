import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { pull } from 'rivulet';

import { collect } from './collect.ts';
import type { CollectRequest } from './collect.ts';
import type { ModelDescription, SubjectPlan } from './job.ts';
import { installNodeLlamaCpp } from './node-llama-cpp-package.ts';
import { BenchUsageError, readCommandLine, usage } from './read-command-line.ts';
import type { BenchOptions } from './read-command-line.ts';
import { formatReport, makeReport } from './report.ts';
import { runJob } from './run-job.ts';

process.exitCode = await main();

/** The exit code: 0, 1 when a sample failed, 2 for a wrong command line. */
async function main(): Promise<number> {
  try {
    const options = readCommandLine(process.argv.slice(2));
    if (options !== 'help') return await bench(options);
    process.stdout.write(usage);
    return 0;
  } catch (error) {
    if (!(error instanceof BenchUsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    return 2;
  }
}

async function bench(options: BenchOptions): Promise<number> {
  const { path } = await pull(options.model);
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-bench-'));
  try {
    const ours: SubjectPlan = {
      kind: 'rivulet',
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.dialect === undefined ? {} : { dialect: options.dialect }),
    };
    say('describing the model');
    const job = { task: 'describe', subject: ours, model: path, quick: options.quick };
    const { description } = await runJob(job, options.prefix);
    if (description === undefined) throw new Error('Expected a description of the model, got none.');
    say('reading the file, so that all find it in the page cache');
    for await (const _ of createReadStream(path));
    const idsFile = join(folder, 'ids.bin');
    writeFileSync(idsFile, new Uint8Array(Int32Array.from(description.ids).buffer));
    const subjects = [{ label: 'rivulet', plan: ours }, ...(await listOthers(options, description))];
    const collected = await collect({ options, path, idsFile, description, subjects, say });
    const report = makeReport(options, path, description, collected);
    process.stdout.write(`${formatReport(report)}\n`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
    return collected.failures === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** node-llama-cpp with each thread count that may suit it best. */
async function listOthers(
  options: BenchOptions,
  { threads: physicalCores }: ModelDescription,
): Promise<CollectRequest['subjects']> {
  if (!options.againstNodeLlamaCpp) return [];
  const folder = await installNodeLlamaCpp(say);
  const counts = new Set(options.againstThreads ?? [1, physicalCores]);
  return Array.from(counts, (threads) => ({
    label: `node-llama-cpp, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    plan: { kind: 'node-llama-cpp', threads, folder },
  }));
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

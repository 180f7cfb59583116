import type { JobResult, ModelDescription, SubjectPlan } from './job.ts';
import { bandwidthName, measures } from './measures.ts';
import { canReadMemory } from './memory-use.ts';
import type { BenchOptions } from './read-command-line.ts';
import { measureBareStart, runJob } from './run-job.ts';
import type { Series } from './statistics.ts';

/** How much other processes took part in a sample. */
export interface Disturbance {
  readonly measure: string;
  readonly label: string;
  readonly round: number;
  /** Part of all cores that others used, 0 to 1. */
  readonly busyElsewhere: number;
}

/** All values of one subject. */
export interface Measured {
  /** For people: "rivulet", "node-llama-cpp, 2 threads". */
  readonly label: string;
  readonly plan: SubjectPlan;
  /** By figure id; a value per round. */
  readonly series: Record<string, (number | undefined)[]>;
  engine?: string;
  text?: string;
}

export interface Collected {
  readonly subjects: readonly Measured[];
  /** Bytes per second, a value per round. */
  readonly bandwidth: Series;
  readonly disturbances: readonly Disturbance[];
  /** What was left out or failed, for people. */
  readonly notes: readonly string[];
  readonly failures: number;
}

export interface CollectRequest {
  readonly options: BenchOptions;
  readonly path: string;
  readonly idsFile: string;
  readonly description: ModelDescription;
  readonly subjects: readonly { readonly label: string; readonly plan: SubjectPlan }[];
  readonly say: (text: string) => void;
}

type Values = Readonly<Record<string, number>>;

/** Measures that need a bare process for comparison. */
const besideBare = new Set(['load', 'memory']);

/** Figures to which the start of a bare process is added, and from which its memory is taken. */
const coldFigures = new Set(['cold-start', 'cold-first-token']);

/**
 * Takes all samples in rounds: in each round, for each figure, one process per subject, one right after the other.
 */
export async function collect(request: CollectRequest): Promise<Collected> {
  const { options, description, say } = request;
  const subjects = request.subjects.map((subject): Measured => ({ ...subject, series: {} }));
  const bandwidth: (number | undefined)[] = [];
  const disturbances: Disturbance[] = [];
  const { names, notes } = chooseMeasures(options.only, description.contextLength);
  let failures = 0;

  const run = async (what: string, task: string, subject: SubjectPlan): Promise<JobResult | undefined> => {
    try {
      const { begin } = description;
      const { path: model, idsFile } = request;
      const job = { task, subject, model, idsFile, quick: options.quick };
      return await runJob(begin === undefined ? job : { ...job, begin }, options.prefix);
    } catch (error) {
      failures += 1;
      const note = `${what} failed: ${error instanceof Error ? error.message : String(error)}`;
      if (!notes.includes(note)) notes.push(note);
      say(note);
      return undefined;
    }
  };

  const measureBare = async (): Promise<Values | undefined> => {
    const result = canReadMemory ? await run('a bare process', 'memory', { kind: 'bare' }) : { values: {} };
    return result && { ...result.values, start: await measureBareStart(options.prefix) };
  };

  const measureMachine = async (round: number): Promise<void> => {
    const threads = options.threads ?? description.threads;
    const result = await run(bandwidthName, bandwidthName, { kind: 'machine', threads });
    bandwidth[round] = result?.values[bandwidthName];
  };

  for (let round = 0; round < options.samples; round++) {
    for (const name of names) {
      say(`round ${round + 1} of ${options.samples}: ${name}`);
      if (name === bandwidthName) {
        await measureMachine(round);
        continue;
      }
      const bare = besideBare.has(name) ? await measureBare() : {};
      if (bare === undefined) continue;
      for (const subject of subjects) {
        const result = await run(`${name} of ${subject.label}`, name, subject.plan);
        if (result === undefined) continue;
        record(subject, result, round, bare);
        const { busyElsewhere = 0 } = result;
        disturbances.push({ measure: name, label: subject.label, round, busyElsewhere });
      }
    }
  }
  return { subjects, bandwidth, disturbances, notes, failures };
}

/** What can be measured, and notes about the rest. */
function chooseMeasures(
  wanted: readonly string[],
  contextLength: number,
): { names: readonly string[]; notes: string[] } {
  const notes: string[] = [];
  const names = wanted.filter((name) => {
    const measure = measures.find((known) => known.name === name);
    if (measure === undefined) return true;
    if (measure.contextTokens > contextLength) {
      notes.push(
        `${name} left out: it needs ${measure.contextTokens} tokens, the model has ${contextLength}`,
      );
      return false;
    }
    if (measure.needsMemoryUse && !canReadMemory) {
      notes.push(`${name} left out: only Linux tells private memory from the pages of files`);
      return false;
    }
    return true;
  });
  return { names, notes };
}

function record(subject: Measured, result: JobResult, round: number, bare: Values): void {
  if (result.engine !== undefined) subject.engine = result.engine;
  if (result.text !== undefined) subject.text ??= result.text;
  for (const [id, value] of Object.entries(result.values)) {
    (subject.series[id] ??= [])[round] = beyondBare(id, value, bare);
  }
}

function beyondBare(id: string, value: number, bare: Values): number {
  if (coldFigures.has(id)) return value + (bare['start'] ?? 0);
  const [, kind] = /-(private|shareable)$/.exec(id) ?? [];
  return kind === undefined ? value : value - (bare[kind] ?? 0);
}

import { cpus, totalmem } from 'node:os';

import type { Collected } from './collect.ts';
import { formatRows, threeDigits } from './format-table.ts';
import type { ModelDescription } from './job.ts';
import { nodeLlamaCppVersion } from './node-llama-cpp-package.ts';
import type { BenchOptions } from './read-command-line.ts';
import { median, valuesOf } from './statistics.ts';
import type { Series } from './statistics.ts';
import { summarize } from './summarize.ts';
import type { Row } from './summarize.ts';

/** Everything about a run, as `--json` writes it. */
export interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly model: Omit<ModelDescription, 'ids'> & { readonly path: string };
  readonly options: BenchOptions;
  /** By label: what ran. */
  readonly engines: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
  /** All samples of all subjects, also of the thread counts that were not the best. */
  readonly samples: Readonly<Record<string, Readonly<Record<string, Series>>>>;
  /** Bytes per second, a value per round. */
  readonly bandwidth: Series;
  readonly disturbances: Collected['disturbances'];
  readonly notes: readonly string[];
}

export function makeReport(
  options: BenchOptions,
  path: string,
  description: ModelDescription,
  collected: Collected,
): Report {
  const { ids: _ids, ...model } = description;
  const { subjects, notes } = collected;
  const bandwidth =
    options.bandwidth === undefined
      ? collected.bandwidth
      : Array.from({ length: options.samples }, () => options.bandwidth);
  return {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      platform: `${process.platform}-${process.arch}`,
      node: process.version,
    },
    model: { ...model, path },
    options,
    engines: Object.fromEntries(subjects.map(({ label, engine }) => [label, engine ?? 'did not run'])),
    rows: summarize(subjects, { ...model, bandwidth }),
    samples: Object.fromEntries(subjects.map(({ label, series }) => [label, series])),
    bandwidth,
    disturbances: collected.disturbances,
    notes: [...notes, ...compareTexts(subjects)],
  };
}

/** The report for people, in Markdown. */
export function formatReport(report: Report): string {
  const { machine, model, options, engines, rows, notes } = report;
  const megabytes = (bytes: number): string => `${threeDigits(bytes / 1e6)} MB`;
  const bandwidth = valuesOf(report.bandwidth);
  const rounds = options.samples === 1 ? 'one process' : `medians of ${options.samples} processes each`;
  const lines = [
    `${model.name}: ${model.architecture}, ${model.quantization}, ${megabytes(model.fileBytes)}`,
    `${machine['cpu']}, ${machine['cores']} cores, ${machine['platform']}, Node ${machine['node']}`,
    ...Object.entries(engines).map(
      ([label, engine]) =>
        `${label.replace('node-llama-cpp', `node-llama-cpp ${nodeLlamaCppVersion}`)}: ${engine}`,
    ),
    `${rounds}${options.quick ? ', quick: too short for comparisons' : ''}; the file is in the page cache`,
  ];
  const shares = report.disturbances.map(({ busyElsewhere }) => busyElsewhere);
  if (shares.length > 0) {
    const percent = (share: number): string => `${Math.round(share * 100)} %`;
    lines.push(
      `other processes meanwhile took ${percent(median(shares))} of the cores, at most ${percent(Math.max(...shares))}`,
    );
  }
  if (bandwidth.length > 0) {
    const bytes = median(bandwidth);
    const given = options.bandwidth === undefined ? 'measured' : 'given';
    lines.push(
      `limit of decoding: ${megabytes(model.bytesPerToken)} of weights per token at ${threeDigits(bytes / 1e9)} GB/s (${given}) = ${threeDigits(bytes / model.bytesPerToken)} tok/s`,
    );
  }
  return [
    lines.map((line) => `- ${line}`).join('\n'),
    ...(rows.length === 0 ? [] : [formatRows(rows)]),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]),
  ].join('\n\n');
}

/** How far the greedy outputs agree: both should compute the same model. */
function compareTexts(subjects: Collected['subjects']): string[] {
  const [ours, ...others] = subjects;
  const text = ours?.text;
  if (text === undefined) return [];
  return others.flatMap((other) => {
    if (other.text === undefined) return [];
    const shorter = Math.min(text.length, other.text.length);
    let common = 0;
    while (common < shorter && text[common] === other.text[common]) common++;
    return [
      `greedy output of ${ours?.label} and ${other.label}: the first ${common} of ${shorter} characters agree`,
    ];
  });
}

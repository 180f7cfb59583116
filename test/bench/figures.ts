import { atLeast, atMost } from './goal.ts';
import type { Goal } from './goal.ts';

export type Unit = 'ms' | 'MB' | 'tok/s' | 'GB/s' | '×';

/** A row of the report. */
export interface Figure {
  readonly id: string;
  readonly label: string;
  readonly unit: Unit;
  readonly better: 'less' | 'more';
  readonly goal?: Goal;
}

/** Models below this many parameters fit well into caches; the goals differ. Between 0.5 B and 1 B. */
const smallModelParameters = 0.75e9;

/** All rows in the order of the report, with the goals of the project for a model of that size. */
export function listFigures(parameters: number): readonly Figure[] {
  const isSmall = parameters < smallModelParameters;
  const decode = isSmall ? atLeast('ratio', 2, 3) : atLeast('ratio', 1.2, 1.4);
  const abort = atMost('value', 100, 30);
  return [
    time('cold-start', 'process start → ready', atMost('ratio', 0.3, 0.1)),
    time('load', 'call to load → ready'),
    time('first-token', 'first request, 128 tokens → first token'),
    time('cold-first-token', 'process start → that first token'),
    memory('loaded-private', 'private memory, loaded'),
    memory('loaded-shareable', 'file pages in memory, loaded'),
    memory('1k-private', 'private memory, 1k of a 4k context', atMost('ratio', 0.3, 0.15)),
    memory('1k-shareable', 'file pages in memory, 1k of a 4k context'),
    speed('prefill-32', 'prefill, 32 tokens'),
    speed('prefill-128', 'prefill, 128 tokens'),
    speed('prefill-512', 'prefill, 512 tokens', atLeast('ratio', 1.8, 3)),
    speed('prefill-2048', 'prefill, 2048 tokens'),
    speed('decode-0', 'decode, context 0', decode),
    speed('decode-1k', 'decode, context 1k', decode),
    speed('decode-4k', 'decode, context 4k', decode),
    {
      id: 'memory-limit',
      label: 'decode at context 0, of the limit',
      unit: '×',
      better: 'more',
      goal: atLeast('value', undefined, isSmall ? 0.9 : 0.95),
    },
    speed('streams-8', '8 streams together', atLeast('ratio', 3, 6)),
    {
      id: 'streams-gain',
      label: '8 streams against decode of one',
      unit: '×',
      better: 'more',
      goal: atLeast('value', 3, 5),
    },
    time('abort-prefill', 'abort in prefill → settled', abort),
    time('abort-prefill-free', 'abort in prefill → engine free', abort),
    time('abort-decode', 'abort in decode → settled', abort),
    time('stall', 'longest stall of the event loop', atMost('value', 10, 3)),
  ];
}

function time(id: string, label: string, goal?: Goal): Figure {
  return figure(id, label, 'ms', 'less', goal);
}

function memory(id: string, label: string, goal?: Goal): Figure {
  return figure(id, label, 'MB', 'less', goal);
}

function speed(id: string, label: string, goal?: Goal): Figure {
  return figure(id, label, 'tok/s', 'more', goal);
}

function figure(id: string, label: string, unit: Unit, better: Figure['better'], goal?: Goal): Figure {
  return { id, label, unit, better, ...(goal === undefined ? {} : { goal }) };
}

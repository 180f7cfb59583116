import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { Measure } from './measure.ts';
import { median } from './statistics.ts';
import { decodeRate, firstTokenMs } from './subject.ts';

const warmUpTokens = 32;
const warmUpOutput = 8;

/** Tokens of a prompt per second, up to the first token of the output. */
export function measurePrefill(tokens: number): Measure {
  return {
    name: `prefill-${tokens}`,
    contextTokens: tokens + warmUpOutput,
    sequences: 1,
    needsMemoryUse: false,
    async run({ opened, prompts, effort }) {
      await opened.generate(0, prompts.next(warmUpTokens), warmUpOutput);
      const rates: number[] = [];
      const startMs = performance.now();
      do {
        const generation = await opened.generate(0, prompts.next(tokens), 1);
        rates.push((tokens * 1000) / firstTokenMs(generation));
      } while (rates.length < effort.prefills && performance.now() - startMs < effort.prefillMs);
      return { values: { [`prefill-${tokens}`]: median(rates) } };
    },
  };
}

/** The longest output of any effort. */
const mostDecodeTokens = 128;
const shortPromptTokens = 8;

/** Tokens per second of one stream behind a prompt of so many tokens; 0 = hardly any. */
export function measureDecode(name: string, contextTokens: number): Measure {
  const promptTokens = Math.max(contextTokens, shortPromptTokens);
  return {
    name,
    contextTokens: promptTokens + mostDecodeTokens,
    sequences: 1,
    needsMemoryUse: false,
    async run({ opened, prompts, effort }) {
      await opened.generate(0, prompts.next(shortPromptTokens), warmUpOutput);
      const generation = await opened.generate(0, prompts.next(promptTokens), effort.decodeTokens);
      return { values: { [name]: decodeRate(generation) }, text: generation.text };
    },
  };
}

const streamCount = 8;

/** All tokens of eight streams that start together, per second from the calls to the last one's end. */
export const measureStreams: Measure = {
  name: 'streams-8',
  contextTokens: shortPromptTokens + mostDecodeTokens,
  sequences: streamCount,
  needsMemoryUse: false,
  async run({ opened, prompts, effort }) {
    await opened.generate(0, prompts.next(shortPromptTokens), warmUpOutput);
    const begin = performance.now();
    const generations = await Promise.all(
      Array.from({ length: streamCount }, (_, stream) =>
        opened.generate(stream, prompts.next(shortPromptTokens), effort.decodeTokens),
      ),
    );
    const tokens = generations.reduce((sum, generation) => sum + generation.tokens, 0);
    const endMs = Math.max(...generations.map((generation) => generation.endMs));
    return { values: { 'streams-8': (tokens * 1000) / (endMs - begin) } };
  },
};

const stallPromptTokens = 96;
/** How often the event loop is looked at, in milliseconds. */
const stallResolution = 1;

/** How long the caller's event loop stood still at most, from the call to the end of a stream. */
export const measureStall: Measure = {
  name: 'stall',
  contextTokens: stallPromptTokens + mostDecodeTokens,
  sequences: 1,
  needsMemoryUse: false,
  async run({ opened, prompts, effort }) {
    const delays = monitorEventLoopDelay({ resolution: stallResolution });
    delays.enable();
    await opened.generate(0, prompts.next(stallPromptTokens), effort.decodeTokens);
    delays.disable();
    // What is recorded is the time from one look to the next.
    return { values: { stall: Math.max(0, delays.max / 1e6 - stallResolution) } };
  },
};

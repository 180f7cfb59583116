import { setTimeout } from 'node:timers/promises';

import type { Measure, MeasureContext } from './measure.ts';
import { median } from './statistics.ts';
import { firstTokenMs } from './subject.ts';
import type { OpenSubject } from './subject.ts';

const decodeTokens = 64;
/** The abort comes behind so many pieces of output, in the middle of a step. */
const piecesBeforeAbort = 8;
const shortPromptTokens = 8;
/** An abort in prefill comes when this part of the usual time is over. */
const prefillPart = 0.4;

/**
 * How long after an abort its stream has ended, and how much longer than usual the next request then waits for its
 * first token: an abort that only the caller sees leaves the engine busy.
 */
export function measureAbort(promptTokens: number): Measure {
  return {
    name: 'abort',
    contextTokens: promptTokens + decodeTokens,
    sequences: 1,
    needsMemoryUse: false,
    async run(context) {
      const { opened, prompts, effort } = context;
      const usual = await opened.generate(0, prompts.next(promptTokens), 1);
      const short: number[] = [];
      for (let index = 0; index < 3; index++) short.push(await shortRequest(context));
      const inPrefill: number[] = [];
      const busy: number[] = [];
      const inDecode: number[] = [];
      for (let index = 0; index < effort.aborts; index++) {
        const settledMs = await abortInPrefill(opened, prompts.next(promptTokens), firstTokenMs(usual));
        inPrefill.push(settledMs);
        busy.push(Math.max(0, settledMs + (await shortRequest(context)) - median(short)));
        inDecode.push(await abortInDecode(opened, prompts.next(shortPromptTokens)));
        await shortRequest(context);
      }
      return {
        values: {
          'abort-prefill': Math.max(...inPrefill),
          'abort-prefill-free': Math.max(...busy),
          'abort-decode': Math.max(...inDecode),
        },
      };
    },
  };
}

async function shortRequest({ opened, prompts }: MeasureContext): Promise<number> {
  const startMs = performance.now();
  await opened.generate(0, prompts.next(shortPromptTokens), 1);
  return performance.now() - startMs;
}

async function abortInPrefill(opened: OpenSubject, prompt: Int32Array, usualMs: number): Promise<number> {
  const abort = new AbortController();
  const ended = endOf(opened.generate(0, prompt, 1, { signal: abort.signal }));
  await setTimeout(usualMs * prefillPart);
  return settle(abort, ended);
}

async function abortInDecode(opened: OpenSubject, prompt: Int32Array): Promise<number> {
  const abort = new AbortController();
  const reached = Promise.withResolvers<void>();
  const startMs = performance.now();
  let pieces = 0;
  const onPiece = (): void => {
    if (++pieces === piecesBeforeAbort) reached.resolve();
  };
  const ended = endOf(opened.generate(0, prompt, decodeTokens, { signal: abort.signal, onPiece }));
  await Promise.race([reached.promise, ended]);
  await setTimeout((performance.now() - startMs) / piecesBeforeAbort / 2);
  return settle(abort, ended);
}

/** When a generation ended and with what. */
async function endOf(generation: Promise<unknown>): Promise<{ endMs: number; error?: unknown }> {
  try {
    await generation;
    return { endMs: performance.now() };
  } catch (error) {
    return { endMs: performance.now(), error };
  }
}

async function settle(
  abort: AbortController,
  ended: Promise<{ endMs: number; error?: unknown }>,
): Promise<number> {
  const abortMs = performance.now();
  abort.abort();
  const { endMs, error } = await ended;
  if (error === abort.signal.reason) return endMs - abortMs;
  throw error ?? new Error('The generation ended before its abort; the model is too fast for this measure.');
}

import type { Measure } from './measure.ts';
import { canReadMemory, readMemoryUse } from './memory-use.ts';
import { firstTokenMs } from './subject.ts';

const promptTokens = 128;

/** How long until the model is there, and until it says its first word. */
export const measureLoad: Measure = {
  name: 'load',
  contextTokens: promptTokens + 1,
  sequences: 1,
  needsMemoryUse: false,
  async run({ opened, begunMs, prompts }) {
    const memory = canReadMemory ? await readMemoryUse() : undefined;
    const first = await opened.generate(0, prompts.next(promptTokens), 1);
    // The start of Node itself is added from a bare process: this one also reads TypeScript, which no user's does.
    const readyMs = opened.readyMs - begunMs;
    return {
      values: {
        'cold-start': readyMs,
        load: opened.readyMs - opened.importedMs,
        'first-token': firstTokenMs(first),
        'cold-first-token': readyMs + firstTokenMs(first),
        ...(memory === undefined
          ? {}
          : { 'loaded-private': memory.private, 'loaded-shareable': memory.shareable }),
      },
    };
  },
};

const heldTokens = 1024;
/** Nobody who fills 1k tokens opens a context that ends there. */
const roomTokens = 4096;
const outputTokens = 16;

/** What the process holds once it has worked on a part of its context. */
export const measureMemory: Measure = {
  name: 'memory',
  contextTokens: heldTokens + outputTokens,
  roomTokens,
  sequences: 1,
  needsMemoryUse: true,
  async run({ opened, prompts }) {
    await opened.generate(0, prompts.next(heldTokens), outputTokens);
    const { private: own, shareable } = await readMemoryUse();
    return { values: { '1k-private': own, '1k-shareable': shareable } };
  },
};

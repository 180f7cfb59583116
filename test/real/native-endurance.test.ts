import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Session } from '../../src/session/session.ts';
import { defaultModelPath } from '../support/default-model.ts';

async function open(): Promise<Session> {
  const gguf = await openGguf(nodePlatform, await defaultModelPath());
  try {
    return await nodePlatform.createSession({ gguf, contextLength: 2048, dialect: 'native', threads: 2 });
  } finally {
    await closeGguf(gguf);
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** In a pause an engine gives back what its steps left with the C library, see `next_command` of its thread. */
const pauseMs = 500;

/**
 * Bytes that this process has written and keeps in a pause, without room that V8 holds for objects to come. Pages of
 * the mapped file are clean: whose they are depends on who else maps it.
 */
async function keptBytes(): Promise<number> {
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  const report = readFileSync('/proc/self/smaps_rollup', 'utf8');
  const kibibytes = [...report.matchAll(/^Private_(?:Dirty|Hugetlb):\s+(\d+) kB$/gm)].map((match) =>
    Number(match[1]),
  );
  const { heapTotal, heapUsed } = process.memoryUsage();
  return kibibytes.reduce((sum, value) => sum + value, 0) * 1024 - (heapTotal - heapUsed);
}

const threads = (): number => readdirSync('/proc/self/task').length;

const prompt = Int32Array.from({ length: 400 }, (_, index) => 100 + ((index * 7919) % 20_000));

const onLinux = describe.runIf(process.platform === 'linux');

onLinux('memory and threads stay flat (measured by /proc, so on Linux only)', () => {
  it('over 1000 aborted and restarted requests', { timeout: 300_000 }, async () => {
    const session = await open();
    let settled = 0;
    let slowest = 0;
    const cycle = async (index: number): Promise<void> => {
      const sequence = session.openSequence();
      const abort = new AbortController();
      const step = session.step([{ sequence, tokens: prompt, select: { count: 8 } }], abort.signal);
      await new Promise((resolve) => setTimeout(resolve, index % 5));
      const start = performance.now();
      abort.abort(new Error('enough'));
      await step.then(
        () => undefined,
        (error: unknown) => {
          expect(error).toBe(abort.signal.reason);
          settled += 1;
        },
      );
      slowest = Math.max(slowest, performance.now() - start);
      expect(session.lengthOf(sequence)).toBe(0);
      // The next request runs as if nothing had been.
      if (index % 100 === 0) {
        const [result] = await session.step([{ sequence, tokens: prompt.slice(0, 3), select: { count: 1 } }]);
        expect(result?.candidates?.ids.length).toBe(1);
      }
      session.closeSequence(sequence);
    };
    for (let index = 0; index < 100; index++) await cycle(index);
    const before = { bytes: await keptBytes(), threads: threads() };
    for (let index = 0; index < 1000; index++) await cycle(index);
    const growth = (await keptBytes()) - before.bytes;
    expect(settled).toBeGreaterThan(900);
    expect(threads()).toBe(before.threads);
    expect(growth).toBeLessThan(16 * 2 ** 20);
    expect(slowest).toBeLessThan(100);
    await session.dispose();
  });

  it('over 200 loaded and disposed engines', { timeout: 300_000 }, async () => {
    const run = async (): Promise<Session> => {
      const session = await open();
      const sequence = session.openSequence();
      await session.step([{ sequence, tokens: prompt.slice(0, 8), select: { count: 1 } }]);
      return session;
    };
    const cycles = async (count: number): Promise<{ bytes: number; threads: number }> => {
      for (let index = 1; index < count; index++) await (await run()).dispose();
      const last = await run();
      const found = { bytes: await keptBytes(), threads: threads() };
      await last.dispose();
      return found;
    };
    const before = await cycles(20);
    const after = await cycles(200);
    expect(after.threads).toBe(before.threads);
    expect(after.bytes - before.bytes).toBeLessThan(32 * 2 ** 20);
  });

  it('an idle engine uses no processor time', async () => {
    const session = await open();
    const sequence = session.openSequence();
    await session.step([{ sequence, tokens: prompt.slice(0, 8), select: { count: 1 } }]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const used = process.cpuUsage(before);
    expect((used.user + used.system) / 1000).toBeLessThan(20);
    await session.dispose();
  });
});

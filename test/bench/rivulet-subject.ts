import type { LoadOptions, Model } from 'rivulet';

import type { SubjectPlan } from './job.ts';
import type { GenerateOptions, Generation, OpenSubject } from './subject.ts';

/** A beginning-of-text token, and one more by chance: of two prompts, the first two ids behind it differ. */
const expectedCacheRead = 2;

/** The package as its users have it: by its name, from the build. */
export async function openRivulet(
  model: string,
  plan: SubjectPlan & { kind: 'rivulet' },
): Promise<OpenSubject> {
  const { loadModel } = await import('rivulet');
  const importedMs = performance.now();
  const loaded = await loadModel(model, {
    ...(plan.threads === undefined ? {} : { threads: plan.threads }),
    ...(plan.dialect === undefined
      ? {}
      : { dialect: plan.dialect as Exclude<LoadOptions['dialect'], undefined> }),
  });
  const readyMs = performance.now();
  const { engine } = loaded.info;
  if (plan.dialect !== undefined && engine?.dialect !== plan.dialect) {
    throw new Error(`Expected the dialect ${plan.dialect} to run, found ${engine?.dialect}.`);
  }
  return {
    engine: describeEngine(loaded),
    importedMs,
    readyMs,
    generate: (_stream, prompt, count, options) => generate(loaded, prompt, count, options),
    dispose: () => loaded.dispose(),
  };
}

/** Everything that the model says about its engine. */
export function describeEngine({ info }: Model): string {
  return Object.entries(info.engine ?? {})
    .filter(([name]) => name !== 'loadMs')
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

async function generate(
  model: Model,
  prompt: Int32Array,
  count: number,
  { signal, onPiece }: GenerateOptions = {},
): Promise<Generation> {
  const startMs = performance.now();
  let firstMs: number | undefined;
  let text = '';
  const events = model.complete({
    prompt,
    maxTokens: count,
    temperature: 0,
    ignoreEos: true,
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const event of events) {
    if (event.type === 'text-delta') {
      firstMs ??= performance.now();
      text += event.delta;
      onPiece?.();
    } else if (event.type === 'finish') {
      const endMs = performance.now();
      const { usage, timings } = event;
      requireFresh(prompt.length, usage.inputTokens.cacheRead);
      // Tokens without visible text come without an event; the engine's own clock knows when decoding began.
      const decodeMs = Math.max(endMs - (firstMs ?? endMs), timings.decodeMs);
      firstMs ??= endMs - timings.decodeMs;
      return { startMs, firstMs, endMs, tokens: usage.outputTokens.total, decodeMs, text };
    }
  }
  throw new Error('The stream ended without its finish event.');
}

/** A prompt that was computed before would look like a fast prefill. */
function requireFresh(promptTokens: number, cacheRead: number): void {
  if (cacheRead > expectedCacheRead) {
    throw new Error(
      `Expected a prompt that is new, found ${cacheRead} of its ${promptTokens} tokens cached.`,
    );
  }
}

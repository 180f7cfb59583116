import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { describe, expect, test } from 'vitest';
import { checkParts, foldParts } from './language-model-parts.ts';
import type { StreamPart } from './language-model-parts.ts';

/** A language model of version 3 or 4: the calls below are the same in both. */
export interface ContractModel {
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
  readonly supportedUrls: unknown;
  doGenerate(options: LanguageModelV4CallOptions): PromiseLike<GenerateResult>;
  doStream(options: LanguageModelV4CallOptions): PromiseLike<{ stream: ReadableStream; request?: unknown }>;
}

interface GenerateResult {
  readonly content: readonly object[];
  readonly finishReason: { readonly unified: string };
  readonly usage: object;
  readonly warnings: readonly unknown[];
  readonly request?: unknown;
  readonly response?: unknown;
}

export interface ContractCall {
  /** Says the same to the same call twice. */
  readonly model: ContractModel;
  readonly options?: Partial<LanguageModelV4CallOptions>;
}

export interface ContractCase {
  readonly open: () => Promise<ContractCall>;
  readonly finish: 'stop' | 'length' | 'tool-calls';
  /** Types of the content, in order; repeated ones once. @default not checked */
  readonly content?: readonly string[];
}

export interface LanguageModelSubject {
  readonly version: 'v3' | 'v4';
  readonly cases: Readonly<Record<string, ContractCase>>;
  /** A call that would go on for more than 10 seconds. */
  readonly long: () => Promise<ContractCall>;
  /** A call whose prompt takes seconds. */
  readonly slowPrefill: () => Promise<ContractCall>;
  /** Requests that the engine still works for. */
  readonly running?: (model: ContractModel) => number;
  /** Most milliseconds from an abort to the end. @default 500 */
  readonly settleMs?: number;
}

const prompt: LanguageModelV4CallOptions['prompt'] = [
  { role: 'user', content: [{ type: 'text', text: 'Count the rivers.' }] },
];

/** What every language model does. */
export function describeLanguageModel(name: string, subject: LanguageModelSubject): void {
  const settleMs = subject.settleMs ?? 500;

  describe(name, () => {
    test('the model object', async () => {
      const { model } = await subject.long();
      expect(model.specificationVersion).toBe(subject.version);
      expect(model.provider).toBe('local.chat');
      expect(model.modelId).not.toBe('');
      expect(await model.supportedUrls).toEqual({});
    });

    describe.each(Object.entries(subject.cases))('%s', (_name, { open, finish, content }) => {
      test('its parts come in the canonical order', async () => {
        const call = await open();
        const parts = await partsOf(call);
        checkParts(parts);
        expect(parts.some(({ type }) => type === 'raw')).toBe(false);
        expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason: { unified: finish } });
        if (content !== undefined) {
          const types = foldParts(parts).map((part) => (part as StreamPart).type);
          expect(types.filter((type, index) => type !== types[index - 1])).toEqual(content);
        }
      });

      test('doGenerate gives what the stream gives', async () => {
        const call = await open();
        const parts = await partsOf(call);
        const result = await call.model.doGenerate({ prompt, ...call.options });
        expect(withoutIds(result.content)).toEqual(withoutIds(foldParts(parts)));
        expect(result.finishReason).toEqual(parts.at(-1)?.['finishReason']);
        expect(countsOf(result.usage)).toEqual(countsOf(parts.at(-1)?.['usage']));
        expect(result.warnings).toEqual(parts[0]?.['warnings']);
        expect(result.response).toMatchObject({
          id: expect.any(String),
          modelId: expect.any(String),
          timestamp: expect.any(Date),
        });
        expect(result.request).toMatchObject({ body: { messages: expect.any(Array) } });
      });

      test('raw parts come when they are asked for, and change nothing', async () => {
        const call = await open();
        const plain = await partsOf(call);
        const parts = await partsOf(call, { includeRawChunks: true });
        checkParts(parts);
        const raw = parts.filter(({ type }) => type === 'raw');
        expect(raw.length).toBeGreaterThan(0);
        for (const part of raw) expect(part['rawValue']).toHaveProperty('type');
        expect(typesOf(parts.filter(({ type }) => type !== 'raw'))).toEqual(typesOf(plain));
      });
    });

    test('a signal that is aborted already: nothing starts, and its reason is thrown', async () => {
      const { model, options } = await subject.long();
      const reason = new Error('enough');
      const aborted = { prompt, ...options, abortSignal: AbortSignal.abort(reason) };
      await expect(model.doStream(aborted)).rejects.toBe(reason);
      await expect(model.doGenerate(aborted)).rejects.toBe(reason);
      expect(subject.running?.(model) ?? 0).toBe(0);
    });

    test.each(['decode', 'prefill'] as const)('an abort in %s ends the stream at once', async (place) => {
      const { model, options } = await (place === 'decode' ? subject.long : subject.slowPrefill)();
      const abort = new AbortController();
      const reason = new Error('enough');
      const { stream } = await model.doStream({ prompt, ...options, abortSignal: abort.signal });
      const parts: StreamPart[] = [];
      let abortedAt = 0;
      const stop = (): void => {
        abortedAt = performance.now();
        abort.abort(reason);
      };
      const awaited = place === 'decode' ? 'text-delta' : 'response-metadata';
      const failure = await read(stream, (part) => {
        parts.push(part);
        if (part.type === awaited && abortedAt === 0) setTimeout(stop, 30);
      });
      expect(performance.now() - abortedAt).toBeLessThan(settleMs);
      expect(failure).toBe(reason);
      checkParts(parts, { complete: false });
      await expect.poll(() => subject.running?.(model) ?? 0).toBe(0);
    });

    test('an abort ends doGenerate at once', async () => {
      const { model, options } = await subject.long();
      const reason = new Error('enough');
      const abort = new AbortController();
      const result = Promise.resolve(model.doGenerate({ prompt, ...options, abortSignal: abort.signal }));
      let abortedAt = 0;
      setTimeout(() => {
        abortedAt = performance.now();
        abort.abort(reason);
      }, 100);
      await expect(result).rejects.toBe(reason);
      expect(performance.now() - abortedAt).toBeLessThan(settleMs);
      await expect.poll(() => subject.running?.(model) ?? 0).toBe(0);
    });

    test('a stream that is cancelled frees its request', async () => {
      const { model, options } = await subject.long();
      const { stream } = await model.doStream({ prompt, ...options });
      const reader = stream.getReader();
      for (let part = 0; part < 4; part += 1) await reader.read();
      const started = performance.now();
      await reader.cancel();
      expect(performance.now() - started).toBeLessThan(settleMs);
      await expect.poll(() => subject.running?.(model) ?? 0).toBe(0);
    });

    test('two streams at once do not mix', async () => {
      const [first] = Object.values(subject.cases);
      if (first === undefined) throw new Error('The subject has no cases.');
      const call = await first.open();
      const [one, two] = await Promise.all([partsOf(call), partsOf(call)]);
      for (const parts of [one, two]) checkParts(parts);
      expect(withoutIds(foldParts(one))).toEqual(withoutIds(foldParts(two)));
      const ids = [one, two].map((parts) => parts.find(({ type }) => type === 'response-metadata')?.['id']);
      expect(ids[0]).not.toBe(ids[1]);
    });
  });
}

/** Reads to the end and returns what the stream threw, if it did. */
async function read(stream: ReadableStream, take: (part: StreamPart) => void): Promise<unknown> {
  const reader = (stream as ReadableStream<StreamPart>).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      take(value);
    }
  } catch (error) {
    return error;
  }
}

export async function partsOf(
  { model, options }: ContractCall,
  more: Partial<LanguageModelV4CallOptions> = {},
): Promise<StreamPart[]> {
  const { stream } = await model.doStream({ prompt, ...options, ...more });
  const parts: StreamPart[] = [];
  const failure = await read(stream, (part) => parts.push(part));
  if (failure !== undefined) throw failure;
  return parts;
}

function typesOf(parts: readonly StreamPart[]): string[] {
  return parts.map(({ type }) => type);
}

function withoutIds(content: readonly unknown[]): unknown[] {
  return content.map((part) => {
    const { toolCallId: _id, providerMetadata: _metadata, ...rest } = part as Record<string, unknown>;
    return rest;
  });
}

/** Not the timings, and not what the cache saved. */
function countsOf(usage: unknown): unknown {
  const { inputTokens, outputTokens } = usage as { inputTokens: { total: number }; outputTokens: object };
  return { inputTokens: inputTokens.total, outputTokens };
}

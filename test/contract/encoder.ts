import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Encoder, EncoderItem } from '../../src/session/encoder.ts';

/** What an encoder is tried with. */
export interface EncoderSubject {
  /** Of a model that looks back only, with scores for two tokens. */
  readonly open: () => Promise<Encoder>;
  /** More than 12 valid ids. */
  readonly tokens: Int32Array;
}

/** What every encoder does. */
export function describeEncoder(name: string, { open, tokens }: EncoderSubject): void {
  describe(name, () => {
    let encoder: Encoder;
    const text = (length: number, pooling: EncoderItem['pooling'] = 'last'): EncoderItem => ({
      tokens: tokens.subarray(0, length),
      pooling,
    });

    beforeAll(async () => {
      encoder = await open();
    });
    afterAll(() => encoder.dispose());

    it('gives results of the promised lengths, in order', async () => {
      const { width, labels } = encoder.info;
      const found = await encoder.encode([
        text(3, 'mean'),
        text(12, 'none'),
        text(1, 'rank'),
        text(7, 'cls'),
      ]);
      expect(found.map(({ length }) => length)).toEqual([width, 12 * width, labels, width]);
    });

    it('pools the rows that it gives', async () => {
      const { width } = encoder.info;
      const [rows = [], mean = [], first = [], last = []] = await encoder.encode(
        (['none', 'mean', 'cls', 'last'] as const).map((pooling) => text(5, pooling)),
      );
      expect(Array.from(first)).toEqual(Array.from(rows.slice(0, width)));
      expect(Array.from(last)).toEqual(Array.from(rows.slice(4 * width)));
      for (const [index, value] of mean.entries()) {
        const sum = [0, 1, 2, 3, 4].reduce((total, row) => total + (rows[row * width + index] ?? 0), 0);
        expect(value).toBeCloseTo(sum / 5, 5);
      }
    });

    it('keeps nothing: the same step gives the same numbers again', async () => {
      const items = [text(12), text(4, 'mean')];
      expect(await encoder.encode(items)).toEqual(await encoder.encode(items));
    });

    it('takes no texts at all', async () => {
      expect(await encoder.encode([])).toEqual([]);
    });

    const refused: readonly (readonly [string, Int32Array, string])[] = [
      ['without tokens', new Int32Array(), 'INVALID_ARGUMENT'],
      ['with a token outside of the vocabulary', Int32Array.of(1, 1 << 20), 'INVALID_ARGUMENT'],
      ['with a negative token', Int32Array.of(-1), 'INVALID_ARGUMENT'],
      ['longer than the context', new Int32Array(257), 'CONTEXT_OVERFLOW'],
    ];

    it.each(refused)('refuses a text %s and goes on', async (_, tokens, code) => {
      const step = encoder.encode([text(2), { tokens, pooling: 'mean' }]);
      await expect(step).rejects.toMatchObject({ code, details: { index: 1 } });
      expect(await encoder.encode([text(2)])).toHaveLength(1);
    });

    it('takes a text as long as the context', async () => {
      const [vector] = await encoder.encode([{ tokens: new Int32Array(256), pooling: 'mean' }]);
      expect(vector).toHaveLength(encoder.info.width);
    });

    it('rejects with the reason of a signal, before and while it runs', async () => {
      const reason = new Error('no longer wanted');
      await expect(encoder.encode([text(2)], AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const long = Array.from({ length: 400 }, () => ({
        tokens: new Int32Array(256),
        pooling: 'mean' as const,
      }));
      const running = encoder.encode(long, controller.signal);
      controller.abort(reason);
      await expect(running).rejects.toBe(reason);
      expect(await encoder.encode([text(2)])).toHaveLength(1);
    });

    it('ends with dispose, twice too', async () => {
      const own = await open();
      await own.dispose();
      await own.dispose();
      await expect(own.encode([text(1)])).rejects.toMatchObject({ code: 'DISPOSED' });
    });
  });
}

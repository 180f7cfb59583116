import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { RivuletError } from '../../src/errors.ts';
import { scoreTokens, selectCandidates } from '../../src/session/select-candidates.ts';
import type { Selection, SequenceId, Session, StepResult } from '../../src/session/session.ts';

export interface SessionContract {
  /** A new session; a short context (32 to 256 tokens) keeps the suite fast. */
  readonly open: () => Promise<Session>;
  /** Valid ids to feed, at least 12; they may repeat. */
  readonly tokens: Int32Array;
  /**
   * Largest difference of a logit between ways of computing it that should not matter: chunks, neighbours in a
   * step, reused prefixes. @default 0
   */
  readonly tolerance?: number;
}

/** What every {@link Session} must do, whatever runs below it. */
export function describeSession(name: string, contract: SessionContract): void {
  const { tokens } = contract;
  const tolerance = contract.tolerance ?? 0;

  describe(`${name} as a session`, () => {
    let session: Session;
    beforeEach(async () => {
      session = await contract.open();
    });
    afterEach(async () => {
      await session.dispose();
    });

    const feed = async (sequence: SequenceId, ids: Int32Array, chunk = ids.length): Promise<Float32Array> => {
      let logits = new Float32Array(0);
      const size = Math.min(chunk, session.info.tokensPerStep);
      for (let start = 0; start < ids.length; start += size) {
        const [result] = await session.step([
          { sequence, tokens: ids.slice(start, start + size), logits: 'last' },
        ]);
        logits = row(result);
      }
      return logits;
    };

    const row = (result: StepResult | undefined): Float32Array<ArrayBuffer> => {
      expect(result?.logits).toBeInstanceOf(Float32Array);
      return new Float32Array(result!.logits!);
    };

    const expectClose = (actual: Float32Array, expected: Float32Array): void => {
      expect(actual.length).toBe(expected.length);
      let worst = 0;
      actual.forEach((value, index) => {
        worst = Math.max(worst, Math.abs(value - expected[index]!));
      });
      expect(worst).toBeLessThanOrEqual(tolerance);
    };

    test('describes itself with usable limits', () => {
      const { info } = session;
      expect(info.sequencesPerStep).toBeGreaterThanOrEqual(1);
      expect(info.tokensPerStep).toBeGreaterThanOrEqual(1);
      expect(info.contextLength).toBeGreaterThanOrEqual(tokens.length + 2);
      expect(info.vocabularySize).toBeGreaterThan(Math.max(...tokens));
      expect(info.cacheBytesPerToken).toBeGreaterThanOrEqual(0);
    });

    test('a sequence grows by the tokens of its steps', async () => {
      const sequence = session.openSequence();
      expect(session.lengthOf(sequence)).toBe(0);
      await feed(sequence, tokens.slice(0, 5), 3);
      expect(session.lengthOf(sequence)).toBe(5);
      const other = session.openSequence();
      expect(other).not.toBe(sequence);
      expect(session.lengthOf(other)).toBe(0);
    });

    test('tokens in chunks give what they give at once', async () => {
      const whole = await feed(session.openSequence(), tokens);
      for (const chunk of [1, 3, 5]) {
        expectClose(await feed(session.openSequence(), tokens, chunk), whole);
      }
    });

    test('the rows of all positions are those of the single positions', async () => {
      const ids = tokens.slice(0, Math.min(6, session.info.tokensPerStep));
      const [result] = await session.step([{ sequence: session.openSequence(), tokens: ids, logits: 'all' }]);
      const rows = row(result);
      const size = session.info.vocabularySize;
      expect(rows.length).toBe(ids.length * size);
      const single = session.openSequence();
      for (let position = 0; position < ids.length; position += 1) {
        const expected = await feed(single, ids.slice(position, position + 1));
        expectClose(rows.slice(position * size, (position + 1) * size), expected);
      }
    });

    test('sequences in one step do not disturb each other', async () => {
      const count = Math.min(session.info.sequencesPerStep, 3);
      const parts = Array.from({ length: count }, (_, index) => tokens.slice(index, index + 4));
      const items = parts.map((ids) => ({
        sequence: session.openSequence(),
        tokens: ids.slice(0, Math.max(1, Math.floor(session.info.tokensPerStep / count))),
        logits: 'last' as const,
      }));
      const results = (await session.step(items)).map(row);
      expect(results.length).toBe(count);
      for (const [index, item] of items.entries()) {
        expectClose(results[index]!, await feed(session.openSequence(), item.tokens));
      }
    });

    test('truncate forgets, and the sequence goes on from there', async () => {
      const sequence = session.openSequence();
      await feed(sequence, tokens.slice(0, 8));
      session.truncate(sequence, 3);
      expect(session.lengthOf(sequence)).toBe(3);
      const again = await feed(sequence, Int32Array.of(tokens[9]!, tokens[1]!));
      const fresh = await feed(
        session.openSequence(),
        Int32Array.of(...tokens.slice(0, 3), tokens[9]!, tokens[1]!),
      );
      expectClose(again, fresh);
      session.truncate(sequence, 0);
      expect(session.lengthOf(sequence)).toBe(0);
      expectClose(
        await feed(sequence, tokens.slice(2, 6)),
        await feed(session.openSequence(), tokens.slice(2, 6)),
      );
    });

    test('a fork and its origin go separate ways', async () => {
      const origin = session.openSequence();
      await feed(origin, tokens.slice(0, 7));
      const fork = session.fork(origin, 4);
      expect(session.lengthOf(fork)).toBe(4);
      expect(session.lengthOf(origin)).toBe(7);
      const forked = await feed(fork, tokens.slice(8, 11));
      const continued = await feed(origin, tokens.slice(7, 9));
      expectClose(
        forked,
        await feed(session.openSequence(), Int32Array.of(...tokens.slice(0, 4), ...tokens.slice(8, 11))),
      );
      expectClose(continued, await feed(session.openSequence(), tokens.slice(0, 9)));
      session.closeSequence(origin);
      expect(session.lengthOf(fork)).toBe(7);
      await feed(fork, tokens.slice(0, 1));
      expect(session.lengthOf(fork)).toBe(8);
    });

    test('pages that sequences share count once', async () => {
      if (session.cacheBytesOf === undefined) return;
      const origin = session.openSequence();
      expect(session.cacheBytesOf([origin])).toBe(0);
      await feed(origin, tokens.slice(0, 7));
      const bytes = session.cacheBytesOf([origin]);
      expect(bytes).toBeGreaterThanOrEqual(7 * session.info.cacheBytesPerToken);
      const fork = session.fork(origin, 7);
      expect(session.cacheBytesOf([origin, fork])).toBe(bytes);
      await feed(fork, tokens.slice(7, 8));
      expect(session.cacheBytesOf([origin, fork])).toBeGreaterThan(bytes);
      session.closeSequence(fork);
      expect(session.cacheBytesOf([origin])).toBe(bytes);
      expect(session.cacheBytesOf([])).toBe(0);
    });

    test('a closed sequence is gone', () => {
      const sequence = session.openSequence();
      session.closeSequence(sequence);
      expect(() => session.lengthOf(sequence)).toThrow(RivuletError);
    });

    test('candidates are those of the row', async () => {
      const size = session.info.vocabularySize;
      const selections: Selection[] = [
        { count: 8 },
        { count: size, rawTop: 3 },
        {
          count: 5,
          rawTop: 4,
          bias: new Map([
            [tokens[0]!, 3],
            [tokens[1]!, -Infinity],
          ]),
          penalties: {
            ids: Int32Array.of(...new Set(tokens.slice(0, 4))),
            counts: new Int32Array(new Set(tokens.slice(0, 4)).size).fill(2),
            repeat: 1.5,
            frequency: 0.25,
            presence: 0.5,
          },
          mask: new Int32Array(Math.ceil(size / 32)).fill(0x5555_5555),
        },
      ];
      for (const select of selections) {
        const sequence = session.openSequence();
        const [result] = await session.step([
          { sequence, tokens: tokens.slice(0, 4), select, logits: 'last' },
        ]);
        const logits = row(result);
        const found = result!.candidates!;
        const expected = selectCandidates(logits, select);
        expect(found.ids).toEqual(expected.ids);
        expect(found.logits).toEqual(expected.logits);
        expect(found.rawLogits).toEqual(expected.rawLogits);
        expect(found.rawTopIds).toEqual(expected.rawTopIds);
        expect(found.rawTopLogits).toEqual(expected.rawTopLogits);
        expect(found.logSumExp).toBeCloseTo(expected.logSumExp, 4);
        expect(found.rawLogSumExp).toBeCloseTo(expected.rawLogSumExp, 4);

        const more = Math.min(select.count * 2, size);
        const further = session.moreCandidates(sequence, more);
        const expectedFurther = selectCandidates(logits, { ...select, count: more });
        expect(further.ids).toEqual(expectedFurther.ids);
        expect(further.logits).toEqual(expectedFurther.logits);
        expect(further.rawLogits).toEqual(expectedFurther.rawLogits);
        expect(further.logSumExp).toBeCloseTo(expectedFurther.logSumExp, 4);
      }
    });

    test('scores are those of the rows', async () => {
      const ids = tokens.slice(0, Math.min(5, session.info.tokensPerStep));
      const targets = Int32Array.from(ids, (_, index) => (index === ids.length - 1 ? -1 : ids[index + 1]!));
      const [result] = await session.step([
        { sequence: session.openSequence(), tokens: ids, score: { targets, top: 3 }, logits: 'all' },
      ]);
      const expected = scoreTokens(row(result), session.info.vocabularySize, targets, 3);
      const scores = result!.scores!;
      expect(scores.topIds).toEqual(expected.topIds);
      expect(Number.isNaN(scores.logprobs.at(-1))).toBe(true);
      expected.logprobs.slice(0, -1).forEach((value, index) => {
        expect(scores.logprobs[index]).toBeCloseTo(value, 4);
      });
      expected.topLogprobs.forEach((value, index) => {
        expect(scores.topLogprobs[index]).toBeCloseTo(value, 4);
      });
    });

    test('a step past the context fails, and no sequence of it grows', async () => {
      const full = session.openSequence();
      const { contextLength, tokensPerStep, sequencesPerStep } = session.info;
      while (session.lengthOf(full) < contextLength) {
        const size = Math.min(tokensPerStep, contextLength - session.lengthOf(full));
        await session.step([
          { sequence: full, tokens: Int32Array.from({ length: size }, (_, i) => tokens[i % tokens.length]!) },
        ]);
      }
      const other = session.openSequence();
      await feed(other, tokens.slice(0, 2));
      const tooMuch = { sequence: full, tokens: tokens.slice(0, 1), logits: 'last' as const };
      const fits = { sequence: other, tokens: tokens.slice(2, 3), logits: 'last' as const };
      await expect(session.step(sequencesPerStep > 1 ? [fits, tooMuch] : [tooMuch])).rejects.toMatchObject({
        code: 'CONTEXT_OVERFLOW',
      });
      expect(session.lengthOf(full)).toBe(contextLength);
      expect(session.lengthOf(other)).toBe(2);
      expectClose(
        await feed(other, tokens.slice(2, 3)),
        await feed(session.openSequence(), tokens.slice(0, 3)),
      );
    });

    test('a step that is aborted on its way has happened as a whole, or not at all', async () => {
      const reason = new Error('no longer needed');
      const chunk = tokens.slice(0, Math.min(tokens.length, session.info.tokensPerStep));
      const start = performance.now();
      await feed(session.openSequence(), chunk);
      const stepMs = performance.now() - start;
      for (let part = 0; part <= 12; part += 1) {
        const sequence = session.openSequence();
        await feed(sequence, tokens.slice(0, 2));
        const controller = new AbortController();
        setTimeout(() => controller.abort(reason), (part / 10) * stepMs);
        const outcome = await session
          .step([{ sequence, tokens: chunk, logits: 'last' }], controller.signal)
          .then(
            ([result]) => row(result),
            (error: unknown) => error,
          );
        const happened = outcome !== reason;
        if (happened) expect(outcome).toBeInstanceOf(Float32Array);
        expect(session.lengthOf(sequence)).toBe(happened ? 2 + chunk.length : 2);
        session.closeSequence(sequence);
      }
    });

    test('an aborted signal is rethrown and leaves the sequence as it was', async () => {
      const sequence = session.openSequence();
      await feed(sequence, tokens.slice(0, 2));
      const reason = new Error('no longer needed');
      await expect(
        session.step([{ sequence, tokens: tokens.slice(2, 4), logits: 'last' }], AbortSignal.abort(reason)),
      ).rejects.toBe(reason);
      expect(session.lengthOf(sequence)).toBe(2);
      expectClose(
        await feed(sequence, tokens.slice(2, 4)),
        await feed(session.openSequence(), tokens.slice(0, 4)),
      );
    });
  });
}

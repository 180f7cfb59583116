import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Session } from '../../src/session/session.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { compareRealLogits, greedyAgreement } from '../support/compare-real.ts';
import { readRealReference } from '../support/real-reference.ts';
import { openRealSession } from '../support/real-session.ts';

const folder = fileURLToPath(new URL('../conformance/real', import.meta.url));
const reference = readRealReference(folder, 'smollm2.json');

let session: Session;
let tokenizer: Tokenizer;

beforeAll(async () => {
  ({ session, tokenizer } = await openRealSession());
}, 300_000);
afterAll(() => session?.dispose());

describe('SmolLM2 against the reference', () => {
  it('tokenizes exactly, in all four modes', () => {
    for (const { text, special_bos, plain_bos, special, plain } of reference.tokenize) {
      const ids = (parseSpecial: boolean, addSpecial: boolean): number[] =>
        Array.from(tokenizer.encode(text, { parseSpecial, addSpecial }));
      expect(ids(true, true), text).toEqual(special_bos);
      expect(ids(false, true), text).toEqual(plain_bos);
      expect(ids(true, false), text).toEqual(special);
      expect(ids(false, false), text).toEqual(plain);
    }
  });

  it.each(reference.f32.prompts.map(({ name }) => name))('logits and continuation of "%s"', async (name) => {
    const figures = await compareRealLogits(session, reference, name);
    // A float path: the weights are those of the file, activations lose next to nothing.
    expect(figures.worstLogit).toBeLessThanOrEqual(0.01);
    expect(figures.meanLogprobError).toBeLessThanOrEqual(figures.nativeMeanLogprobError);
    expect(await greedyAgreement(session, reference, name, 0.02)).toBe('agrees');
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Session } from '../../src/session/session.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { compareRealLogits, greedyAgreement, perplexity } from '../support/compare-real.ts';
import { readRealReference } from '../support/real-reference.ts';
import { openRealSession } from '../support/real-session.ts';
import { conformanceFolder } from './conformance-folder.ts';

const folder = join(conformanceFolder(), 'real');
const reference = readRealReference(folder, 'SmolLM2-135M-Instruct.Q4_1.json');
const rows: string[] = [];
let session: Session;
let tokenizer: Tokenizer;

beforeAll(async () => {
  ({ session, tokenizer } = await openRealSession());
});
afterAll(async () => {
  await session?.dispose();
  process.stdout.write(`\nSmolLM2-135M Q4_1 against the f32 run of the reference\n${rows.join('\n')}\n`);
});

describe('SmolLM2 against the reference', () => {
  it.each(reference.f32.prompts.map(({ name }) => name))('%s', async (name) => {
    const { worstLogit, meanLogprobError, nativeMeanLogprobError } = await compareRealLogits(
      session,
      reference,
      name,
    );
    const greedy = await greedyAgreement(session, reference, name, 0.02);
    rows.push(
      `${name.padEnd(8)} worst logit ${worstLogit.toFixed(4)}, mean log-probability error ${meanLogprobError.toFixed(5)} (reference quantized: ${nativeMeanLogprobError.toFixed(4)}), greedy ${greedy}`,
    );
    expect(worstLogit).toBeLessThanOrEqual(0.01);
    expect(meanLogprobError).toBeLessThanOrEqual(nativeMeanLogprobError);
    expect(greedy).toBe('agrees');
  });

  it('perplexity', async () => {
    const { ppl, n_ctx: length, chunks } = reference.f32.ppl;
    const ids = tokenizer.encode(readFileSync(join(folder, 'text.txt'), 'utf8'), { addSpecial: true });
    const ours = await perplexity(session, ids, length, chunks);
    rows.push(
      `perplexity ${ours.toFixed(3)}, reference ${ppl.toFixed(3)} (quantized: ${reference.native.ppl.ppl.toFixed(3)})`,
    );
    expect(Math.abs(ours / ppl - 1)).toBeLessThanOrEqual(0.005);
  });
});

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

afterAll(() => {
  process.stdout.write(`\nSmolLM2-135M Q4_1 against the f32 run of the reference\n${rows.join('\n')}\n`);
});

// See test/real/reference.test.ts for the limits.
describe.each([
  { dialect: 'portable', worst: 0.01, margin: 0.02, share: 1 },
  { dialect: 'native', worst: 0.5, margin: 0.5, share: 2 },
] as const)('SmolLM2 in the $dialect dialect against the reference', ({ dialect, worst, margin, share }) => {
  let session: Session;
  let tokenizer: Tokenizer;

  beforeAll(async () => {
    ({ session, tokenizer } = await openRealSession(dialect));
  });
  afterAll(() => session?.dispose());

  it.each(reference.f32.prompts.map(({ name }) => name))('%s', async (name) => {
    const { worstLogit, meanLogprobError, nativeMeanLogprobError } = await compareRealLogits(
      session,
      reference,
      name,
    );
    const greedy = await greedyAgreement(session, reference, name, margin);
    rows.push(
      `${dialect.padEnd(8)} ${name.padEnd(8)} worst logit ${worstLogit.toFixed(4)}, mean log-probability error ${meanLogprobError.toFixed(5)} (reference quantized: ${nativeMeanLogprobError.toFixed(4)}), greedy ${greedy}`,
    );
    expect(worstLogit).toBeLessThanOrEqual(worst);
    expect(meanLogprobError).toBeLessThanOrEqual(share * nativeMeanLogprobError);
    expect(greedy).toBe('agrees');
  });

  it('perplexity', async () => {
    const { ppl, n_ctx: length, chunks } = reference.f32.ppl;
    const ids = tokenizer.encode(readFileSync(join(folder, 'text.txt'), 'utf8'), { addSpecial: true });
    const ours = await perplexity(session, ids, length, chunks);
    rows.push(
      `${dialect.padEnd(8)} perplexity ${ours.toFixed(3)}, reference ${ppl.toFixed(3)} (quantized: ${reference.native.ppl.ppl.toFixed(3)})`,
    );
    expect(Math.abs(ours / ppl - 1)).toBeLessThanOrEqual(0.005);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { defaultModelPath } from '../support/default-model.ts';
import { measureFidelity } from '../support/measure-fidelity.ts';
import { openBothDialects } from '../support/open-both-dialects.ts';
import { conformanceFolder } from './conformance-folder.ts';

/** What the reference's quantized run reaches on the whole text. */
const reference = { divergence: 0.00289, sameBest: 0.959 };

it('is closer to the exact next-token distributions than the reference is', async () => {
  const { portable, native, tokenizer } = await openBothDialects(await defaultModelPath());
  try {
    const ids = tokenizer.encode(readFileSync(join(conformanceFolder(), 'real', 'text.txt'), 'utf8'));
    const found = await measureFidelity(portable, native, ids, { begin: undefined, chunks: 6 });
    expect(found.divergence).toBeLessThan(reference.divergence);
    expect(found.sameBest).toBeGreaterThan(reference.sameBest);
    expect(Math.abs(found.perplexity / found.exactPerplexity - 1)).toBeLessThan(0.005);
  } finally {
    await Promise.all([portable.dispose(), native.dispose()]);
  }
});

import { readFileSync } from 'node:fs';

import { pull } from 'rivulet';

import { openBothDialects } from '../support/open-both-dialects.ts';
import { measureFidelity } from '../support/measure-fidelity.ts';

const [reference, textFile] = process.argv.slice(2);
if (reference === undefined || textFile === undefined) {
  process.stderr.write(
    'npm run fidelity -- MODEL TEXT_FILE\n\nThe native engine against the exact portable one on a text.\n',
  );
  process.exit(2);
}
const { path } = await pull(reference);
const { portable, native, tokenizer } = await openBothDialects(path);
const begin = tokenizer.addBos ? tokenizer.bosId : undefined;
const ids = tokenizer.encode(readFileSync(textFile, 'utf8'), { addSpecial: true });
const found = await measureFidelity(portable, native, ids, { begin });
process.stdout.write(
  `${[
    `positions                        ${found.positions}`,
    `mean KL divergence               ${found.divergence.toFixed(6)}`,
    `same best token                  ${(found.sameBest * 100).toFixed(2)} %`,
    `perplexity, portable and native  ${found.exactPerplexity.toFixed(3)}  ${found.perplexity.toFixed(3)}`,
  ].join('\n')}\n`,
);
await Promise.all([portable.dispose(), native.dispose()]);

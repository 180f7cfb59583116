import type { CAC } from 'cac';
import { booleanFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { addCacheFlag } from './load-flags.ts';
import { createProgressBar } from './progress-bar.ts';
import { readInput } from './read-input.ts';
import { writeText } from './write-answer.ts';

/** `rivulet tokenize REF "text"`: ids and pieces, one token per line. */
export function addTokenizeCommand(cli: CAC): void {
  addCacheFlag(
    cli.command('tokenize <reference> [...text]', 'Split text into tokens (also from standard input)'),
  )
    .option('--ids', 'Only the ids, on one line')
    .option('--count', 'Only how many')
    .option('--special', 'Recognise special tokens such as <|im_end|> in the text')
    .option('--add-special', 'Add the tokens that begin and end a text')
    .action((reference: string, words: readonly string[], flags: FlagValues) =>
      withInterrupt(async (signal) => {
        const text = await readInput(words.map(unguard), 'a text', signal);
        await writeText(await tokenize(unguard(reference), text, flags, signal));
      }),
    );
}

async function tokenize(
  reference: string,
  text: string,
  flags: FlagValues,
  signal: AbortSignal,
): Promise<string> {
  const { loadModel } = await import('../index.ts');
  const bar = createProgressBar(process.stderr);
  try {
    const model = await loadModel(reference, { vocabularyOnly: true, signal, onProgress: bar.update });
    try {
      const ids = model.tokenize(text, {
        parseSpecial: booleanFlag(flags, 'special'),
        addSpecial: booleanFlag(flags, 'addSpecial'),
      });
      if (booleanFlag(flags, 'count')) return `${ids.length}\n`;
      if (booleanFlag(flags, 'ids')) return `${ids.join(' ')}\n`;
      const width = String(ids.reduce((most, id) => Math.max(most, id), 0)).length;
      const lines = Array.from(ids, (id) => {
        // Quoted, so that blanks and line breaks are seen.
        const piece = JSON.stringify(model.detokenize([id], { special: true }));
        return `${String(id).padStart(width)}  ${piece}\n`;
      });
      return lines.join('');
    } finally {
      await model.dispose();
    }
  } finally {
    bar.clear();
  }
}

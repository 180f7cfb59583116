import type { CAC } from 'cac';
import type { EmbedOptions, Model } from '../index.ts';
import { booleanFlag, choiceFlag, numberFlag, textFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { addLoadFlags, readLoadFlags } from './load-flags.ts';
import { createProgressBar } from './progress-bar.ts';
import { readTexts } from './read-texts.ts';
import { writeText } from './write-answer.ts';

/** `rivulet embed REF [text]…`: one line of JSON per text. */
export function addEmbedCommand(cli: CAC): void {
  addLoadFlags(
    cli.command(
      'embed <reference> [...text]',
      'Make vectors of texts (also from standard input, one per line)',
    ),
  )
    .option('--file <path>', 'Read the texts from a file, one per line')
    .option('--kind <kind>', 'What the texts are for: query or document')
    .option('--dimensions <n>', 'Cut the vectors to so many elements')
    .option('--pooling <name>', "Instead of the file's: mean, cls, last")
    .option('--truncate', 'Cut what is longer than the model takes')
    .action((reference: string, words: readonly string[], flags: FlagValues) =>
      withInterrupt(async (signal) => {
        const options = readEmbedFlags(flags);
        const values = await readTexts(words.map(unguard), textFlag(flags, 'file'), signal);
        await withModel(unguard(reference), flags, signal, async (model) => {
          const { embeddings, warnings } = await model.embed({ values, ...options, signal });
          for (const { message } of warnings) process.stderr.write(`${message}\n`);
          for (const [index, vector] of embeddings.entries()) {
            await writeText(`${JSON.stringify({ index, embedding: Array.from(vector) })}\n`);
          }
        });
      }),
    );
}

/** Loads a model, with a bar while it loads, and disposes it in the end. */
export async function withModel(
  reference: string,
  flags: FlagValues,
  signal: AbortSignal,
  use: (model: Model) => Promise<void>,
): Promise<void> {
  const { loadModel } = await import('../index.ts');
  const bar = createProgressBar(process.stderr);
  try {
    const model = await loadModel(reference, {
      ...(await readLoadFlags(flags)),
      signal,
      onProgress: bar.update,
    });
    bar.clear();
    try {
      await use(model);
    } finally {
      await model.dispose();
    }
  } finally {
    bar.clear();
  }
}

function readEmbedFlags(flags: FlagValues): EmbedOptions {
  const kind = choiceFlag(flags, 'kind', ['query', 'document']);
  const dimensions = numberFlag(flags, 'dimensions', { minimum: 1, integer: true });
  const pooling = choiceFlag(flags, 'pooling', ['mean', 'cls', 'last']);
  return {
    truncate: booleanFlag(flags, 'truncate'),
    ...(kind === undefined ? {} : { kind }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(pooling === undefined ? {} : { pooling }),
  };
}

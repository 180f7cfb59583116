import type { CAC } from 'cac';
import { withModel } from './embed-command.ts';
import { booleanFlag, numberFlag, textFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { addLoadFlags } from './load-flags.ts';
import { readTexts } from './read-texts.ts';
import { UsageError } from './usage-error.ts';
import { writeText } from './write-answer.ts';

/** `rivulet rerank REF --query Q [document]…`: one line of JSON per document, best first. */
export function addRerankCommand(cli: CAC): void {
  addLoadFlags(
    cli.command(
      'rerank <reference> [...document]',
      'Order documents by how well they answer a query (also from standard input, one per line)',
    ),
  )
    .option('--query <text>', 'What the documents should answer')
    .option('--file <path>', 'Read the documents from a file, one per line')
    .option('--top <n>', 'Only the best so many')
    .option('--truncate', 'Cut documents that are too long for the model')
    .action((reference: string, words: readonly string[], flags: FlagValues) =>
      withInterrupt(async (signal) => {
        const query = textFlag(flags, 'query');
        if (query === undefined) throw new UsageError('Expected a query: rivulet rerank MODEL --query TEXT.');
        const topN = numberFlag(flags, 'top', { minimum: 1, integer: true });
        const documents = await readTexts(words.map(unguard), textFlag(flags, 'file'), signal);
        await withModel(unguard(reference), flags, signal, async (model) => {
          const { ranking, warnings } = await model.rerank({
            query,
            documents,
            truncate: booleanFlag(flags, 'truncate'),
            ...(topN === undefined ? {} : { topN }),
            signal,
          });
          for (const { message } of warnings) process.stderr.write(`${message}\n`);
          for (const { index, score } of ranking) {
            await writeText(`${JSON.stringify({ index, score, document: documents[index] })}\n`);
          }
        });
      }),
    );
}

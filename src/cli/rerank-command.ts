import type { CAC } from 'cac';
import { booleanFlag, numberFlag, textFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { createProgressBar } from './progress-bar.ts';
import { readLines } from './read-lines.ts';
import { addTextFlags, readTextLoadFlags } from './text-flags.ts';
import { UsageError } from './usage-error.ts';
import { writeText } from './write-answer.ts';

/** `rivulet rerank REF --query Q [documents]`: documents by how well they answer, as JSON lines, best first. */
export function addRerankCommand(cli: CAC): void {
  addTextFlags(
    cli.command(
      'rerank <reference> [...documents]',
      'Documents by how well they answer a query, as JSON lines',
    ),
    'Documents',
  )
    .option('--query <text>', 'What the documents should answer')
    .option('--top <n>', 'Only the best so many')
    .option('--instruction <text>', 'What relevant means, for models that take an instruction')
    .example('  $ rivulet rerank model.gguf --query "What is a brook?" < documents.txt')
    .action((reference: string, documents: readonly string[], flags: FlagValues) =>
      withInterrupt((signal) => rerank(unguard(reference), documents.map(unguard), flags, signal)),
    );
}

async function rerank(
  reference: string,
  words: readonly string[],
  flags: FlagValues,
  signal: AbortSignal,
): Promise<void> {
  const load = readTextLoadFlags(flags);
  const query = textFlag(flags, 'query');
  if (query === undefined) throw new UsageError('Expected the flag --query with what is asked.');
  const topN = numberFlag(flags, 'top', { minimum: 1, integer: true });
  const instruction = textFlag(flags, 'instruction');
  const file = textFlag(flags, 'file');
  if (file !== undefined && words.length > 0) {
    throw new UsageError('Expected documents as arguments or by --file, found both.');
  }
  const documents: string[] = [...words];
  if (documents.length === 0) {
    for await (const line of readLines(file, 'documents', signal)) documents.push(line);
  }
  const { loadModel } = await import('../index.ts');
  const bar = createProgressBar(process.stderr);
  try {
    const model = await loadModel(reference, { ...load, signal, onProgress: bar.update });
    try {
      const { ranking, warnings } = await model.rerank({
        query,
        documents,
        truncate: booleanFlag(flags, 'truncate'),
        signal,
        ...(topN === undefined ? {} : { topN }),
        ...(instruction === undefined ? {} : { instruction }),
      });
      bar.clear();
      for (const { message } of warnings) process.stderr.write(`Warning: ${message}\n`);
      for (const { index, score } of ranking) {
        await writeText(`${JSON.stringify({ index, score, document: documents[index] })}\n`);
      }
    } finally {
      await model.dispose();
    }
  } finally {
    bar.clear();
  }
}

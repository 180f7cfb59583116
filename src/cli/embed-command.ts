import type { CAC } from 'cac';
import type { EmbedOptions } from '../index.ts';
import { booleanFlag, choiceFlag, numberFlag, textFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { createProgressBar } from './progress-bar.ts';
import { readLines } from './read-lines.ts';
import { addTextFlags, readTextLoadFlags } from './text-flags.ts';
import { UsageError } from './usage-error.ts';
import { writeText } from './write-answer.ts';

const kinds = ['query', 'document'] as const;
const poolings = ['mean', 'cls', 'last'] as const;

/** Lines of a long input that are in memory at once: enough for full batches. */
const linesAtOnce = 1024;

/** `rivulet embed REF [texts]`: one vector per text, as JSON lines. */
export function addEmbedCommand(cli: CAC): void {
  addTextFlags(cli.command('embed <reference> [...texts]', 'Vectors of texts, as JSON lines'), 'Texts')
    .option('--kind <kind>', 'What the texts are for: query or document')
    .option('--prefix <text>', 'In front of every text, instead of what --kind puts there')
    .option('--dimensions <n>', 'Elements per vector')
    .option('--pooling <name>', 'How the vectors of tokens become one: mean, cls or last')
    .example('  $ rivulet embed minilm "a river" "a brook"')
    .action((reference: string, texts: readonly string[], flags: FlagValues) =>
      withInterrupt((signal) => embed(unguard(reference), texts.map(unguard), flags, signal)),
    );
}

async function embed(
  reference: string,
  words: readonly string[],
  flags: FlagValues,
  signal: AbortSignal,
): Promise<void> {
  const load = readTextLoadFlags(flags);
  const options = readEmbedFlags(flags);
  const file = textFlag(flags, 'file');
  if (file !== undefined && words.length > 0) {
    throw new UsageError('Expected texts as arguments or by --file, found both.');
  }
  const isLines = words.length === 0;
  const parts = isLines ? cutIntoParts(readLines(file, 'texts', signal)) : [words];
  const { loadModel, RivuletError } = await import('../index.ts');
  const bar = createProgressBar(process.stderr);
  let first = 0;
  const nameTexts = (message: string): string =>
    message.replace(/values\[(\d+)\]/, (_, index: string) =>
      isLines ? `Line ${first + Number(index) + 1}` : `Text ${Number(index) + 1}`,
    );
  try {
    const model = await loadModel(reference, { ...load, signal, onProgress: bar.update });
    try {
      const told = new Set<string>();
      for await (const values of parts) {
        const { embeddings, warnings } = await model.embed({ ...options, values, signal });
        bar.clear();
        for (const { message } of warnings) {
          if (!told.has(message)) process.stderr.write(`Warning: ${nameTexts(message)}\n`);
          // Those of single texts would fill the memory over a long input.
          if (nameTexts(message) === message) told.add(message);
        }
        for (const [index, embedding] of embeddings.entries()) {
          await writeText(`${JSON.stringify({ index: first + index, embedding: Array.from(embedding) })}\n`);
        }
        first += values.length;
      }
    } finally {
      await model.dispose();
    }
  } catch (error) {
    if (!RivuletError.isInstance(error)) throw error;
    throw new RivuletError(error.code, nameTexts(error.message), { cause: error, details: error.details });
  } finally {
    bar.clear();
  }
}

function readEmbedFlags(flags: FlagValues): EmbedOptions {
  const kind = choiceFlag(flags, 'kind', kinds);
  const prefix = textFlag(flags, 'prefix');
  const dimensions = numberFlag(flags, 'dimensions', { minimum: 1, integer: true });
  const pooling = choiceFlag(flags, 'pooling', poolings);
  return {
    truncate: booleanFlag(flags, 'truncate'),
    ...(kind === undefined ? {} : { kind }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(pooling === undefined ? {} : { pooling }),
  };
}

async function* cutIntoParts(lines: AsyncIterable<string>): AsyncGenerator<string[], void, undefined> {
  let part: string[] = [];
  for await (const line of lines) {
    part.push(line);
    if (part.length < linesAtOnce) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

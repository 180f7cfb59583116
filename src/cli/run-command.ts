import type { CAC } from 'cac';
import type { ChatMessage } from '../index.ts';
import { booleanFlag, textFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { readFormatFlags } from './format-flags.ts';
import { addGenerationFlags, readGenerationFlags } from './generation-flags.ts';
import { unguard } from './guard-arguments.ts';
import { withInterrupt } from './interrupt.ts';
import { addLoadFlags, readLoadFlags } from './load-flags.ts';
import { createProgressBar } from './progress-bar.ts';
import { readInput } from './read-input.ts';
import { writeAnswer, writeText } from './write-answer.ts';

/** `rivulet run REF [prompt]`: one answer on standard output. */
export function addRunCommand(cli: CAC): void {
  const command = cli.command('run <reference> [...prompt]', 'Answer one prompt (also from standard input)');
  addGenerationFlags(addLoadFlags(command))
    .option('--stats', 'Figures after the answer also where nobody watches')
    .example('  $ rivulet run smollm2 "Why is the sky blue?"')
    .action((reference: string, words: readonly string[], flags: FlagValues) =>
      withInterrupt((signal) => run(unguard(reference), words.map(unguard), flags, signal)),
    );
}

async function run(
  reference: string,
  words: readonly string[],
  flags: FlagValues,
  signal: AbortSignal,
): Promise<void> {
  const generation = { ...readGenerationFlags(flags), ...(await readFormatFlags(flags)) };
  const load = await readLoadFlags(flags);
  const prompt = await readInput(words, 'a prompt', signal);
  const system = textFlag(flags, 'system');
  const messages: ChatMessage[] = [
    ...(system === undefined ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: prompt },
  ];
  const { loadModel } = await import('../index.ts');
  const bar = createProgressBar(process.stderr);
  let figures: string | undefined;
  try {
    const model = await loadModel(reference, { ...load, signal, onProgress: bar.update });
    try {
      const answer = await writeAnswer(model.chat({ ...generation, messages, signal }), {
        onStart: bar.clear,
      });
      await writeText('\n');
      figures = answer.figures;
    } catch (error) {
      // A broken-off line must not swallow the shell's prompt.
      if (process.stdout.isTTY) await writeText('\n');
      throw error;
    } finally {
      await model.dispose();
    }
  } finally {
    bar.clear();
  }
  if (figures !== undefined && (process.stderr.isTTY || booleanFlag(flags, 'stats'))) {
    process.stderr.write(`${figures}\n`);
  }
}

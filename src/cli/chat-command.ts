import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { CAC } from 'cac';
import type { ChatMessage, Model } from '../index.ts';
import { describeError } from './describe-error.ts';
import { textFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { addGenerationFlags, readGenerationFlags } from './generation-flags.ts';
import { readFormatFlags } from './format-flags.ts';
import type { AnswerOptions } from './format-flags.ts';
import { unguard } from './guard-arguments.ts';
import { Interrupt, isOutputClosed, OutputClosed, withInterrupt } from './interrupt.ts';
import { addLoadFlags, readLoadFlags } from './load-flags.ts';
import { createProgressBar } from './progress-bar.ts';
import { writeAnswer, writeText } from './write-answer.ts';

/** `rivulet chat REF`: a conversation, until Ctrl-D, `/exit` or Ctrl-C at an empty prompt. */
export function addChatCommand(cli: CAC): void {
  const command = cli.command('chat <reference>', 'Talk with a model; /clear forgets, /exit leaves');
  addGenerationFlags(addLoadFlags(command))
    .example('  $ rivulet chat smollm2 --system "You are brief."')
    .action(async (reference: string, flags: FlagValues) => {
      const generation = { ...readGenerationFlags(flags), ...(await readFormatFlags(flags)) };
      const load = await readLoadFlags(flags);
      const { loadModel } = await import('../index.ts');
      const bar = createProgressBar(process.stderr);
      const model = await withInterrupt(async (signal) => {
        try {
          return await loadModel(unguard(reference), { ...load, signal, onProgress: bar.update });
        } finally {
          bar.clear();
        }
      });
      try {
        await converse(model, generation, textFlag(flags, 'system'));
      } finally {
        await model.dispose();
      }
    });
}

async function converse(model: Model, generation: AnswerOptions, system: string | undefined): Promise<void> {
  const opening: readonly ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
  let messages: ChatMessage[] = [...opening];
  let answering: AbortController | undefined;
  const isInteractive = process.stdin.isTTY && process.stderr.isTTY;
  // The prompt belongs to standard error: standard output holds nothing but answers.
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: isInteractive,
    prompt: isInteractive ? '> ' : '',
  });
  const onInterrupt = (): void => {
    if (answering !== undefined) answering.abort(new Interrupt());
    else if (lines.line === '') lines.close();
    else clearLine(lines);
  };
  const onOutputError = (): void => {
    answering?.abort(new OutputClosed());
    lines.close();
  };
  process.stdout.on('error', onOutputError);
  lines.on('SIGINT', onInterrupt);
  process.on('SIGINT', onInterrupt);
  try {
    lines.prompt();
    for await (const line of lines) {
      const input = line.trim();
      if (input === '/exit') break;
      if (input === '/clear') messages = [...opening];
      else if (input !== '') {
        answering = new AbortController();
        messages = await answerTurn(model, generation, messages, input, answering.signal);
        answering = undefined;
      }
      lines.prompt();
    }
  } finally {
    process.off('SIGINT', onInterrupt);
    process.stdout.off('error', onOutputError);
    lines.close();
    if (isInteractive) process.stderr.write('\n');
  }
}

/** The conversation after one more turn; as it was when the turn came to nothing. */
async function answerTurn(
  model: Model,
  generation: AnswerOptions,
  messages: readonly ChatMessage[],
  input: string,
  signal: AbortSignal,
): Promise<ChatMessage[]> {
  const asked: readonly ChatMessage[] = [...messages, { role: 'user', content: input }];
  let text = '';
  try {
    const answer = await writeAnswer(model.chat({ ...generation, messages: asked, signal }), {
      onText: (sofar) => {
        text = sofar;
      },
    });
    await writeText('\n');
    if (answer.figures !== undefined && process.stderr.isTTY) process.stderr.write(`${answer.figures}\n`);
  } catch (error) {
    if (isOutputClosed(error)) throw error;
    if (text !== '') await writeText('\n');
    if (error !== signal.reason) process.stderr.write(`${await describeError(error)}\n`);
  }
  // A broken-off answer stays: both sides have seen it.
  return text === '' ? [...messages] : [...asked, { role: 'assistant', content: text }];
}

function clearLine(lines: Interface): void {
  lines.write(null, { ctrl: true, name: 'e' });
  lines.write(null, { ctrl: true, name: 'u' });
}

import { once } from 'node:events';
import { styleText } from 'node:util';
import type { GenerateEvent } from '../index.ts';
import { formatAnswerFigures } from './format-figures.ts';

/** What came of an answer that was written to the terminal. */
export interface WrittenAnswer {
  /** Without reasoning. */
  readonly text: string;
  /** The line of figures; absent when the answer did not come to its end. */
  readonly figures?: string;
}

export interface WriteAnswerOptions {
  /** Called once before the first output, for example to take a progress bar away. */
  readonly onStart?: () => void;
  /** Receives the text so far, also when the answer is broken off. */
  readonly onText?: (text: string) => void;
}

/**
 * Streams an answer: its text to standard output and nothing else; reasoning and warnings to standard
 * error, reasoning only where a person sees it.
 */
export async function writeAnswer(
  events: AsyncIterable<GenerateEvent>,
  options: WriteAnswerOptions = {},
): Promise<WrittenAnswer> {
  const startMs = performance.now();
  let firstTokenMs: number | undefined;
  let text = '';
  let figures: string | undefined;
  for await (const event of events) {
    switch (event.type) {
      case 'start':
        options.onStart?.();
        for (const warning of event.warnings) process.stderr.write(`warning: ${warning.message}\n`);
        break;
      case 'reasoning-delta':
        firstTokenMs ??= performance.now() - startMs;
        if (process.stderr.isTTY)
          process.stderr.write(styleText('dim', event.delta, { stream: process.stderr }));
        break;
      case 'reasoning-end':
        if (process.stderr.isTTY) process.stderr.write('\n\n');
        break;
      case 'text-delta':
        firstTokenMs ??= performance.now() - startMs;
        text += event.delta;
        options.onText?.(text);
        await writeText(event.delta);
        break;
      case 'finish':
        figures = formatAnswerFigures({
          outputTokens: event.usage.outputTokens.total,
          firstTokenMs: firstTokenMs ?? performance.now() - startMs,
          decodeMs: event.timings.decodeMs,
        });
        break;
      default:
        break;
    }
  }
  return { text, ...(figures === undefined ? {} : { figures }) };
}

/** Waits for a slow reader, so that a stopped one stops the engine. */
export async function writeText(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

import { detectReasoning } from '../reasoning.ts';
import type { ReasoningFormat } from '../reasoning.ts';
import type { OutputFormat } from '../tool-format.ts';
import { findKnownFormat } from './known-formats.ts';

/** Models think in this form when they were not told another one: many files keep an older template. */
const commonThoughts: ReasoningFormat = { open: '<think>', close: '</think>' };

/** How a model marks its thoughts, judged by its template's source; undefined when it is not known to think. */
export function knownThoughts(source: string): ReasoningFormat | undefined {
  return findKnownFormat(source)?.reasoning ?? detectReasoning(source);
}

/** How a model marks thoughts and text, judged by its template's source. */
export function detectOutput(source: string): OutputFormat {
  const known = findKnownFormat(source);
  return {
    reasoning: knownThoughts(source) ?? commonThoughts,
    ...(known?.answer === undefined ? {} : { answer: known.answer }),
    ...(known?.ignored === undefined ? {} : { ignored: known.ignored }),
    ...(known?.channels === undefined ? {} : { channels: known.channels }),
  };
}

import type { ToolFormat } from './tool-format.ts';
import type { AnswerFormat } from './output/read-answer.ts';

/** What tokens of vocabularies look like that a marker is made of. */
const token = /<[^<>\n]+>|\[\/?[A-Z_]+\]/g;

/**
 * Texts that a parser looks for and that may be special tokens: these are to be written out, where others are left
 * away.
 */
export function markerTexts(format: AnswerFormat, toolFormat: ToolFormat | undefined): readonly string[] {
  const texts = new Set<string>();
  collect([format, toolFormat], texts);
  return [...texts];
}

function collect(value: unknown, texts: Set<string>): void {
  if (typeof value === 'string') {
    texts.add(value);
    for (const [part] of value.matchAll(token)) texts.add(part);
  } else if (value instanceof RegExp) {
    collect(value.source.replaceAll('\\', ''), texts);
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) collect(item, texts);
  }
}

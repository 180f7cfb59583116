import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import {
  createTemplate,
  formatOf,
  parseAnswer,
  readToolCallFolder,
  seededRandom,
  splitText,
} from '../support/tool-call-cases.ts';
import type { ParseOptions } from '../support/tool-call-cases.ts';
import { writtenAnswerFormat } from '../support/written-formats.ts';

const folder = new URL('../conformance', import.meta.url).pathname;
const { tools, files, written } = readToolCallFolder(`${folder}/tool-calls`);

interface Output {
  readonly text: string;
  readonly options: ParseOptions;
}

const outputs: readonly Output[] = [
  ...files.flatMap(({ template: name = '', cases }) => {
    const template = createTemplate(readFileSync(`${folder}/templates/${name}`, 'utf8'));
    return cases.map((one) => ({
      text: one.text,
      options: {
        format: formatOf(template, one),
        tools: one.tools === 'none' ? new Map() : tools,
        generationPrompt: one.generationPrompt,
        end: 'eos' as const,
      },
    }));
  }),
  ...written.map((one) => ({
    text: one.text,
    options: { format: writtenAnswerFormat(one), tools, end: 'eos' as const },
  })),
];

/** Removes, repeats and inserts characters. */
function damage(text: string, random: () => number): string {
  const characters = Array.from(text);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let count = 1 + below(3); count > 0; count -= 1) {
    const place = below(characters.length);
    const length = below(10);
    const kind = below(3);
    if (kind === 0) characters.splice(place, length);
    else if (kind === 1) {
      const start = below(characters.length);
      characters.splice(place, 0, ...characters.slice(start, start + length));
    } else characters.splice(place, 0, Array.from('{}[]"\\<>/=:,\n \'é🎉')[below(17)] ?? '');
  }
  return characters.join('');
}

it('damaged outputs give the same events for every split, in order and without exceptions', () => {
  const random = seededRandom(11);
  for (const { text, options } of outputs) {
    for (let count = 0; count < 3; count += 1) {
      const damaged = damage(text, random);
      const end = random() < 0.5 ? 'eos' : 'cut';
      const whole = parseAnswer([damaged], { ...options, end });
      for (const pieces of splitText(damaged, 1, random)) {
        expect(parseAnswer(pieces, { ...options, end }), damaged).toEqual(whole);
      }
    }
  }
});

it('what is put somewhere into an output comes out once, unless it is in an id or the head of a message', () => {
  const random = seededRandom(12);
  const lost: string[] = [];
  for (const { text, options } of outputs) {
    for (let count = 0; count < 6; count += 1) {
      const place = Math.floor(random() * (text.length + 1));
      const before = text.slice(0, place);
      const isInId = [...text.matchAll(/"(?:tool_call_id|id|type)": ?"\w*"/g)].some(
        ({ 0: id, index }) => place > index && place < index + id.length,
      );
      if (options.format.channels !== undefined || isInId) continue;
      const { content, reasoning, begun } = parseAnswer([`${before}Ω${text.slice(place)}`], options);
      const shown = (content + (reasoning ?? '')).split('Ω').length - 1;
      const inputs = begun.map(({ input }) => input).join('');
      if (shown > 1 || (shown === 0 && !inputs.includes('Ω'))) lost.push(`${before}Ω${text.slice(place)}`);
    }
  }
  expect(lost).toEqual([]);
});

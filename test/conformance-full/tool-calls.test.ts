import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { answerFormat } from '../../src/chat/output/read-answer.ts';
import {
  createTemplate,
  formatOf,
  judge,
  parseAnswer,
  readToolCallFolder,
  seededRandom,
  splitText,
} from '../support/tool-call-cases.ts';
import type { ParseOptions, ToolCallCase } from '../support/tool-call-cases.ts';
import { writtenFormat } from '../support/written-formats.ts';
import { conformanceFolder } from './conformance-folder.ts';

const folder = conformanceFolder();
const { tools, files, written } = readToolCallFolder(join(folder, 'tool-calls'));
const splitsPerCase = 20;

function optionsOf(one: ToolCallCase, format: ParseOptions['format']): ParseOptions {
  return {
    format,
    tools: one.tools === 'none' ? new Map() : tools,
    generationPrompt: one.generationPrompt,
    end: one.partial === true ? undefined : one.name.includes('cut') ? 'cut' : 'eos',
  };
}

/** What is wrong with the cases of one format, whole and in pieces. */
function failures(
  cases: readonly ToolCallCase[],
  formatFor: (one: ToolCallCase) => ParseOptions['format'],
): string[] {
  const random = seededRandom(1);
  const wrong: string[] = [];
  for (const one of cases) {
    const options = optionsOf(one, formatFor(one));
    const label = `${one.format ?? ''} ${one.name} ${JSON.stringify(one.text)}`;
    const parsed = parseAnswer([one.text], options);
    const reason = judge(parsed, one);
    if (reason !== undefined) wrong.push(`${label}: ${reason}`);
    for (const pieces of splitText(one.text, splitsPerCase, random)) {
      const other = JSON.stringify(parseAnswer(pieces, options));
      if (other !== JSON.stringify(parsed)) {
        wrong.push(`${label} in ${JSON.stringify(pieces)}: ${other} instead of ${JSON.stringify(parsed)}`);
      }
    }
  }
  return wrong;
}

describe.each(files)('$template', ({ template: name = '', cases }) => {
  const template = createTemplate(readFileSync(join(folder, 'templates', name), 'utf8'));

  it('is exact, in any pieces', () => {
    expect(failures(cases, (one) => formatOf(template, one))).toEqual([]);
  });
});

it('the cases by hand are met, in any pieces', () => {
  expect(
    failures(written, ({ format = '' }) => {
      const { output, tools: toolFormat } = writtenFormat(format);
      return answerFormat(output, toolFormat);
    }),
  ).toEqual([]);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { detectTools } from '../../src/chat/formats/detect-tools.ts';
import { writeCalls } from '../../src/chat/formats/write-calls.ts';
import type { WrittenCall } from '../../src/chat/formats/write-calls.ts';
import type { AnswerFormat } from '../../src/chat/output/read-answer.ts';
import { createTemplate, failures, formatOf, readToolCallFolder } from '../support/tool-call-cases.ts';
import type { ToolCallCase } from '../support/tool-call-cases.ts';
import { writtenAnswerFormat } from '../support/written-formats.ts';
import { conformanceFolder } from './conformance-folder.ts';

const folder = conformanceFolder();
const { tools, files, written } = readToolCallFolder(join(folder, 'tool-calls'));
const splitsPerCase = 20;
/** Cases that templates have rendered. */
const writtenCases = new Set([
  'call',
  'call-no-arguments',
  'call-complex-arguments',
  'parallel',
  'parallel-three',
]);

function callsOf({ expected }: ToolCallCase): WrittenCall[] {
  return (expected?.toolCalls ?? []).map(({ name, arguments: values }, index) => ({
    name,
    arguments: values as WrittenCall['arguments'],
    id: `call0000${index + 1}`,
  }));
}

describe.each(files)('$template', ({ template: name = '', cases }) => {
  const template = createTemplate(readFileSync(join(folder, 'templates', name), 'utf8'));

  it('is exact, in any pieces', () => {
    const formatFor = (one: ToolCallCase): AnswerFormat => formatOf(template, one);
    expect(failures(cases, { tools, formatFor, splitsPerCase })).toEqual([]);
  });

  it('writes calls as the template does', () => {
    const { format } = detectTools(template);
    const wrong: string[] = [];
    for (const one of cases) {
      if (!writtenCases.has(one.name)) continue;
      // Python has several ways to write a string, and gpt-oss's template not the one that its model writes.
      const { name } = format;
      if (name === 'harmony' || (name === 'lfm2' && one.name !== 'call-no-arguments')) continue;
      const written = writeCalls(format, callsOf(one)).trim();
      if (!one.text.includes(written)) wrong.push(`${written}\n${one.text}`);
    }
    expect(wrong).toEqual([]);
  });
});

it('the cases by hand are met, in any pieces', () => {
  expect(failures(written, { tools, formatFor: writtenAnswerFormat, splitsPerCase })).toEqual([]);
});

import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { analyseCalls } from '../../src/chat/formats/analyse-calls.ts';
import { detectOutput } from '../../src/chat/formats/detect-output.ts';
import { probeTemplate } from '../../src/chat/formats/probe-template.ts';
import { knownFormats } from '../../src/chat/formats/known-formats.ts';
import { writeCalls } from '../../src/chat/formats/write-calls.ts';
import { answerFormat } from '../../src/chat/output/read-answer.ts';
import type { AnswerFormat } from '../../src/chat/output/read-answer.ts';
import type { OutputFormat, ToolFormat } from '../../src/chat/tool-format.ts';
import {
  createTemplate,
  failures,
  formatOf,
  parseAnswer,
  readToolCallFolder,
} from '../support/tool-call-cases.ts';
import type { ParsedAnswer, ToolCallCase } from '../support/tool-call-cases.ts';
import { writtenAnswerFormat, writtenFormat } from '../support/written-formats.ts';

const folder = new URL('../conformance', import.meta.url).pathname;
const { tools, files, written } = readToolCallFolder(`${folder}/tool-calls`);
const splitsPerCase = 4;
const shortText = 260;

describe.each(files)('$template', ({ template: name = '', cases }) => {
  it('is exact, in any pieces', () => {
    const template = createTemplate(readFileSync(`${folder}/templates/${name}`, 'utf8'));
    const formatFor = (one: ToolCallCase): AnswerFormat => formatOf(template, one);
    expect(failures(cases, { tools, formatFor, splitsPerCase })).toEqual([]);
  });
});

describe('how a template writes a call is enough to read calls', () => {
  const names = new Set([
    'ByteDance-Seed-OSS',
    'Kimi-K2-Instruct',
    'MiniMax-M1',
    'NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use',
    'Qwen-QwQ-32B',
    'Qwen3-Coder',
    'Qwen3.5-4B',
    'meetkai-functionary-medium-v3.1',
    'mistralai-Mistral-Nemo-Instruct-2407',
  ]);

  it.each(files.filter(({ template = '' }) => names.has(template.replace('.jinja', ''))))(
    '$template',
    ({ template: name = '', cases }) => {
      const template = createTemplate(readFileSync(`${folder}/templates/${name}`, 'utf8'));
      const analysed = analyseCalls(probeTemplate(template));
      expect(analysed?.name).toBe('from-template');
      const rendered = cases.filter(({ name: kind }) => /^[a-z-]*(?:call|parallel)[a-z-]*$/.test(kind));
      const formatFor = (): AnswerFormat => answerFormat(detectOutput(template.source), analysed);
      expect(failures(rendered, { tools, formatFor, splitsPerCase })).toEqual([]);
    },
  );
});

describe('the cases by hand', () => {
  it('are met, in any pieces', () => {
    expect(failures(written, { tools, formatFor: writtenAnswerFormat, splitsPerCase })).toEqual([]);
  });

  it('short ones come out the same wherever they are cut in two', () => {
    for (const one of written.filter(({ text }) => text.length <= shortText)) {
      const options = { format: writtenAnswerFormat(one), tools, end: 'eos' as const };
      const whole = parseAnswer([one.text], options);
      for (let cut = 1; cut < one.text.length; cut += 1) {
        expect(parseAnswer([one.text.slice(0, cut), one.text.slice(cut)], options), `at ${cut}`).toEqual(
          whole,
        );
      }
    }
  });
});

/** Every form that some template gives away, with what stands around its calls. */
const formats: readonly (readonly [string, OutputFormat, ToolFormat])[] = knownFormats.flatMap((known) =>
  (known.tools ?? []).map((format) => [format.name, known, format] as const),
);

const values = { symbol: '00123 "a" <b> \\ \n end', exchange: "it's", days: 5 };
const nested = { to: ['a', 'b <c>'], body: 'x', urgent: true, options: { retries: 3, ratio: 0.25 } };

describe('every form', () => {
  it.each(formats)('%s reads what it writes, in any pieces', (_, output, format) => {
    const calls = [
      { name: 'lookup_stock', arguments: values },
      { name: 'list_files', arguments: {} },
      { name: 'send_mail', arguments: nested },
    ].slice(0, format.writing.parallel ? 3 : 1);
    const text = writeCalls(format, calls);
    const options = { format: answerFormat(output, format), tools, end: 'eos' as const };
    const expected: ParsedAnswer['calls'] = calls;
    expect(parseAnswer([text], options)).toMatchObject({ content: '', reasoning: null, calls: expected });
    expect(parseAnswer(Array.from(text), options)).toEqual(parseAnswer([text], options));
  });

  it.each(formats)('%s loses nothing of a call that is none', (_, output, format) => {
    const text = writeCalls(format, [{ name: 'no_such_tool', arguments: { a: 1 } }]);
    const options = { format: answerFormat(output, format), tools, end: 'eos' as const };
    const { calls, content } = parseAnswer([text], options);
    expect(calls).toEqual([]);
    expect(content).toContain('no_such_tool');
  });

  it.each(formats)('%s gives up no call that is cut, and reports none', (_, output, format) => {
    const text = writeCalls(format, [{ name: 'lookup_stock', arguments: values }]);
    const options = { format: answerFormat(output, format), tools };
    const end = text.lastIndexOf('5');
    for (let cut = 1; cut < end; cut += 1) {
      const parsed = parseAnswer([text.slice(0, cut)], { ...options, end: 'cut' });
      expect(parsed.calls, text.slice(0, cut)).toEqual([]);
      // While it goes on nothing is said that is not true in the end.
      const going = parseAnswer([text.slice(0, cut)], options);
      expect(going.content.trim(), text.slice(0, cut)).toBe('');
    }
  });
});

/** White space beside markers belongs to them, so it does not count. */
function withoutSpace(text: string): string {
  return text.replaceAll(/\s+/g, '');
}

describe('any output', () => {
  const names = [
    'hermes',
    'mistral-v3',
    'qwen3-coder',
    'glm-4.5',
    'llama3',
    'deepseek-r1',
    'lfm2',
    'gemma-4',
    'harmony',
  ];

  it.each(names)('%s: the same events for every split, and nothing lost', (name) => {
    const { tools: format } = writtenFormat(name);
    const one: ToolCallCase = { format: name, name: '', text: '' };
    const options = { format: writtenAnswerFormat(one), tools, end: 'eos' as const };
    const texts = writeCalls(format, [
      { name: 'lookup_stock', arguments: { symbol: 'A <', days: 5 } },
      { name: 'list_files', arguments: {} },
    ]);
    const parts = [
      ...(texts.match(/[\w▁｜]+|\s+|[^\w\s]/gu) ?? []),
      ...format.reading.opens,
      ...format.reading.closes,
      texts,
      '<think>',
      '</think>',
      'word',
      '日本',
      '🎉',
      '\n\n',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...parts), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (pieces, lengths) => {
          const text = pieces.join('');
          const whole = parseAnswer([text], options);
          const split: string[] = [];
          for (let start = 0; start < text.length; start += split.at(-1)?.length ?? 1) {
            split.push(text.slice(start, start + (lengths[split.length % lengths.length] ?? 1)));
          }
          expect(parseAnswer(split, options)).toEqual(whole);
          // Every word is somewhere: in text, thoughts or the input of a call that was begun.
          const all = withoutSpace(
            [
              whole.content,
              whole.reasoning ?? '',
              ...whole.begun.map(({ name: tool, input }) => tool + input),
            ].join(''),
          );
          const count = (where: string, what: string): number => where.split(what).length - 1;
          for (const word of ['word', '日本', '🎉']) {
            expect(count(all, word), text).toBeGreaterThanOrEqual(name === 'harmony' ? 0 : count(text, word));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

import { describe, expect, it } from 'vitest';

import { hermes, llama3 } from '../../src/chat/formats/json-formats.ts';
import { gemma4, lfm2 } from '../../src/chat/formats/other-formats.ts';
import { glimmer, qwen3Coder } from '../../src/chat/formats/tagged-formats.ts';
import { kimiK2 } from '../../src/chat/formats/named-formats.ts';
import type { JSONSchema } from '../../src/chat/messages.ts';
import { answerFormat } from '../../src/chat/output/read-answer.ts';
import { createStreamParser } from '../../src/chat/parse-stream.ts';
import type { StreamParser } from '../../src/chat/parse-stream.ts';
import type { ToolFormat } from '../../src/chat/tool-format.ts';
import type { GenerateEvent } from '../../src/events.ts';
import { parseAnswer } from '../support/tool-call-cases.ts';
import type { ParsedAnswer } from '../support/tool-call-cases.ts';

const think = { reasoning: { open: '<think>', close: '</think>' } };
const add: JSONSchema = {
  type: 'object',
  properties: { a: { type: 'integer' }, text: { type: 'string' } },
};
const tools = new Map([['add', { name: 'add-up', parameters: add }]]);

function parser(format: ToolFormat | undefined, startsInReasoning = false): StreamParser {
  let ids = 0;
  return createStreamParser({
    format: answerFormat(think, format),
    tools,
    startsInReasoning,
    createId: (kind) => (kind === 'tool' ? `call${ids++}` : String(ids++)),
  });
}

/** An event in one word or two. */
function brief(event: GenerateEvent): string {
  const { type } = event;
  if (type === 'tool-input-start') return `start ${event.toolName}`;
  if (type === 'text-delta' || type === 'reasoning-delta' || type === 'tool-input-delta') return event.delta;
  return type === 'tool-call' ? `call ${event.input}` : type;
}

function parse(format: ToolFormat, text: string, end: 'eos' | 'cut' = 'eos'): ParsedAnswer {
  const options = { format: answerFormat(think, format), tools, end };
  const whole = parseAnswer([text], options);
  expect(parseAnswer(Array.from(text), options)).toEqual(whole);
  return whole;
}

describe('least hold-back', () => {
  it('names and arguments come out as soon as they are certain', () => {
    const stream = parser(hermes);
    const pieces = [
      'Hm',
      ' <tool',
      '_call>',
      '\n{"name": "ad',
      'd"',
      ', "arguments": {"te',
      'xt": "a',
      'b\\',
      'n',
      '"',
      ', "a": 1',
      '2',
      '}',
      '}\n</tool_call>',
    ];
    expect(pieces.map((piece) => stream.push(piece).map(brief))).toEqual([
      ['text-start', 'Hm'],
      [],
      [],
      [],
      ['text-end', 'start add-up'],
      ['{"te'],
      ['xt":"a'],
      ['b'],
      ['\\n'],
      ['"'],
      [',"a":'],
      [],
      ['12}', 'tool-input-end', 'call {"text":"ab\\n","a":12}'],
      [],
    ]);
    expect(stream.end()).toEqual([]);
    expect(stream.calls).toBe(1);
  });

  it('strings in tags come out as they come', () => {
    const stream = parser(qwen3Coder);
    const pieces = [
      '<tool_call>\n<function=add',
      '>\n<parameter=text>\n',
      'a"b',
      '\n',
      'c\n',
      '</para',
      'meter>\n<',
      'parameter=a>\n1',
      '\n</parameter>\n</function>',
    ];
    expect(pieces.map((piece) => stream.push(piece).map(brief))).toEqual([
      [],
      ['start add-up', '{"text":"'],
      ['a\\"b'],
      [],
      ['\\nc'],
      [],
      [],
      ['","a":'],
      ['1}', 'tool-input-end', 'call {"text":"a\\"b\\nc","a":1}'],
    ]);
  });
});

describe('what is no call', () => {
  it.each([
    ['no JSON', '<tool_call>\nnot json\n</tool_call>'],
    ['an unknown tool', '<tool_call>\n{"name": "sub", "arguments": {}}\n</tool_call>'],
    ['a list of numbers', '<tool_call>[1, 2]</tool_call>'],
    ['arguments that are no object', '<tool_call>{"name": "add", "arguments": [1]}</tool_call>'],
    ['arguments that go wrong', '<tool_call>{"name": "add", "arguments": {"a" 1}}</tool_call>'],
    [
      'arguments under a key that nobody knows',
      '<tool_call>{"name": "add", "argumenst": {"a": 1}}</tool_call>',
    ],
    [
      'what the model was told of a tool',
      '<tool_call>{"name": "add", "description": "x", "parameters": {}}</tool_call>',
    ],
    ['half of a marker', 'a <tool_cal'],
    ['a marker alone', '<tool_call>'],
  ])('%s comes out as text', (_, text) => {
    expect(parse(hermes, text)).toMatchObject({ content: text, calls: [] });
  });

  it('a long one comes out whole', () => {
    const text = `<tool_call>{"name": "add", "arguments": {"text": "${'long '.repeat(3000)}" oops}}</tool_call> end`;
    const options = { format: answerFormat(think, hermes), tools, end: 'eos' as const };
    expect(parseAnswer(text.match(/.{1,7}/gs) ?? [], options)).toMatchObject({ content: text, calls: [] });
  });

  it('behind a call only what goes wrong is text', () => {
    const call = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>\n';
    expect(parse(hermes, `${call}<tool_call>{"name": "add"; oops`)).toMatchObject({
      content: '<tool_call>{"name": "add"; oops',
      calls: [{ name: 'add-up', arguments: { a: 1 } }],
    });
  });

  it('one that the model broke off is text, one that was cut is not shown again', () => {
    const text = '<tool_call>\n{"name": "add", "arguments": {"a": 1';
    expect(parse(hermes, text, 'eos')).toMatchObject({ content: text, calls: [] });
    expect(parse(hermes, text, 'cut')).toMatchObject({
      content: '',
      calls: [],
      begun: [{ name: 'add-up', isCall: false }],
    });
  });

  it('without tools everything is text', () => {
    const text = 'Hi <tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>';
    const stream = parser(undefined);
    const events = [...stream.push(text), ...stream.end()];
    expect(events.map(brief)).toEqual(['text-start', text, 'text-end']);
  });

  it('an answer in JSON', () => {
    for (const text of [
      '{"answer": 42}',
      '{"name": "Bob", "parameters": {}}',
      '{"name": "add", "age": 3}',
      '{ is a brace',
    ]) {
      expect(parse(llama3, text)).toMatchObject({ content: text, calls: [] });
      expect(parse(hermes, text)).toMatchObject({ content: text, calls: [] });
    }
  });
});

describe('arguments', () => {
  const schema: JSONSchema = {
    type: 'object',
    $defs: { list: { type: 'array', items: { type: 'integer' } } },
    properties: {
      text: { type: 'string' },
      count: { type: 'integer' },
      flag: { type: 'boolean' },
      maybe: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      list: { $ref: '#/$defs/list' },
      object: { type: 'object' },
      unit: { enum: ['c', 'f'] },
      any: {},
    },
  };

  it.each([
    ['text', '123', '123'],
    ['text', '{"a": 1}', '{"a": 1}'],
    ['text', '</parameter> in <b>it</b>', '</parameter> in <b>it</b>'],
    ['text', '', ''],
    ['text', ' spaces  ', ' spaces  '],
    ['count', '5', 5],
    ['count', 'many', 'many'],
    ['flag', 'True', true],
    ['maybe', 'null', null],
    ['maybe', '12', '12'],
    ['list', '[1, 2]', [1, 2]],
    ['object', "{'a': None, 'b': [1, ('x',)]}", { a: null, b: [1, ['x']] }],
    ['object', 'nothing', 'nothing'],
    ['unit', 'c', 'c'],
    ['any', '1.5', 1.5],
    ['any', 'plain words', 'plain words'],
    ['unknown', '[true]', [true]],
  ])('%s: %j in tags is %j', (key, written, value) => {
    const text = `<tool_call>\n<function=f>\n<parameter=${key}>\n${written}\n</parameter>\n</function>\n</tool_call>`;
    const options = {
      format: answerFormat({}, qwen3Coder),
      tools: new Map([['f', { name: 'f', parameters: schema }]]),
      end: 'eos' as const,
    };
    const whole = parseAnswer([text], options);
    expect(whole).toMatchObject({ content: '', calls: [{ name: 'f', arguments: { [key]: value } }] });
    expect(parseAnswer(Array.from(text), options)).toEqual(whole);
  });

  it.each([
    ['line ends in strings', '{"text": "a\nb\tc"}', { text: 'a\nb\tc' }],
    ['single quotes', "{'text': 'say \"hi\"'}", { text: 'say "hi"' }],
    ["Python's words", '{"a": True, "b": None}', { a: true, b: null }],
    ['a last comma', '{"a": [1, 2,],}', { a: [1, 2] }],
    [
      'backslashes that escape nothing',
      String.raw`{"text": "C:\dir \'x\' \x41"}`,
      { text: String.raw`C:\dir 'x' A` },
    ],
    ['surrogates', String.raw`{"text": "\ud83d\ude00"}`, { text: '😀' }],
    ['large numbers', '{"a": 12345678901234.5, "b": -1.5e-7}', { a: 12345678901234.5, b: -1.5e-7 }],
  ])('%s', (_, written, value) => {
    const text = `<tool_call>\n{"name": "add", "arguments": ${written}}\n</tool_call>`;
    expect(parse(hermes, text)).toMatchObject({ content: '', calls: [{ arguments: value }] });
  });

  it('values without keys are those of the schema in order', () => {
    expect(parse(lfm2, "<|tool_call_start|>[add(3, text='x')]<|tool_call_end|>")).toMatchObject({
      calls: [{ arguments: { a: 3, text: 'x' } }],
    });
  });

  it('words without quotes are strings', () => {
    expect(parse(gemma4, '<|tool_call>call:add{a:3,text:some words}<tool_call|>')).toMatchObject({
      calls: [{ arguments: { a: 3, text: 'some words' } }],
    });
  });

  it('nothing may be so deep that it breaks the stack', () => {
    const deep = '['.repeat(100_000);
    const text = `<tool_call>{"name": "add", "arguments": {"a": ${deep}`;
    const options = { format: answerFormat(think, hermes), tools, end: 'eos' as const };
    expect(parseAnswer([text], options)).toMatchObject({ content: text, calls: [] });
  });
});

describe('thoughts and calls', () => {
  it('a call inside of thoughts is a thought', () => {
    const call = '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>';
    expect(parse(hermes, `<think>maybe ${call}</think>\n${call}`)).toMatchObject({
      reasoning: `maybe ${call}`,
      content: '',
      calls: [{ name: 'add-up' }],
    });
  });

  it('a token that begins calls ends thoughts that were not closed', () => {
    const text =
      '<think>plan<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>';
    expect(parse(kimiK2, text)).toMatchObject({ reasoning: 'plan', calls: [{ name: 'add-up' }] });
  });

  it('text before, between and behind calls', () => {
    const call = '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>';
    const stream = parser(hermes);
    const events = [...stream.push(`One.\n${call}\nTwo.\n${call}\nThree.`), ...stream.end()];
    expect(events.map(brief)).toEqual([
      'text-start',
      'One.',
      'text-end',
      'start add-up',
      '{}',
      'tool-input-end',
      'call {}',
      'text-start',
      'Two.',
      'text-end',
      'start add-up',
      '{}',
      'tool-input-end',
      'call {}',
      'text-start',
      'Three.',
      'text-end',
    ]);
  });

  it('elements that were begun in another place are text', () => {
    const text = 'Write <atem:parameter name="a"> for a parameter.';
    expect(parse(glimmer, text)).toMatchObject({ content: text, calls: [] });
  });
});

describe('more calls than were asked for', () => {
  const call = (a: number): string => `{"name": "add", "arguments": {"a": ${a}}}`;

  it.each([
    ['bare ones', `${call(1)}\n${call(2)}`, call(2)],
    ['a list', `[${call(1)}, ${call(2)}]`, `, ${call(2)}]`],
    ['marked ones', `<tool_call>${call(1)}</tool_call><tool_call>${call(2)}</tool_call>`, call(2)],
  ])('are text: %s', (_, output, rest) => {
    const events = parseAll(hermes, output, 1);
    expect(events.filter(({ type }) => type === 'tool-call')).toHaveLength(1);
    const text = events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('');
    expect(text).toContain(rest);
    expect(parseAll(hermes, output, 2).filter(({ type }) => type === 'tool-call')).toHaveLength(2);
  });

  function parseAll(format: ToolFormat, output: string, mostCalls: number): GenerateEvent[] {
    let ids = 0;
    const stream = createStreamParser({
      format: answerFormat({}, format),
      tools,
      mostCalls,
      startsInReasoning: false,
      createId: () => String(ids++),
    });
    return [...Array.from(output).flatMap((character) => stream.push(character)), ...stream.end()];
  }
});

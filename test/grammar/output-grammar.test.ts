import { describe, expect, it } from 'vitest';

import * as json from '../../src/chat/formats/json-formats.ts';
import * as named from '../../src/chat/formats/named-formats.ts';
import * as other from '../../src/chat/formats/other-formats.ts';
import * as tagged from '../../src/chat/formats/tagged-formats.ts';
import { harmonyChannels } from '../../src/chat/formats/channel-formats.ts';
import { writeCalls } from '../../src/chat/formats/write-calls.ts';
import type { ToolFormat } from '../../src/chat/tool-format.ts';
import { outputGrammar } from '../../src/grammar/output-grammar.ts';
import type { OutputDemand } from '../../src/grammar/output-grammar.ts';
import { acceptor } from './accepts.ts';

const formats: ToolFormat[] = [json, named, other, tagged].flatMap((room) =>
  Object.values<unknown>(room).filter(
    (value): value is ToolFormat => typeof value === 'object' && value !== null && 'writing' in value,
  ),
);

const tools = [
  {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string' },
        days: { type: 'integer', minimum: 1, maximum: 14 },
        unit: { enum: ['celsius', 'fahrenheit'] },
        exact: { type: 'boolean' },
      },
      required: ['city'],
    },
  },
  { name: 'list_files', parameters: { type: 'object', properties: {} } },
];

const demand: OutputDemand = {
  tools: [],
  mustCall: false,
  mostCalls: 8,
  format: {},
  thinks: 'no',
  stripsSpace: false,
  endTexts: ['<|call|>', '<|calls|>'],
};

const accepts = (more: Partial<OutputDemand>): ((text: string) => boolean) =>
  acceptor(outputGrammar({ ...demand, ...more }).grammar);

const weather = {
  name: 'get_weather',
  arguments: { city: 'São Paulo', days: 3, unit: 'celsius', exact: true },
};
const files = { name: 'list_files', arguments: {} };

/** As a model writes it: what ends the answer is a token of its own. */
const written = (
  format: ToolFormat,
  calls: readonly { name: string; arguments: Record<string, unknown> }[],
): string => writeCalls(format, calls).replace(/<\|calls?\|>$/, '');

describe.each(formats.map((format) => [format.name, format] as const))(
  'calls in the form of %s',
  (_, toolFormat) => {
    const required = accepts({ tools, toolFormat, mustCall: true });

    it('are what has to come when calls are required', () => {
      expect(required(written(toolFormat, [weather]))).toBe(true);
      expect(required(written(toolFormat, [files]))).toBe(true);
      expect(required(written(toolFormat, [{ name: 'get_weather', arguments: { city: 'x' } }]))).toBe(true);
      expect(required('It is sunny.')).toBe(false);
      expect(required('')).toBe(false);
    });

    it('are held to the schemas', () => {
      const wrong: Record<string, unknown>[] = [
        { city: 'x', days: 15 },
        { city: 'x', unit: 'kelvin' },
        { city: 'x', exact: 'perhaps' },
        { days: 3 },
      ];
      for (const values of wrong) {
        const text = written(toolFormat, [{ name: 'get_weather', arguments: values }]);
        expect({ text, accepted: required(text) }).toEqual({ text, accepted: false });
      }
      expect(required(written(toolFormat, [{ name: 'get_time', arguments: {} }]))).toBe(false);
    });

    it('may be several where the form has that', () => {
      const text = written(toolFormat, [weather, files, weather]);
      expect(required(text)).toBe(toolFormat.writing.parallel);
      expect(accepts({ tools, toolFormat, mustCall: true, mostCalls: 2 })(text)).toBe(false);
    });

    it('come between words when the model likes', () => {
      const freely = accepts({ tools, toolFormat });
      expect(freely('It is sunny in 1 < 2 places.')).toBe(true);
      expect(freely(written(toolFormat, [weather]))).toBe(true);
      const [trigger] = toolFormat.writing.triggers;
      if (trigger === undefined) return;
      expect(freely(`Let me see. ${written(toolFormat, [weather])}`)).toBe(true);
      expect(freely(`Let me see. ${trigger} nothing`)).toBe(false);
      const wrong = written(toolFormat, [{ name: 'get_weather', arguments: { city: 'x', unit: 'kelvin' } }]);
      expect(freely(wrong)).toBe(false);
    });

    it('or JSON by a schema', () => {
      const both = accepts({ tools, toolFormat, answer: { json: { type: 'object', required: ['answer'] } } });
      expect(both(written(toolFormat, [weather]))).toBe(true);
      expect(both('{"answer": 42}')).toBe(true);
      expect(both('{"other": 42}')).toBe(false);
      expect(both('words')).toBe(false);
    });
  },
);

describe('thoughts', () => {
  const format = { reasoning: { open: '<think>', close: '</think>' } };
  const answer = { json: { const: 1 } };

  it('may come first', () => {
    const may = accepts({ format, thinks: 'may', answer });
    expect(['1', '<think>\nHm < 2.\n</think>\n\n1', '<think></think>1'].map(may)).toEqual([true, true, true]);
    expect(['<think>1', 'Hm.</think>1', '<think>a</think>2'].map(may)).toEqual([false, false, false]);
  });

  it('go on when the prompt has begun them', () => {
    const inside = accepts({ format, thinks: 'inside', answer });
    expect(['Hm.\n</think>\n\n1', '1', '<think>Hm</think>1'].map(inside)).toEqual([true, false, true]);
  });

  it('are not there when they are off', () => {
    expect(accepts({ format, answer })('<think>Hm</think>1')).toBe(false);
  });

  it('hold no call of a tool, and calls come behind them', () => {
    const both = accepts({ format, thinks: 'may', tools, toolFormat: json.hermes });
    const call = written(json.hermes, [files]);
    expect(both(`<think>Shall I write <tool_call>?</think>\n${call}`)).toBe(true);
    expect(both(`<think>Hm.</think>\n<tool_call> none`)).toBe(false);
  });

  it('of channels', () => {
    const channels = accepts({
      format: { channels: harmonyChannels },
      thinks: 'may',
      tools,
      toolFormat: named.harmony,
      answer,
    });
    const thought = '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant';
    expect(channels(`${thought}<|channel|>final<|message|>1`)).toBe(true);
    expect(channels(`${thought}${written(named.harmony, [weather])}`)).toBe(true);
    expect(channels('1')).toBe(false);
  });
});

describe('text', () => {
  it('is anything without a demand, and exactly what other grammars say', () => {
    expect(accepts({})('anything')).toBe(true);
    const exact = accepts({ answer: { regex: 'yes|no' } });
    expect(['yes', 'no', ' yes', 'yes\n', 'maybe'].map(exact)).toEqual([true, true, false, false, false]);
    expect(accepts({ answer: { regex: 'yes|no' }, stripsSpace: true })(' yes')).toBe(true);
  });
});

it('two hundred tools make one grammar', () => {
  const many = Array.from({ length: 200 }, (_, index) => ({ ...tools[0]!, name: `tool_${index}` }));
  const start = performance.now();
  const required = accepts({ tools: many, toolFormat: json.hermes, mustCall: true });
  expect(required(written(json.hermes, [{ ...weather, name: 'tool_150' }]))).toBe(true);
  expect(performance.now() - start).toBeLessThan(5000);
});

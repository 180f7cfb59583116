import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { detectTools } from '../../src/chat/formats/detect-tools.ts';
import { createCallId, fitCallIds } from '../../src/chat/call-ids.ts';
import { hermes } from '../../src/chat/formats/json-formats.ts';
import { lfm2 } from '../../src/chat/formats/other-formats.ts';
import type { ChatMessage, JSONSchema, ToolDefinition } from '../../src/chat/messages.ts';
import { prepareConversation } from '../../src/chat/prepare-conversation.ts';
import type { ConversationInput } from '../../src/chat/prepare-conversation.ts';
import { nameTools } from '../../src/chat/tool-names.ts';
import { RivuletError } from '../../src/errors.ts';
import { answerFormat } from '../../src/chat/output/read-answer.ts';
import { writeCalls } from '../../src/chat/formats/write-calls.ts';
import { createTemplate, parseAnswer } from '../support/tool-call-cases.ts';

const folder = new URL('../conformance/templates/', import.meta.url).pathname;
const templateNames = readdirSync(folder).filter((name) => name.endsWith('.jinja'));
const chatMl =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

function named(...names: readonly string[]): ToolDefinition[] {
  return names.map((name) => ({ name, parameters: { type: 'object' } }));
}

const history: readonly ChatMessage[] = [
  { role: 'user', content: 'Weather and time in Paris?' },
  {
    role: 'assistant',
    content: '',
    reasoning: 'Both tools.',
    toolCalls: [
      { id: 'call_abcdefghijklmnop', name: 'get.weather', arguments: { city: 'Paris' } },
      { id: 'other', name: 'clock', arguments: {} },
    ],
  },
  { role: 'tool', content: 'twenty degrees', toolCallId: 'call_abcdefghijklmnop' },
  { role: 'tool', content: 'half past nine', toolCallId: 'other' },
  { role: 'assistant', content: 'Twenty degrees, half past nine.' },
  { role: 'user', content: 'Thanks. And now?' },
];
const tools = named('get.weather', 'clock');

function render(source: string, input: ConversationInput): string {
  const template = createTemplate(source);
  const prepared = prepareConversation(input, () => template);
  return template.render({ messages: prepared.messages, tools: prepared.tools }).text;
}

describe('every template takes earlier calls and their results', () => {
  it.each(templateNames)('%s', (name) => {
    const source = readFileSync(`${folder}${name}`, 'utf8');
    for (const offered of [tools, undefined]) {
      const text = render(source, { messages: history, tools: offered });
      expect(text).toContain('twenty degrees');
      expect(text).toContain('half past nine');
      expect(text.split('get_weather').length).toBeGreaterThan(1);
      expect(text).toContain('Paris');
      expect(text).not.toContain('get.weather');
    }
  });
});

describe('every template takes tools with schemas of all kinds', () => {
  const schemas: readonly JSONSchema[] = [
    true,
    {},
    { type: 'object' },
    { type: 'object', properties: { a: { type: ['string', 'null'] }, b: { anyOf: [{ type: 'string' }] } } },
    {
      $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
      type: 'object',
      properties: { a: { $ref: '#/$defs/node' } },
      required: ['a'],
    },
    {
      type: 'object',
      properties: { unit: { enum: ['c', 'f'] }, three: { const: 3 }, any: true, list: { type: 'array' } },
      additionalProperties: false,
    },
    { anyOf: [{ type: 'object', properties: { a: { type: 'string' } } }, { type: 'object' }] },
  ];

  it.each(templateNames)('%s', (name) => {
    const source = readFileSync(`${folder}${name}`, 'utf8');
    const messages = [{ role: 'user', content: 'Hi' }];
    for (const [index, parameters] of schemas.entries()) {
      const offered = [{ name: `tool_${index}`, parameters }];
      expect(render(source, { messages, tools: offered })).toContain(`tool_${index}`);
    }
  });
});

describe('a template without tools', () => {
  it('gets them described, calls as their text and results as words of the user', () => {
    const text = render(chatMl, { messages: [{ role: 'system', content: 'Be brief.' }, ...history], tools });
    expect(text).toContain('<|im_start|>system\nBe brief.\n\n# Tools\n');
    expect(text).toContain('{"name": "clock", "parameters": {"type": "object"}}');
    expect(text).toContain(
      'assistant\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n<tool_call>',
    );
    expect(text).toContain(
      '<|im_start|>user\n<tool_response>\ntwenty degrees\n</tool_response>\n<tool_response>\nhalf past nine\n</tool_response><|im_end|>',
    );
  });

  it('that takes no words of the system gets them with the first words of the user', () => {
    const source =
      "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + chatMl;
    const text = render(source, { messages: [{ role: 'user', content: 'Hi' }], tools });
    expect(text).toMatch(/^<\|im_start\|>user\n# Tools\n[\s\S]*\n\nHi<\|im_end\|>/);
  });
});

describe('choices', () => {
  const messages = [{ role: 'user', content: 'Hi' }];

  it('none leaves the tools out', () => {
    const template = createTemplate(chatMl);
    const prepared = prepareConversation({ messages, tools, toolChoice: 'none' }, () => template);
    expect(prepared).toEqual({ messages, tools: [], offered: new Map() });
  });

  it('a named tool goes by the name that the model knows', () => {
    const template = createTemplate(chatMl);
    const toolChoice = { name: 'get.weather' };
    expect(prepareConversation({ messages, tools, toolChoice }, () => template)).toMatchObject({
      requiredTool: 'get_weather',
    });
  });

  it.each([
    [{ tools, toolChoice: { name: 'nope' } }, 'nope'],
    [{ toolChoice: 'required' as const }, 'required'],
    [{ tools: named('a', 'a') }, '"a" twice'],
    [{ tools: named('') }, 'empty'],
  ])('%j is refused', (input, found) => {
    const template = createTemplate(chatMl);
    const prepare = (): unknown => prepareConversation({ messages, ...input }, () => template);
    expect(prepare).toThrow(RivuletError);
    expect(prepare).toThrow(found);
  });

  it('without tools and calls the template is not even looked at', () => {
    const fail = (): never => {
      throw new Error('looked at');
    };
    expect(prepareConversation({ messages }, fail).messages).toBe(messages);
  });
});

describe('names that the model can write', () => {
  it.each([
    ['get-weather', 'get-weather'],
    ['get.weather', 'get_weather'],
    ['Wetter für Köln', 'Wetter_fur_Koln'],
    ['天気', 'tool'],
    ['mcp__server__tool', 'mcp__server__tool'],
  ])('%j is %j', (name, expected) => {
    const names = nameTools(named(name), hermes);
    expect(names.forModel(name)).toBe(expected);
    expect(names.offered.get(expected)?.name).toBe(name);
  });

  it('are identifiers where the model writes Python', () => {
    const names = nameTools(named('get-weather', '2nd'), lfm2);
    expect([...names.offered.keys()]).toEqual(['get_weather', '_2nd']);
  });

  it('differ, whatever they are made from', () => {
    const list = ['a b', 'a_b', 'a.b', 'a  b', '天', '気'];
    const names = nameTools(named(...list), hermes);
    expect(new Set(names.offered.keys()).size).toBe(list.length);
    expect(names.forModel('a_b')).toBe('a_b');
    for (const [key, tool] of names.offered) expect(names.forModel(tool.name)).toBe(key);
  });

  it('two hundred tools', () => {
    const many = named(...Array.from({ length: 200 }, (_, index) => `tool number ${index}`));
    expect(nameTools(many, hermes).offered.size).toBe(200);
  });
});

describe('ids of calls', () => {
  it('are new and of the strictest form', () => {
    expect(createCallId()).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(createCallId()).not.toBe(createCallId());
  });

  it('nine letters or digits, the same for the same id, the result with its call', () => {
    const fitted = fitCallIds(history, 'nine-alphanumeric');
    const ids = fitted[1]?.toolCalls?.map(({ id }) => id) ?? [];
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect([fitted[2]?.toolCallId, fitted[3]?.toolCallId]).toEqual(ids);
    expect(fitCallIds(history, 'nine-alphanumeric')).toEqual(fitted);
    const fitting = [{ role: 'tool', content: '', toolCallId: 'abcdefghi' }];
    expect(fitCallIds(fitting, 'nine-alphanumeric')).toEqual(fitting);
  });

  it('the function and the number of the call', () => {
    const fitted = fitCallIds(history, 'function-index');
    expect(fitted[1]?.toolCalls?.map(({ id }) => id)).toEqual([
      'functions.get.weather:0',
      'functions.clock:1',
    ]);
    expect(fitted[3]?.toolCallId).toBe('functions.clock:1');
  });
});

describe('forms that nobody knows', () => {
  const body = (call: string): string =>
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}{{ '[' + m.role + ']' + m.content }}" +
    `{% for c in m.tool_calls or [] %}${call}{% endfor %}{{ '[end]' }}{% endfor %}` +
    "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}";
  const json = '{{ c.function.arguments | tojson }}';

  it('an object between texts of its own', () => {
    const source = body(`§§run {"fn": "{{ c.function.name }}", "args": ${json}}§§`);
    const { format } = detectTools(createTemplate(source));
    expect(format).toMatchObject({
      name: 'from-template',
      writing: { beforeName: '§§run {"fn": "', afterName: '", "args": ', afterArguments: '}§§' },
      reading: { opens: ['§§run'], closes: ['§§'], body: { nameKeys: ['fn'], argumentsKeys: ['args'] } },
    });
  });

  it('a list', () => {
    const source = body(`<calls>[{"fn": "{{ c.function.name }}", "args": ${json}}]</calls>`);
    const { format } = detectTools(createTemplate(source));
    expect(format).toMatchObject({
      writing: { sectionOpen: '<calls>[', beforeName: '{"fn": "', sectionClose: ']</calls>' },
      reading: { opens: ['<calls>'], closes: ['</calls>'] },
    });
  });

  it('a name before its arguments', () => {
    const source = body(`<run>{{ c.function.name }} with ${json}</run>`);
    const { format } = detectTools(createTemplate(source));
    expect(format).toMatchObject({
      writing: { beforeName: '<run>', afterName: ' with ', afterArguments: '</run>' },
      reading: { opens: ['<run>'], closes: ['</run>'] },
    });
  });

  it('arguments in tags', () => {
    const source = body(
      "{{ '<run ' + c.function.name + '>\\n' }}{% for k, v in c.function.arguments.items() %}" +
        "{{ '<arg ' + k + '>' + (v if v is string else v | tojson) + '</arg>\\n' }}{% endfor %}{{ '</run>\\n</all>' }}",
    );
    const { format } = detectTools(createTemplate(source));
    expect(format).toMatchObject({
      writing: {
        beforeName: '<run ',
        afterName: '>\n',
        arguments: { beforeKey: '<arg ', afterKey: '>', afterValue: '</arg>\n' },
        afterArguments: '</run>\n</all>',
      },
      reading: {
        opens: ['<run'],
        closes: ['</all>'],
        body: { parameters: { open: '<arg', end: ['</run>'] } },
      },
    });
  });

  it('are read as they are written', () => {
    const sources = [
      body(`§§run {"fn": "{{ c.function.name }}", "args": ${json}}§§`),
      body(`<calls>[{"fn": "{{ c.function.name }}", "args": ${json}}]</calls>`),
      body(`<run>{{ c.function.name }} with ${json}</run>`),
      body(
        '<run {{ c.function.name }}>{% for k, v in c.function.arguments.items() %}' +
          '<arg {{ k }}>{{ v if v is string else v | tojson }}</arg>{% endfor %}</run>',
      ),
    ];
    const known = new Map([['f', { name: 'f', parameters: true }]]);
    for (const source of sources) {
      const { format } = detectTools(createTemplate(source));
      const text = writeCalls(format, [{ name: 'f', arguments: { a: 'x y', b: 2 } }]);
      expect(format.name).toBe('from-template');
      const options = { format: answerFormat({}, format), tools: known, end: 'eos' as const };
      expect(parseAnswer([`Hm. ${text}`], options)).toMatchObject({
        content: 'Hm.',
        calls: [{ name: 'f', arguments: { a: 'x y', b: 2 } }],
      });
    }
  });

  it('the vocabulary tells where the template knows no tools', () => {
    const template = createTemplate(chatMl, ['<|im_end|>', '[TOOL_CALLS]']);
    expect(detectTools(template)).toMatchObject({ format: { name: 'mistral' }, showsTools: false });
    const harmony = createTemplate(chatMl, ['<|start|>', '<|channel|>', '<|message|>']);
    expect(detectTools(harmony)).toMatchObject({ format: { name: 'hermes' } });
  });

  it('none: the model is told of the most common one', () => {
    expect(detectTools(createTemplate(chatMl))).toMatchObject({
      format: { name: 'hermes' },
      showsTools: false,
      showsCalls: false,
      showsResults: true,
      showsSystem: true,
    });
  });
});

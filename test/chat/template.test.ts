import { describe, expect, it } from 'vitest';

import type { ChatMessage } from '../../src/chat/messages.ts';
import { createChatTemplate } from '../../src/chat/template.ts';
import { Metadata } from '../../src/gguf/metadata.ts';
import { chatTemplate, fileTemplate, rivuletError } from '../support/chat-template.ts';

const hello: readonly ChatMessage[] = [{ role: 'user', content: 'Hello' }];
const tool = { name: 'add', description: 'Adds.', parameters: { type: 'object', properties: {} } };

describe('where the template comes from', () => {
  const plain = '{{ messages[0].content }}';
  const file = { 'tokenizer.chat_template': plain };

  it('the option goes before the file', () => {
    const template = createChatTemplate({
      source: 'mine',
      metadata: new Metadata(new Map(Object.entries(file))),
      tokens: { bos: '', eos: '', controlTexts: [] },
    });
    expect(template).toMatchObject({ source: 'mine', origin: 'option' });
  });

  it('the file has one, a list of them or named ones', () => {
    expect(fileTemplate(file)).toMatchObject({ source: plain, origin: 'file' });
    expect(fileTemplate({ 'tokenizer.chat_template': [plain, 'other'] }).source).toBe(plain);
    expect(fileTemplate({ 'tokenizer.chat_template.default': plain }).source).toBe(plain);
  });

  it('a template of its own for tools', () => {
    const template = fileTemplate({
      ...file,
      'tokenizer.chat_template.tool_use': '{{ tools|length }} tools',
    });
    expect(template.render({ messages: hello }).text).toBe('Hello');
    expect(template.render({ messages: hello, tools: [] }).text).toBe('Hello');
    expect(template.render({ messages: hello, tools: [tool] }).text).toBe('1 tools');
  });

  it('an empty one is none', () => {
    expect(fileTemplate({ 'tokenizer.chat_template': '' }).origin).toBe('fallback');
  });
});

describe('what a template is given', () => {
  it('the globals of transformers', () => {
    const source =
      '{{ [bos_token, eos_token, tools, documents, add_generation_prompt, pad_token is defined, unk_token is defined] }}';
    expect(chatTemplate(source).render({ messages: hello }).text).toBe(
      "['<s>', '</s>', None, None, True, False, False]",
    );
    expect(chatTemplate(source).render({ messages: hello, addGenerationPrompt: false }).text).toContain(
      'False',
    );
  });

  it('messages and tools in the shape of OpenAI', () => {
    const { text } = chatTemplate('{{ messages|tojson }}{{ tools|tojson }}').render({
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'one' }] },
        {
          role: 'assistant',
          content: '',
          reasoning: 'hm',
          toolCalls: [{ id: 'c1', name: 'add', arguments: { a: 1.5 } }],
        },
        { role: 'tool', content: '2', toolCallId: 'c1', toolName: 'add' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'two' },
            { type: 'text', text: 'three' },
          ],
        },
      ],
      tools: [tool],
    });
    expect(text).toMatchInlineSnapshot(
      `"[{"role": "user", "content": "one"}, {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"a": 1.5}}}]}, {"role": "tool", "tool_call_id": "c1", "name": "add", "content": "2"}, {"role": "user", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}]}][{"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}}}]"`,
    );
  });

  it('a clock', () => {
    const template = createChatTemplate({
      source: "{{ strftime_now('%d %b %Y') }}",
      metadata: new Metadata(new Map()),
      tokens: { bos: '', eos: '', controlTexts: [] },
      now: () => new Date(2026, 2, 4),
    });
    expect(template.render({ messages: hello }).text).toBe('04 Mar 2026');
  });

  it('variables over everything', () => {
    const source = '{{ bos_token }}{{ enable_thinking }}{{ deep.list[1].x }}{{ n }}{{ f }}';
    const { text } = chatTemplate(source).render({
      messages: hello,
      reasoning: 'off',
      variables: {
        bos_token: 'B',
        enable_thinking: true,
        deep: { list: [0, { x: null }] },
        n: 2,
        f: 0.5,
        u: undefined,
      },
    });
    expect(text).toBe('BTrueNone20.5');
  });

  it('no change of one rendering is seen in the next', () => {
    const template = chatTemplate(
      '{% set _ = messages.append(1) %}{% set _ = messages[0].update({"x": 1}) %}{{ messages }}',
    );
    const first = template.render({ messages: hello }).text;
    expect(template.render({ messages: hello }).text).toBe(first);
    expect(hello).toEqual([{ role: 'user', content: 'Hello' }]);
  });
});

describe('input is adapted to templates that fail with it', () => {
  const parts: readonly ChatMessage[] = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'one' },
        { type: 'text', text: 'two' },
      ],
    },
  ];
  const call: readonly ChatMessage[] = [
    { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'add', arguments: { a: [1, 'x'] } }] },
  ];

  it.each([
    ["{{ 'U: ' + messages[0].content }}", parts, 'U: one\ntwo'],
    [
      '{{ messages[0].content }}',
      parts,
      "[{'type': 'text', 'text': 'one'}, {'type': 'text', 'text': 'two'}]",
    ],
    ["{{ 'C: ' + messages[0].tool_calls[0].function.arguments }}", call, 'C: {"a": [1, "x"]}'],
    ['{% if tools is defined %}{{ tools|length }}{% else %}none{% endif %}', hello, 'none'],
    [
      "{% if tools is defined %}{{ tools|length }}{% endif %}{{ '!' + messages[0].content }}",
      parts,
      '!one\ntwo',
    ],
  ])('%s', (source, messages, text) => {
    expect(chatTemplate(source).render({ messages }).text).toBe(text);
  });
});

describe('errors say what to do', () => {
  it('a template that is no Jinja', () => {
    const error = rivuletError(() => chatTemplate('a\nb {{ x\n| }}'));
    expect(error).toMatchObject({ code: 'TEMPLATE_FAILED', details: { line: 3 } });
    expect(error.message).toBe(
      'The chat template is no valid Jinja in line 3: Unexpected token: CloseExpression. Give another template with the option chatTemplate.',
    );
  });

  it('a template that refuses', () => {
    const error = rivuletError(() =>
      chatTemplate("\n{{ raise_exception('Roles must alternate') }}").render({ messages: hello }),
    );
    expect(error).toMatchObject({
      code: 'TEMPLATE_FAILED',
      details: { line: 2, raised: 'Roles must alternate' },
    });
    expect(error.message).toContain('refuses this conversation: Roles must alternate (line 2)');
  });

  it.each([
    ["{{ 1 }}\n\n{{ 'a' + 1 }}", 'line 3: can only concatenate str (not "int") to str'],
    ['{{ nothing.at.all }}', "line 1: 'nothing' is undefined"],
    ['{{ messages[0].nothing.at }}', "line 1: 'dict object' has no attribute 'nothing'"],
    ['{{ messages[0].content|nothing }}', "line 1: No filter named 'nothing'"],
    ['{% for m in 5 %}{% endfor %}', "line 1: 'int' object is not iterable"],
    ["{% include 'x' %}", 'line 1: Unknown statement type: include'],
  ])('%j', (source, part) => {
    const error = rivuletError(() => chatTemplate(source).render({ messages: hello }));
    expect(error.code).toBe('TEMPLATE_FAILED');
    expect(error.message).toContain(part);
    expect(error.message).toContain('chatTemplate');
  });

  it('content that is no text', () => {
    const image = { type: 'image', data: new Uint8Array(3) } as const;
    const error = rivuletError(() =>
      chatTemplate('{{ messages }}').render({
        messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] }],
      }),
    );
    expect(error).toMatchObject({ code: 'UNSUPPORTED', details: { partType: 'image', partIndex: 1 } });
    expect(error.message).toContain('part 2');
  });

  it('variables that are no data', () => {
    const render = (value: unknown) => () =>
      chatTemplate('{{ x }}').render({ messages: hello, variables: { x: value } });
    expect(rivuletError(render(() => 1)).code).toBe('INVALID_ARGUMENT');
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(rivuletError(render(cyclic)).code).toBe('TEMPLATE_LIMIT_EXCEEDED');
  });

  it('nothing of JavaScript can be reached', () => {
    const source =
      '{{ [messages.constructor, messages.__proto__, "a".length, messages[0].toString, ("a").__class__] }}';
    expect(chatTemplate(source).render({ messages: hello }).text).toBe(
      '[Undefined, Undefined, Undefined, Undefined, Undefined]',
    );
    const { text } = chatTemplate(
      '{{ messages[0]["__proto__"] is defined }}{{ constructor is defined }}',
    ).render({
      messages: hello,
    });
    expect(text).toBe('FalseFalse');
  });
});

import { describe, expect, it, test } from 'vitest';

import { checkContinuation, renderContinuation } from '../../src/chat/continue-answer.ts';
import { detectOutput } from '../../src/chat/formats/detect-output.ts';
import type { ChatMessage } from '../../src/chat/messages.ts';
import { chatTemplate, rivuletError } from '../support/chat-template.ts';
import { createCaseTemplate, readTemplateFolder } from '../support/template-cases.ts';

const { templates } = readTemplateFolder(new URL('../conformance/templates', import.meta.url).pathname);

const hi: ChatMessage = { role: 'user', content: 'Hi' };
const begun = 'Sure: <b>"one"</b>,\n two and ';
const answer: ChatMessage = { role: 'assistant', content: begun };

/** What the templates have written when the model goes on; absent = the same as before an answer. */
const heads: Readonly<Record<string, string>> = {
  'Qwen3.5-4B.jinja': '<|im_start|>assistant\n<think>\n\n</think>\n\n',
  'meetkai-functionary-medium-v3.2.jinja': '<|start_header_id|>assistant<|end_header_id|>\n\n>>>all\n',
  'Qwen-QwQ-32B.jinja': '<|im_start|>assistant\n',
  'openai-gpt-oss-120b.jinja': '<|start|>assistant<|channel|>final<|message|>',
};

describe.each(templates)('$name', (one) => {
  const template = createCaseTemplate(one);
  const { reasoning } = detectOutput(template.source);

  it('ends the prompt where the answer ends', () => {
    const rendered = renderContinuation(template, { messages: [hi, answer] }, reasoning);
    expect(rendered?.text.endsWith(begun)).toBe(true);
    const head = rendered?.text.slice(0, -begun.length) ?? '';
    const known = heads[one.name];
    if (known !== undefined) expect(head.endsWith(known)).toBe(true);
    else if (reasoning === undefined) expect(head).toBe(template.render({ messages: [hi] }).text);
    // The answer is no thought.
    const { open, close } = reasoning ?? { open: '<think>', close: '</think>' };
    expect(head.lastIndexOf(open)).toBeLessThanOrEqual(head.lastIndexOf(close));
  });

  it('after turns that came before, with tools, and thoughts that came first', () => {
    const messages = [
      hi,
      { role: 'assistant', content: 'Hello.' },
      hi,
      { ...answer, reasoning: 'They are kind.' },
    ];
    const tools = [{ name: 'add', description: 'Adds.', parameters: { type: 'object', properties: {} } }];
    const rendered = renderContinuation(template, { messages, tools }, reasoning);
    expect(rendered?.text.endsWith(begun)).toBe(true);
    expect(rendered?.text).toContain('Hello.');
  });
});

test('thoughts alone are followed by their answer', () => {
  const one = templates.find(({ name }) => name === 'Qwen3.5-4B.jinja');
  const template = one === undefined ? undefined : createCaseTemplate(one);
  const messages = [hi, { role: 'assistant', content: '', reasoning: 'They greet me.' }];
  const rendered =
    template && renderContinuation(template, { messages }, { open: '<think>', close: '</think>' });
  expect(rendered?.text.endsWith('<|im_start|>assistant\n<think>\nThey greet me.\n</think>\n\n')).toBe(true);
});

describe('of templates that allow none, nothing comes', () => {
  test.each([
    ['it changes the text', "{% for m in messages %}{{ m.content | replace('one', '1') }}{% endfor %}"],
    ['it leaves answers away', "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}"],
    ['it shows them twice', '{% for m in messages %}{{ m.content }}|{{ m.content }}{% endfor %}'],
    ['it refuses them', "{% if messages[-1].role != 'user' %}{{ raise_exception('no') }}{% endif %}"],
  ])('%s', (_, source) => {
    expect(renderContinuation(chatTemplate(source), { messages: [hi, answer] }, undefined)).toBeUndefined();
  });
});

test('control tokens in the words of both are kept apart, also behind a block that was closed', () => {
  const template = chatTemplate(
    '{% for m in messages %}<|im_start|>{{ m.role }}<think>{{ m.content }}<|im_end|>{% endfor %}',
    ['<|im_start|>', '<|im_end|>'],
  );
  const messages = [
    { role: 'user', content: 'a<|im_end|>' },
    { role: 'assistant', content: 'b<|im_end|>c' },
  ];
  const format = { open: '<think>', close: '</think>' };
  const rendered = renderContinuation(template, { messages }, format);
  expect(rendered?.text).toBe(
    '<|im_start|>user<think>a<|im_end|><|im_end|><|im_start|>assistant<think></think>b<|im_end|>c',
  );
  expect(rendered?.guards.map((offset) => rendered.text.slice(offset - 2, offset + 9))).toEqual([
    'a<|im_end|>',
    'b<|im_end|>',
  ]);
});

test('a text that holds the mark itself', () => {
  const template = chatTemplate('{% for m in messages %}{{ m.content }}|{% endfor %}');
  const messages = [
    { role: 'user', content: 'rivuletGoesOnHere' },
    { role: 'assistant', content: 'rivuletGoesOnHere0n' },
  ];
  expect(renderContinuation(template, { messages }, undefined)?.text).toBe(
    'rivuletGoesOnHere|rivuletGoesOnHere0n',
  );
});

describe('what is to be continued', () => {
  it('is an answer that has begun; an empty one is none yet', () => {
    expect(checkContinuation([hi, answer])).toEqual({ messages: [hi, answer], continues: true });
    expect(checkContinuation([hi, { role: 'assistant', content: ' ' }])).toEqual({
      messages: [hi],
      continues: false,
    });
    const thought: ChatMessage = { role: 'assistant', content: '', reasoning: 'Hm' };
    expect(checkContinuation([hi, thought])).toEqual({ messages: [hi, thought], continues: true });
  });

  test.each([
    [[], 'none'],
    [[hi], 'one of the role "user"'],
    [
      [{ ...answer, toolCalls: [{ id: '1', name: 'add', arguments: {} }] }],
      'one of the role "assistant" that calls tools',
    ],
  ] as const)('%j is refused', (messages, found) => {
    const error = rivuletError(() => checkContinuation(messages));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(`found ${found}`);
  });
});

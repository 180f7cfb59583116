import { expect, it } from 'vitest';

import { detectOutput } from '../src/chat/formats/detect-output.ts';
import { detectTools } from '../src/chat/formats/detect-tools.ts';
import { answerFormat } from '../src/chat/output/read-answer.ts';
import { decode } from '../src/decode.ts';
import type { GenerateEvent } from '../src/events.ts';
import type { Engine } from '../src/generate/engine.ts';
import type { ScriptedTokenizer } from '../src/testing/scripted-tokenizer.ts';
import { createScriptedTokenizer } from '../src/testing/scripted-tokenizer.ts';
import { createTemplate } from './support/tool-call-cases.ts';
import { readFileSync } from 'node:fs';

const folder = new URL('conformance/templates/', import.meta.url).pathname;

/** Says these ids and then ends in this way. */
function sayer(ids: Int32Array, rawReason: 'eos' | 'max-tokens' = 'eos'): Engine {
  return {
    async *generate() {
      yield { type: 'prefilled', cacheRead: 0, queueMs: 0, prefillMs: 0 };
      for (const id of ids) yield { type: 'token', id };
      yield { type: 'end', rawReason };
    },
    dispose: async () => undefined,
  };
}

/** What a model with control tokens says, as `[type, text]`. */
async function say(
  name: string,
  controlTexts: readonly string[],
  text: string,
  rawReason: 'eos' | 'max-tokens' = 'eos',
): Promise<[string, string][]> {
  const tokenizer: ScriptedTokenizer = createScriptedTokenizer(controlTexts);
  const template = createTemplate(readFileSync(`${folder}${name}`, 'utf8'));
  const { format: toolFormat } = detectTools(template);
  const events: GenerateEvent[] = [];
  for await (const event of decode({
    loadMs: 0,
    tokenizer,
    engine: sayer(tokenizer.encode(text, { parseSpecial: true }), rawReason),
    prompt: Int32Array.of(1),
    options: {},
    output: {
      format: answerFormat(detectOutput(template.source), toolFormat),
      startsInReasoning: false,
      toolFormat,
      tools: new Map([['add', { name: 'add', parameters: true }]]),
    },
    continuesText: false,
  })) {
    events.push(event);
  }
  const parts: [string, string][] = [];
  for (const event of events) {
    const last = parts.at(-1);
    if (event.type === 'text-delta' || event.type === 'reasoning-delta') {
      if (last?.[0] === event.type) last[1] += event.delta;
      else parts.push([event.type, event.delta]);
    } else if (event.type === 'tool-call') parts.push([event.type, event.toolName + event.input]);
    else if (event.type === 'finish') parts.push([event.reason, String(event.usage.outputTokens.reasoning)]);
  }
  return parts;
}

it('control tokens that a form is made of reach the parser, others do not', async () => {
  const controls = [
    '<|tool_calls_section_begin|>',
    '<|tool_call_begin|>',
    '<|tool_call_argument_begin|>',
    '<|tool_call_end|>',
    '<|tool_calls_section_end|>',
    '<|unused|>',
  ];
  const text =
    'Hi<|unused|>!<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{"a":1}<|tool_call_end|><|tool_calls_section_end|>';
  expect(await say('Kimi-K2-Instruct.jinja', controls, text)).toEqual([
    ['text-delta', 'Hi!'],
    ['tool-call', 'add{"a":1}'],
    ['tool-calls', '0'],
  ]);
});

it('those inside of other texts of a form do, too', async () => {
  const controls = ['<|channel|>', '<|message|>', '<|constrain|>', '<|start|>', '<|end|>'];
  const text =
    '<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a":1}';
  const [thoughts, call, finish] = await say('openai-gpt-oss-120b.jinja', controls, text);
  expect(thoughts).toEqual(['reasoning-delta', 'hm']);
  expect(call).toEqual(['tool-call', 'add{"a":1}']);
  expect(finish?.[0]).toBe('tool-calls');
});

it('a complete call of an output that is cut is there, but the reason stays the length', async () => {
  const text =
    '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>\n<tool_call>\n{"name": "add", "arg';
  expect(await say('Qwen-QwQ-32B.jinja', [], text, 'max-tokens')).toEqual([
    ['tool-call', 'add{}'],
    ['length', '0'],
  ]);
});

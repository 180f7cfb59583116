import { validate } from '@cfworker/json-schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadModel } from '../../src/index.ts';
import type { ChatRequest, GenerateEvent, JSONSchema, Model } from '../../src/index.ts';
import { defaultModel } from '../support/default-model.ts';
import { personSchema as person } from '../support/person-schema.ts';

const tools = [
  {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', minLength: 1 }, unit: { enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
    },
  },
  {
    name: 'send_mail',
    description: 'Sends mail',
    parameters: { type: 'object', properties: { to: { type: 'string', format: 'email' } }, required: ['to'] },
  },
] as const;

const invent: ChatRequest = { messages: [{ role: 'user', content: 'Invent a person.' }] };
const ask: ChatRequest = {
  messages: [{ role: 'user', content: 'What is the weather in Paris? Mail it to Bob.' }],
  tools,
};

let model: Model;
beforeAll(async () => {
  model = await loadModel(defaultModel, { contextLength: 2048 });
}, 300_000);
afterAll(() => model?.dispose());

interface Answer {
  readonly text: string;
  readonly calls: readonly (GenerateEvent & { type: 'tool-call' })[];
  readonly finish: GenerateEvent & { type: 'finish' };
}

async function answer(request: ChatRequest): Promise<Answer> {
  let text = '';
  const calls: (GenerateEvent & { type: 'tool-call' })[] = [];
  for await (const event of model.chat(request)) {
    if (event.type === 'text-delta') text += event.delta;
    if (event.type === 'tool-call') calls.push(event);
    if (event.type === 'finish') return { text, calls, finish: event };
  }
  throw new Error('no finish');
}

/** As wild as can be: nothing is cut off but what is not allowed. */
const wild = { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 90 } as const;
const seeds = Array.from({ length: 8 }, (_, seed) => seed);
const answers = (request: ChatRequest): Promise<Answer[]> =>
  Promise.all(seeds.map((seed) => answer({ ...request, ...wild, seed })));

function isValid(json: string, schema: JSONSchema): boolean {
  return validate(JSON.parse(json), structuredClone(schema) as never, '2020-12').valid;
}

function checkCalls(calls: Answer['calls'], names: readonly string[]): void {
  expect(calls.length).toBeGreaterThan(0);
  for (const { toolName, input } of calls) {
    expect(names).toContain(toolName);
    const tool = tools.find(({ name }) => name === toolName);
    expect({ input, valid: isValid(input, tool?.parameters ?? false) }).toEqual({ input, valid: true });
  }
}

const allNames = tools.map(({ name }) => name);

describe('at temperature 1 and whatever seed', { timeout: 180_000 }, () => {
  it('JSON is valid under its schema', async () => {
    for (const { text } of await answers({ ...invent, responseFormat: { type: 'json', schema: person } })) {
      expect({ text, valid: isValid(text, person) }).toEqual({ text, valid: true });
    }
  });

  it('JSON is valid under its schema at every limit that it fits in', async () => {
    const made = await Promise.all(
      Array.from({ length: 24 }, async (_, more) => {
        const request = { ...invent, ...wild, responseFormat: { type: 'json', schema: person } } as const;
        return answer({ ...request, seed: more, maxTokens: 36 + more });
      }),
    );
    for (const { text } of made)
      expect({ text, valid: isValid(text, person) }).toEqual({ text, valid: true });
    expect(made.filter(({ finish }) => finish.reason === 'length').length).toBeGreaterThan(5);
  });

  it('JSON without a schema is JSON', async () => {
    for (const { text } of await answers({ ...invent, responseFormat: { type: 'json' } })) JSON.parse(text);
  });

  it('required tools are called, and nothing is said', async () => {
    for (const { text, calls } of await answers({ ...ask, toolChoice: 'required' })) {
      expect(text).toBe('');
      checkCalls(calls, allNames);
    }
  });

  it('a named tool is called, and no other', async () => {
    for (const { calls } of await answers({ ...ask, toolChoice: { name: 'send_mail' } })) {
      checkCalls(calls, ['send_mail']);
    }
  });

  it('no tool is called when none may be', async () => {
    for (const { calls } of await answers({ ...ask, toolChoice: 'none', ...wild, maxTokens: 40 })) {
      expect(calls).toEqual([]);
    }
  });

  it('tools and a schema together give calls or JSON', async () => {
    const request = { ...ask, responseFormat: { type: 'json', schema: person } } as const;
    for (const { text, calls } of await answers(request)) {
      if (calls.length > 0) checkCalls(calls, allNames);
      else expect({ text, valid: isValid(text, person) }).toEqual({ text, valid: true });
    }
  });

  it('a regular expression matches', async () => {
    const pattern = '(yes|no), because [a-z ]{5,60}\\.';
    for (const { text } of await answers({ ...invent, grammar: { regex: pattern } })) {
      expect(text).toMatch(new RegExp(`^${pattern}$`));
    }
  });
});

describe('greedy answers', () => {
  const greedy = { temperature: 0, maxTokens: 60 } as const;

  it('that are valid anyway stay as they are', async () => {
    const free = await answer({ ...invent, ...greedy });
    const held = await answer({ ...invent, ...greedy, grammar: { regex: '[^\\0]*' } });
    expect(held.text).toBe(free.text);
    // What the model writes as JSON on its own, fence left away, is what it writes when it is held to JSON.
    const json = await answer({
      messages: [{ role: 'user', content: 'Reply with exactly this JSON: {"a": 1, "b": [true, null]}' }],
      ...greedy,
    });
    if (isJson(json.text)) {
      const again = await answer({
        messages: [{ role: 'user', content: 'Reply with exactly this JSON: {"a": 1, "b": [true, null]}' }],
        ...greedy,
        grammar: { json: {} },
      });
      expect(again.text).toBe(json.text.trim());
    }
  });

  it('near the limit are closed, and say so', async () => {
    const { text, finish } = await answer({
      ...invent,
      temperature: 0,
      maxTokens: 60,
      responseFormat: {
        type: 'json',
        schema: {
          type: 'object',
          properties: { story: { type: 'string', minLength: 20 }, end: { type: 'boolean' } },
          required: ['story', 'end'],
        },
      },
    });
    JSON.parse(text);
    if (finish.usage.outputTokens.total > 40) expect(finish.reason).toBe('length');
  });

  it('are left open when asked to', async () => {
    const { text, finish } = await answer({
      ...invent,
      temperature: 0,
      maxTokens: 10,
      closeGrammar: false,
      grammar: { json: { type: 'array', items: { type: 'string' }, minItems: 20 } },
    });
    expect(finish).toMatchObject({ reason: 'length', rawReason: 'max-tokens' });
    expect(isJson(text)).toBe(false);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

it('a bad schema is a typed error, and the next request works', async () => {
  await expect(
    answer({ ...invent, responseFormat: { type: 'json', schema: { type: 'text' } } }),
  ).rejects.toMatchObject({ code: 'SCHEMA_INVALID', details: { path: '#/type' } });
  const { text } = await answer({ ...invent, temperature: 0, grammar: { regex: 'ok' } });
  expect(text).toBe('ok');
});

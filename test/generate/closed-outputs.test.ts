import { validate } from '@cfworker/json-schema';
import { afterAll, describe, expect, it } from 'vitest';

import { hermes } from '../../src/chat/formats/json-formats.ts';
import { qwen3Coder } from '../../src/chat/formats/tagged-formats.ts';
import type { JSONSchema } from '../../src/chat/messages.ts';
import { answerFormat } from '../../src/chat/output/read-answer.ts';
import type { OutputFormat } from '../../src/chat/tool-format.ts';
import { decode } from '../../src/decode.ts';
import type { DecodedOutput } from '../../src/decode.ts';
import type { GenerateEvent } from '../../src/events.ts';
import type { EngineEvent } from '../../src/generate/engine.ts';
import type { GenerationOptions } from '../../src/generate/generation-options.ts';
import { createScheduler } from '../../src/generate/scheduler.ts';
import { GrammarEngine } from '../../src/grammar/grammar-engine.ts';
import type { Grammar } from '../../src/grammar/grammar.ts';
import { outputGrammar } from '../../src/grammar/output-grammar.ts';
import type { OutputDemand } from '../../src/grammar/output-grammar.ts';
import { regexGrammar } from '../../src/grammar/regex-grammar.ts';
import { schemaGrammar } from '../../src/grammar/schema/schema-grammar.ts';
import { ThoughtBudget } from '../../src/grammar/thought-budget.ts';
import type { TokenMask } from '../../src/grammar/token-mask.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { acceptor } from '../grammar/accepts.ts';
import { createTableSession } from '../support/table-session.ts';
import { bytePairMetadata } from '../tokenizer/small-vocabulary.ts';
import { personSchema } from '../support/person-schema.ts';

const markers = ['<think>', '</think>', '<tool_call>', '</tool_call>'];
const pieces = [
  '{"',
  '":',
  '": "',
  '", "',
  '",',
  '"}',
  '"]',
  '"}}',
  'name',
  'na',
  'true',
  'fal',
  '12',
  'city',
];
const words = [
  'arguments',
  '</parameter>',
  '</function>',
  '<function=',
  '    ',
  'lit',
  'celsius',
  'ab"',
  'xy',
];

/** Tokens of several characters that no merges make: what is certain takes more tokens than an end. */
const tokenizer = createTokenizer(
  bytePairMetadata(
    [
      ['<|end|>', 3],
      ...markers.map((marker) => [marker, 3] as const),
      ...[...pieces, ...words].map((piece) => [piece.replaceAll(' ', 'Ġ'), 1] as const),
    ],
    [],
  ),
);
const visible = new Set(markers.map((marker) => tokenizer.idOf(marker)));
const grammars = new GrammarEngine(tokenizer, { visible });

const session = createTableSession({ vocabularySize: tokenizer.vocabularySize, contextLength: 1024 });
const engine = createScheduler(session);
afterAll(() => engine.dispose());

/** How many tokens the shortest text of a grammar takes. */
function shortestOf(key: string, grammar: Grammar): number {
  const { states, ends } = grammars.compile(key, () => grammar);
  return ends.tokens(states.start(), 1000)?.length ?? Number.NaN;
}

const wild: GenerationOptions = { temperature: 1, topK: 0, topP: 1, minP: 0 };
const prompt = (seed: number): Int32Array => Int32Array.of(1, 2, seed);

interface Made {
  readonly ids: readonly number[];
  readonly rawReason: string;
}

async function make(mask: TokenMask, seed: number, options: GenerationOptions): Promise<Made> {
  const ids: number[] = [];
  const events: AsyncIterable<EngineEvent> = engine.generate({
    prompt: prompt(seed),
    options: { ...wild, seed, ...options },
    endIds: tokenizer.endIds,
    mask,
  });
  for await (const event of events) {
    if (event.type === 'token') ids.push(event.id);
    if (event.type === 'end') return { ids, rawReason: event.rawReason };
  }
  throw new Error('no end');
}

const schemas: Record<string, JSONSchema> = {
  person: { ...personSchema, additionalProperties: false },
  tree: {
    $defs: {
      node: {
        type: 'object',
        properties: {
          id: { type: 'integer' },
          children: { type: 'array', items: { $ref: '#/$defs/node' }, maxItems: 4 },
        },
        required: ['id', 'children'],
        additionalProperties: false,
      },
    },
    $ref: '#/$defs/node',
  },
  list: {
    type: 'array',
    items: {
      anyOf: [
        { type: 'object', properties: { long: { type: 'string', minLength: 25 } }, required: ['long'] },
        { type: 'array', items: { type: 'boolean' }, minItems: 6, maxItems: 6 },
        { type: 'null' },
      ],
    },
    minItems: 2,
  },
  mail: {
    type: 'object',
    properties: {
      to: { type: 'string', format: 'email' },
      code: { type: 'string', pattern: '^é{3}-[0-9]{4}$' },
    },
    required: ['to', 'code'],
  },
};

const steps = Array.from({ length: 41 }, (_, step) => step);

describe.each(Object.entries(schemas))('JSON by a schema: %s', (name, schema) => {
  const { grammar } = schemaGrammar(schema);
  const accepts = acceptor(grammar);
  const shortest = shortestOf(name, grammar);

  it('is valid whatever the limit, from the shortest on', async () => {
    let cut = 0;
    for (const more of steps) {
      for (const [seed, options] of [
        [more, {}],
        [more + 100, { logprobs: 0 }],
        [more + 200, { temperature: 4 }],
      ] as const) {
        const maxTokens = shortest + more;
        const { ids, rawReason } = await make(
          grammars.mask(name, () => grammar),
          seed,
          { ...options, maxTokens },
        );
        const text = tokenizer.decode(ids, { special: true });
        const value: unknown = JSON.parse(text);
        const { valid } = validate(value, structuredClone(schema) as never, '2020-12');
        expect({ text, valid, accepted: accepts(text) }).toEqual({ text, valid: true, accepted: true });
        expect(ids.length).toBeLessThanOrEqual(maxTokens);
        expect(['eos', 'max-tokens']).toContain(rawReason);
        if (rawReason === 'max-tokens') cut += 1;
      }
    }
    expect(cut).toBeGreaterThan(10);
  });

  it('is the choice of the model up to a token that leaves no room for any end', async () => {
    const { states, masks, ends } = grammars.compile(name, () => grammar);
    let closed = 0;
    for (const more of steps) {
      const options = { maxTokens: shortest + more, logprobs: 0 };
      const free = await make(
        grammars.mask(name, () => grammar, { closes: false }),
        more,
        options,
      );
      const held = await make(
        grammars.mask(name, () => grammar),
        more,
        options,
      );
      let state = states.start();
      let kept = 0;
      while (kept < held.ids.length && held.ids[kept] === free.ids[kept]) {
        state = masks.after(state, held.ids[kept]!)!;
        kept += 1;
      }
      if (kept === held.ids.length) continue;
      closed += 1;
      const left = options.maxTokens - kept;
      expect(ends.tokens(masks.after(state, free.ids[kept]!)!, left - 1)).toBeUndefined();
      expect(held.ids.slice(kept)).toEqual(ends.tokens(state, left));
      expect(held.rawReason).toBe('max-tokens');
    }
    expect(closed).toBeGreaterThan(5);
  });

  it('is cut where not even the shortest fits', async () => {
    for (let maxTokens = 1; maxTokens < shortest; maxTokens += 3) {
      const { ids, rawReason } = await make(
        grammars.mask(name, () => grammar),
        maxTokens,
        { maxTokens },
      );
      if (rawReason === 'eos') expect(accepts(tokenizer.decode(ids, { special: true }))).toBe(true);
      else expect(rawReason).toBe('max-tokens');
    }
  });
});

it('the last token but one is still the choice of the model', async () => {
  const grammar = regexGrammar('"[a-z]*"');
  const letters = new Map([[tokenizer.idOf('xy'), 100]]);
  for (const maxTokens of [3, 4, 10, 33]) {
    const mask = grammars.mask('letters', () => grammar);
    const { ids, rawReason } = await make(mask, 1, { maxTokens, logitBias: letters });
    expect(tokenizer.decode(ids, { special: true })).toBe(`"${'xy'.repeat(maxTokens - 2)}"`);
    expect([ids.length, rawReason]).toEqual([maxTokens, 'max-tokens']);
  }
});

it('what the model ends in time by itself has the reason of an end', async () => {
  const grammar = regexGrammar('"[a-z]*"');
  const mask = grammars.mask('letters', () => grammar);
  const { ids, rawReason } = await make(mask, 1, {
    maxTokens: 2,
    logitBias: new Map([[tokenizer.idOf('"'), 100]]),
  });
  expect([tokenizer.decode(ids, { special: true }), rawReason]).toEqual(['""', 'eos']);
});

const tools = [
  {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string' },
        unit: { enum: ['celsius', 'kelvin'] },
        days: { type: 'integer', minimum: 1, maximum: 14 },
      },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
  {
    name: 'paint',
    parameters: {
      type: 'object',
      properties: { colors: { type: 'array', items: { enum: ['red', 'blue'] }, minItems: 2 } },
      required: ['colors'],
      additionalProperties: false,
    },
  },
] as const;

interface Answer {
  readonly text: string;
  readonly calls: readonly (GenerateEvent & { type: 'tool-call' })[];
  readonly finish: GenerateEvent & { type: 'finish' };
}

async function answer(
  mask: TokenMask,
  seed: number,
  options: GenerationOptions,
  output: DecodedOutput,
): Promise<Answer> {
  let text = '';
  const calls: (GenerateEvent & { type: 'tool-call' })[] = [];
  for await (const event of decode({
    loadMs: 0,
    tokenizer,
    engine,
    prompt: prompt(seed),
    options: { ...wild, seed, ...options },
    output,
    continuesText: false,
    mask,
  })) {
    if (event.type === 'text-delta') text += event.delta;
    if (event.type === 'tool-call') calls.push(event);
    if (event.type === 'finish') return { text, calls, finish: event };
  }
  throw new Error('no finish');
}

const demand: OutputDemand = {
  tools: [],
  mustCall: false,
  mostCalls: 3,
  format: {},
  thinks: 'no',
  stripsSpace: false,
  endTexts: [],
};

describe.each([hermes, qwen3Coder])('calls in the form of $name', (toolFormat) => {
  const output: DecodedOutput = {
    format: answerFormat({}, toolFormat),
    startsInReasoning: false,
    toolFormat,
    tools: new Map(tools.map(({ name, parameters }) => [name, { name, parameters }])),
  };
  const grammarOf = (mustCall: boolean): [key: string, grammar: Grammar] => [
    `${toolFormat.name} ${mustCall}`,
    outputGrammar({ ...demand, tools, toolFormat, mustCall }).grammar,
  ];
  const check = ({ calls }: Answer): void => {
    for (const { toolName, input } of calls) {
      const schema = tools.find(({ name }) => name === toolName)?.parameters ?? false;
      const { valid } = validate(JSON.parse(input), structuredClone(schema) as never, '2020-12');
      expect({ input, valid }).toEqual({ input, valid: true });
    }
  };

  it('that are required are there and valid whatever the limit', async () => {
    const [key, grammar] = grammarOf(true);
    const shortest = shortestOf(key, grammar);
    const reasons = new Set<string>();
    for (const more of steps) {
      for (const seed of [more, more + 100]) {
        const mask = grammars.mask(key, () => grammar);
        const made = await answer(mask, seed, { maxTokens: shortest + more }, output);
        expect(made.calls.length).toBeGreaterThan(0);
        expect(made.text.trim()).toBe('');
        check(made);
        reasons.add(made.finish.reason);
      }
    }
    expect(reasons).toContain('length');
  });

  it('are none where not even the shortest fits', async () => {
    const [key, grammar] = grammarOf(true);
    const shortest = shortestOf(key, grammar);
    for (let maxTokens = 1; maxTokens < shortest; maxTokens += 1) {
      const mask = grammars.mask(key, () => grammar);
      const { calls, finish } = await answer(mask, maxTokens, { maxTokens }, output);
      expect([calls.length, finish.reason]).toEqual([0, 'length']);
    }
  });

  it('that are free are not begun too late', async () => {
    const [key, grammar] = grammarOf(false);
    const begins = new Map([[tokenizer.idOf('<tool_call>'), 4]]);
    let called = 0;
    for (const more of steps) {
      const mask = grammars.mask(key, () => grammar);
      const options = { maxTokens: 20 + more * 2, logitBias: begins };
      const made = await answer(mask, more, options, output);
      check(made);
      expect(made.text).not.toContain('<tool_call>');
      called += made.calls.length;
    }
    expect(called).toBeGreaterThan(5);
  });
});

describe('thoughts that have not ended', () => {
  const format: OutputFormat = { reasoning: { open: '<think>', close: '</think>' } };
  const schema = schemas['person']!;
  const output: DecodedOutput = {
    format: answerFormat(format),
    startsInReasoning: true,
    tools: new Map(),
  };
  const { grammar } = outputGrammar({ ...demand, answer: { json: schema }, format, thinks: 'inside' });
  const shortest = shortestOf('thoughts', grammar);

  it.each([0, 3, 10, 1000])('leave room for the answer, with a budget of %i', async (budget) => {
    for (const more of steps) {
      const mask = new ThoughtBudget({
        tokenizer,
        format: format.reasoning!,
        startsInside: true,
        maxTokens: budget,
        inner: grammars.mask('thoughts', () => grammar),
      });
      const { text, finish } = await answer(mask, more, { maxTokens: shortest + more }, output);
      const { valid } = validate(JSON.parse(text), structuredClone(schema) as never, '2020-12');
      expect({ text, valid }).toEqual({ text, valid: true });
      expect(finish.usage.outputTokens.total).toBeLessThanOrEqual(shortest + more);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { plainText } from '../../src/chat/output/read-answer.ts';
import { createStreamParser } from '../../src/chat/parse-stream.ts';
import { detectReasoning, opensReasoning } from '../../src/chat/reasoning.ts';
import type { GenerateEvent } from '../../src/events.ts';

const think = { open: '<think>', close: '</think>' };
const format = { ...plainText, reasoning: think };

/** Events of a text that comes in the given pieces, ids left away. */
function parse(pieces: readonly string[], startsInReasoning = false): string[] {
  let ids = 0;
  const parser = createStreamParser({
    format,
    startsInReasoning,
    createId: () => String(ids++),
  });
  const events = [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
  return merge(events);
}

/** One entry per block: its kind and its joined text. */
function merge(events: readonly GenerateEvent[]): string[] {
  const blocks: string[] = [];
  for (const event of events) {
    if (event.type === 'text-start' || event.type === 'reasoning-start') {
      blocks.push(`${event.type.split('-')[0]}: `);
    }
    if (event.type === 'text-delta' || event.type === 'reasoning-delta') {
      expect(event.delta).not.toBe('');
      blocks.push((blocks.pop() ?? '') + event.delta);
    }
  }
  return blocks;
}

describe('reasoning is split from text', () => {
  it.each([
    ['plain text', 'Hello there. ', false, ['text: Hello there. ']],
    ['a block, then the answer', '<think>\nHm.\n</think>\n\nYes.', false, ['reasoning: Hm.', 'text: Yes.']],
    ['a block opened by the prompt', 'Hm.\n</think>\n\nYes.', true, ['reasoning: Hm.', 'text: Yes.']],
    ['an empty block', '<think>\n\n</think>\n\nYes.', false, ['text: Yes.']],
    ['a block that is never closed', '<think>Hm, ', false, ['reasoning: Hm, ']],
    ['nothing behind the block', '<think>Hm.</think>\n', false, ['reasoning: Hm.']],
    ['white space before the block', '\n<think>Hm.</think>Yes.', false, ['reasoning: Hm.', 'text: Yes.']],
    ['a marker inside the answer', 'Write <think> first.', false, ['text: Write <think> first.']],
    ['half a marker at the end', '<think>Hm.</thi', false, ['reasoning: Hm.</thi']],
    ['a closing marker without a block', '</think>\n\nYes.', false, ['text: Yes.']],
    ['half a marker as the answer', '<thi', false, ['text: <thi']],
  ] as const)('%s', (_, text, startsInReasoning, blocks) => {
    expect(parse([text], startsInReasoning)).toEqual(blocks);
    expect(parse(Array.from(text), startsInReasoning)).toEqual(blocks);
  });

  it('the same for every way of cutting the text into pieces', () => {
    const piece = fc.constantFrom('<think>', '</think>', '<th', 'ink>', 'a', ' ', '\n', '</', '>');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, startsInReasoning) => {
        expect(parse(pieces, startsInReasoning)).toEqual(parse([pieces.join('')], startsInReasoning));
      }),
    );
  });

  it('holds back nothing that cannot be a marker', () => {
    const parser = createStreamParser({ format, startsInReasoning: true, createId: () => 'a' });
    const deltas = parser.push('one<two').filter((event) => event.type === 'reasoning-delta');
    expect(deltas).toMatchObject([{ delta: 'one<two' }]);
    expect(parser.inReasoning).toBe(true);
    parser.push('</think>');
    expect(parser.inReasoning).toBe(false);
  });

  it('tokens ride on the delta that their text comes out with', () => {
    const token = (text: string): { id: number; text: string; logprob: number; top: [] } => ({
      id: 0,
      text,
      logprob: -1,
      top: [],
    });
    const parser = createStreamParser({ format, startsInReasoning: true, createId: () => 'a' });
    expect(parser.push('</', [token('</')])).toEqual([]);
    const [, delta] = parser.push('p>', [token('p>')]);
    expect(delta).toMatchObject({ delta: '</p>', tokens: [{ text: '</' }, { text: 'p>' }] });
  });

  it('every event of a block carries its id, and blocks are closed', () => {
    let ids = 0;
    const parser = createStreamParser({
      format,
      startsInReasoning: false,
      createId: () => String(ids++),
    });
    const events = [...parser.push('<think>a</think>b'), ...parser.end()];
    expect(events).toEqual([
      { type: 'reasoning-start', id: '0' },
      { type: 'reasoning-delta', id: '0', delta: 'a' },
      { type: 'reasoning-end', id: '0' },
      { type: 'text-start', id: '1' },
      { type: 'text-delta', id: '1', delta: 'b' },
      { type: 'text-end', id: '1' },
    ]);
  });
});

describe('the template tells how a model thinks', () => {
  it.each([
    ["{% if '</think>' in content %}", think],
    ["{{ '[THINK]' }}", { open: '[THINK]', close: '[/THINK]' }],
    ['<seed:think>', { open: '<seed:think>', close: '</seed:think>' }],
    ['<|START_THINKING|>', { open: '<|START_THINKING|>', close: '<|END_THINKING|>' }],
    ["{{ '<think{}>'.format(':opensource') }}", { open: '<think:opensource>', close: '</think:opensource>' }],
    ['{{ messages }}', undefined],
  ])('%s', (source, format) => {
    expect(detectReasoning(source)).toEqual(format);
  });

  it.each([
    ['<|im_start|>assistant\n<think>\n', true],
    ['<|im_start|>assistant\n<think>\n\n</think>\n\n', false],
    ['<|im_start|>assistant\n', false],
  ])('whether the prompt %j opens a block', (prompt, opens) => {
    expect(opensReasoning(prompt, think)).toBe(opens);
  });
});

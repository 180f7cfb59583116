import { expect, it } from 'vitest';

import { GrammarEngine } from '../../src/grammar/grammar-engine.ts';
import { outputGrammar } from '../../src/grammar/output-grammar.ts';
import { ThoughtBudget } from '../../src/grammar/thought-budget.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { bytePairMetadata } from '../tokenizer/small-vocabulary.ts';

const tokenizer = createTokenizer(
  bytePairMetadata(
    [
      ['<|end|>', 3],
      ['</think>', 3],
    ],
    [],
  ),
);
const close = tokenizer.idOf('</think>');
const format = { open: '<think>', close: '</think>' };

function follow(budget: ThoughtBudget, text: string): void {
  for (const id of tokenizer.encode(text, { parseSpecial: true })) budget.accept(id);
}

function only(mask: Int32Array | undefined): number[] {
  const ids: number[] = [];
  mask?.forEach((word, index) => {
    for (let bit = 0; bit < 32; bit += 1) if ((word >>> bit) & 1) ids.push(index * 32 + bit);
  });
  return ids;
}

it('closes thoughts that have become too long, and then lets go', () => {
  const budget = new ThoughtBudget({ tokenizer, format, startsInside: true, maxTokens: 3 });
  follow(budget, 'ab');
  expect([budget.next(), budget.jump()]).toEqual([undefined, []]);
  follow(budget, 'c');
  const [line, ...rest] = budget.jump();
  expect(tokenizer.decode([line!, ...rest], { special: true })).toBe('\n</think>');
  expect(only(budget.next())).toEqual([line]);
  budget.accept(line!);
  expect(only(budget.next())).toEqual([close]);
  budget.accept(close);
  expect([budget.next(), budget.jump()]).toEqual([undefined, []]);
});

it('leaves thoughts alone that end in time, and answers without any', () => {
  const inside = new ThoughtBudget({ tokenizer, format, startsInside: true, maxTokens: 8 });
  follow(inside, 'ab</think>and a long answer');
  expect(inside.jump()).toEqual([]);
  const before = new ThoughtBudget({ tokenizer, format, startsInside: false, maxTokens: 2 });
  follow(before, 'an answer of many tokens');
  expect(before.jump()).toEqual([]);
});

it('counts from where the model opens the block', () => {
  const budget = new ThoughtBudget({ tokenizer, format, startsInside: false, maxTokens: 2 });
  follow(budget, '<think>a');
  expect(budget.jump()).toEqual([]);
  follow(budget, 'b');
  expect(budget.jump()).toContain(close);
});

it('none at all: the block is closed at once', () => {
  const budget = new ThoughtBudget({ tokenizer, format, startsInside: true, maxTokens: 0 });
  expect(budget.jump()).toContain(close);
});

it('the answer behind is held to its grammar', () => {
  const { grammar } = outputGrammar({
    answer: { json: { const: 1 } },
    tools: [],
    mustCall: false,
    mostCalls: 1,
    format: { reasoning: format },
    thinks: 'inside',
    stripsSpace: false,
    endTexts: [],
  });
  const engine = new GrammarEngine(tokenizer, { visible: new Set([close]) });
  const budget = new ThoughtBudget({
    tokenizer,
    format,
    startsInside: true,
    maxTokens: 2,
    inner: engine.mask('answer', () => grammar),
  });
  follow(budget, 'ab');
  for (const id of budget.jump()) budget.accept(id);
  const allowed = only(budget.next()).map((id) => tokenizer.decode([id]));
  expect(allowed.toSorted()).toEqual(['\n', ' ', '1']);
  follow(budget, '1');
  expect(budget.finished).toBe(true);
});

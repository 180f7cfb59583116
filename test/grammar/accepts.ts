import type { JSONSchema } from '../../src/chat/messages.ts';
import { createAutomaton } from '../../src/grammar/automaton.ts';
import type { Grammar } from '../../src/grammar/grammar.ts';
import { ParseStates } from '../../src/grammar/parse-states.ts';
import { schemaGrammar } from '../../src/grammar/schema/schema-grammar.ts';

/** Tells of texts whether a grammar describes them. */
export function acceptor(grammar: Grammar): (text: string) => boolean {
  const states = new ParseStates(createAutomaton(grammar));
  return (text) => {
    let state = states.start();
    for (const byte of new TextEncoder().encode(text)) {
      const next = states.next(state, byte);
      if (next === null) return false;
      state = next;
    }
    return state.accepts;
  };
}

/** As {@link acceptor}, with what the grammar of a schema does not hold. */
export function schemaAcceptor(schema: JSONSchema): {
  readonly accepts: (value: unknown) => boolean;
  readonly unenforced: readonly string[];
} {
  const { grammar, unenforced } = schemaGrammar(schema);
  const accepts = acceptor(grammar);
  return {
    // The order of members is the schema's: a value counts when one of its orders is accepted.
    accepts: (value) => orders(value).some((each) => accepts(JSON.stringify(each))),
    unenforced: unenforced.map(({ path }) => path),
  };
}

/** More orders than this of one value are not tried. */
const maximumOrders = 300;

function orders(value: unknown): unknown[] {
  if (Array.isArray(value)) return products(value.map(orders));
  if (typeof value !== 'object' || value === null) return [value];
  const members = Object.entries(value);
  const sorts = permutations(members).flatMap((sort) =>
    products(sort.map(([key, member]) => orders(member).map((each) => [key, each] as const))),
  );
  return sorts.slice(0, maximumOrders).map((sort) => Object.fromEntries(sort));
}

function products<T>(lists: readonly (readonly T[])[]): T[][] {
  let found: T[][] = [[]];
  for (const list of lists) {
    found = found.flatMap((start) => list.map((item) => start.concat([item]))).slice(0, maximumOrders);
  }
  return found;
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items
    .flatMap((item, index) =>
      permutations(items.filter((_, other) => other !== index)).map((rest) => [item].concat(rest)),
    )
    .slice(0, maximumOrders);
}

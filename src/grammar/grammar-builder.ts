import { RivuletError } from '../errors.ts';
import { grammarLimits } from './grammar-limits.ts';
import { choice, rootRule, rule } from './grammar.ts';
import type { Grammar, GrammarNode } from './grammar.ts';
import { jsonRules } from './schema/json-text.ts';

/** Puts grammars together: each keeps its rules under names of its own, those of JSON are shared. */
export class GrammarBuilder {
  readonly #rules = new Map<string, GrammarNode>(jsonRules);
  readonly #shared: ReadonlySet<string> = new Set(jsonRules.map(([name]) => name));
  #made = 0;

  /** A node for all that a grammar describes. */
  embed(grammar: Grammar): GrammarNode {
    const prefix = `${this.#made} `;
    this.#made += 1;
    const isShared = (name: string): boolean =>
      this.#shared.has(name) && grammar.get(name) === this.#rules.get(name);
    const rename = (name: string): string => (isShared(name) ? name : prefix + name);
    for (const [name, node] of grammar) {
      if (!isShared(name)) this.#rules.set(prefix + name, renameRules(node, rename));
    }
    if (this.#rules.size > grammarLimits.rules) {
      throw new RivuletError(
        'GRAMMAR_TOO_LARGE',
        `Expected schemas that make at most ${grammarLimits.rules} rules together, found more. Offer fewer tools, or simplify their schemas.`,
        { details: { limit: grammarLimits.rules } },
      );
    }
    return rule(prefix + rootRule);
  }

  /** A node that is used in several places. */
  share(node: GrammarNode): GrammarNode {
    if (node.kind === 'rule') return node;
    const name = `shared ${this.#made}`;
    this.#made += 1;
    this.#rules.set(name, node);
    return rule(name);
  }

  build(root: GrammarNode): Grammar {
    this.#rules.set(rootRule, root);
    return this.#rules;
  }
}

function renameRules(node: GrammarNode, rename: (name: string) => string): GrammarNode {
  switch (node.kind) {
    case 'rule':
      return rule(rename(node.name));
    case 'sequence':
      return { kind: 'sequence', items: node.items.map((item) => renameRules(item, rename)) };
    case 'choice':
      return choice(...node.items.map((item) => renameRules(item, rename)));
    case 'repeat':
      return { ...node, item: renameRules(node.item, rename) };
    case 'machine':
      return {
        kind: 'machine',
        states: node.states.map(({ edges, final }) => ({
          final,
          edges: edges.map((edge) => ({ node: renameRules(edge.node, rename), target: edge.target })),
        })),
      };
    default:
      return node;
  }
}

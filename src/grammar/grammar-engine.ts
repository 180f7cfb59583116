import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { createAutomaton } from './automaton.ts';
import { GrammarMask } from './grammar-mask.ts';
import type { CompiledGrammar, GrammarMaskOptions } from './grammar-mask.ts';
import type { Grammar } from './grammar.ts';
import { ParseStates } from './parse-states.ts';
import { ShortestEnds } from './shortest-ends.ts';
import { TokenMasks } from './token-masks.ts';
import type { SharedMasks } from './token-masks.ts';
import { buildTokenTrie, createTokenTrie } from './token-trie.ts';
import type { TokenTrie } from './token-trie.ts';

export interface GrammarEngineOptions {
  /** Special tokens that a grammar may ask for by their text: markers of calls and thoughts. */
  readonly visible?: ReadonlySet<number>;
  /** How many tokens the model scores. @default the tokenizer's */
  readonly vocabularySize?: number;
}

/** Compiled grammars are kept for the next request with the same one. */
const maximumGrammars = 32;

/** Grammars for one tokenizer: each is compiled once, and what was found out about it is kept. */
export class GrammarEngine {
  readonly #tokenizer: Tokenizer;
  readonly #options: GrammarEngineOptions;
  readonly #compiled = new Map<string, CompiledGrammar>();
  readonly #shared: SharedMasks = new Map();
  #trie: TokenTrie | undefined;

  constructor(tokenizer: Tokenizer, options: GrammarEngineOptions = {}) {
    this.#tokenizer = tokenizer;
    this.#options = options;
  }

  /** Makes what is needed once for the vocabulary, with pauses: without it, the first grammar does so at once. */
  async prepare(pause: () => Promise<void>): Promise<void> {
    if (this.#trie !== undefined) return;
    const building = buildTokenTrie(this.#vocabularySize, this.#tokenBytes);
    for (;;) {
      const step = building.next();
      if (step.done === true) {
        this.#trie ??= step.value;
        return;
      }
      await pause();
    }
  }

  /**
   * Ready to hold one output to a grammar.
   * @param key names the grammar: equal keys, equal grammars; `make` is called for a new key only
   * @throws {RivuletError} `GRAMMAR_INVALID`, `GRAMMAR_TOO_LARGE`
   */
  mask(key: string, make: () => Grammar, options: GrammarMaskOptions = {}): GrammarMask {
    return new GrammarMask(this.compile(key, make), this.#tokenizer, options);
  }

  compile(key: string, make: () => Grammar): CompiledGrammar {
    const known = this.#compiled.get(key);
    if (known !== undefined) {
      // The one that was used last goes last.
      this.#compiled.delete(key);
      this.#compiled.set(key, known);
      return known;
    }
    const automaton = createAutomaton(make());
    const trie = this.#vocabulary();
    const states = new ParseStates(automaton);
    const compiled: CompiledGrammar = {
      states,
      masks: new TokenMasks(trie, states, this.#tokenizer.endIds, this.#shared),
      ends: new ShortestEnds(states, trie),
    };
    this.#compiled.set(key, compiled);
    for (const oldest of this.#compiled.keys()) {
      if (this.#compiled.size <= maximumGrammars) break;
      this.#compiled.delete(oldest);
    }
    return compiled;
  }

  #vocabulary(): TokenTrie {
    return (this.#trie ??= createTokenTrie(this.#vocabularySize, this.#tokenBytes));
  }

  get #vocabularySize(): number {
    return this.#options.vocabularySize ?? this.#tokenizer.vocabularySize;
  }

  readonly #tokenBytes = (id: number): Uint8Array =>
    id >= this.#tokenizer.vocabularySize || this.#tokenizer.endIds.has(id)
      ? new Uint8Array(0)
      : this.#tokenizer.tokenBytes(id, this.#options.visible?.has(id) === true);
}

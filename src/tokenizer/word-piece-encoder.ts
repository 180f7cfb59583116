import type { SubwordEncoder } from './subword-encoder.ts';
import { TextTrie } from './text-trie.ts';
import type { Vocabulary } from './vocabulary.ts';
import type { WordNormalizer } from './word-normalizer.ts';

const wordMark = 0x2581;

/** Words to ids by the longest token that fits, from left to right (llama.cpp `llm_tokenizer_wpm_session`). */
export class WordPieceEncoder implements SubwordEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #normalizer: WordNormalizer;
  readonly #unknownId: number;
  /** Built by the first text: opening a vocabulary does not wait for it. */
  #trie: TextTrie | undefined;

  constructor(vocabulary: Vocabulary, normalizer: WordNormalizer, unknownId: number) {
    this.#vocabulary = vocabulary;
    this.#normalizer = normalizer;
    this.#unknownId = unknownId;
  }

  encode(text: string, output: number[]): void {
    const words = this.#normalizer.normalize(text);
    for (let start = 0; start < words.length;) {
      const next = words.indexOf(' ', start + 1);
      const end = next === -1 ? words.length : next;
      this.#encodeWord(words, start, end, output);
      start = end;
    }
  }

  /** The word with its leading space, which tokens write as `▁`. A word that cannot be made of tokens is unknown as a whole. */
  #encodeWord(words: string, start: number, end: number, output: number[]): void {
    const trie = (this.#trie ??= this.#buildTrie());
    const before = output.length;
    for (let index = start; index < end;) {
      let [id, after] = [-1, index];
      let node: number = TextTrie.root;
      for (let at = index; at < end; at++) {
        node = trie.child(node, at === start ? wordMark : words.charCodeAt(at));
        if (node < 0) break;
        const found = trie.idAt(node);
        if (found !== -1) [id, after] = [found, at + 1];
      }
      if (id === -1) {
        output.length = before;
        break;
      }
      output.push(id);
      index = after;
    }
    if (output.length === before && this.#unknownId !== -1) output.push(this.#unknownId);
  }

  #buildTrie(): TextTrie {
    const trie = new TextTrie();
    let id = 0;
    for (const text of this.#vocabulary.texts) trie.insert(text, id++);
    return trie;
  }
}

import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import { StringList } from '../gguf/string-list.ts';
import { attributeOfType, tokenAttributes } from './token-attributes.ts';
import { TextIndex } from './text-index.ts';

/** The token list of a file: texts, attributes and scores by id, ids by text. */
export class Vocabulary {
  /** (nTokens) the spelling of each token. */
  readonly texts: StringList;
  /** (nTokens) bits of {@link tokenAttributes}. */
  readonly attributes: Uint8Array;
  /** (nTokens) merge scores of an SPM vocabulary; absent means 0 for all. */
  readonly scores: ArrayLike<number> | undefined;
  /** Of two tokens with one spelling the later counts. */
  readonly #ids: TextIndex;
  /** Room for the longest text. */
  #joined: Uint8Array | undefined;

  constructor(texts: StringList, attributes: Uint8Array, scores?: ArrayLike<number>) {
    this.texts = texts;
    this.attributes = attributes;
    this.scores = scores;
    this.#ids = new TextIndex(texts);
  }

  get size(): number {
    return this.texts.length;
  }

  /** The spelling of a token. @throws {RangeError} for an id outside the vocabulary */
  textOf(id: number): string {
    return this.texts.at(id);
  }

  /** The id of a token by its spelling, or -1. */
  idOf(text: string): number {
    return this.#ids.placeOf(text);
  }

  /** The same by the spelling in UTF-8. */
  idOfBytes(bytes: Uint8Array, start: number, end: number): number {
    return this.#ids.placeOfBytes(bytes, start, end);
  }

  /** The id of the token that is spelled as two others one after the other, or -1. */
  idOfPair(left: number, right: number): number {
    const { bytes, ends, longestBytes } = this.texts;
    const [leftStart, rightStart] = [this.texts.startOf(left), this.texts.startOf(right)];
    const [leftEnd, rightEnd] = [ends[left] as number, ends[right] as number];
    const length = leftEnd - leftStart + rightEnd - rightStart;
    if (length > longestBytes) return -1;
    const joined = (this.#joined ??= new Uint8Array(longestBytes));
    let to = 0;
    for (let from = leftStart; from < leftEnd; from++) joined[to++] = bytes[from] as number;
    for (let from = rightStart; from < rightEnd; from++) joined[to++] = bytes[from] as number;
    return this.#ids.placeOfBytes(joined, 0, length);
  }

  has(id: number): boolean {
    return Number.isInteger(id) && id >= 0 && id < this.texts.length;
  }

  hasAttribute(id: number, bits: number): boolean {
    return ((this.attributes[id] ?? 0) & bits) !== 0;
  }
}

/**
 * Reads the token list as llama.cpp's `llama_vocab::impl::load` does.
 *
 * @throws {RivuletError} `METADATA_MISSING`, `METADATA_WRONG_TYPE`, `TOKENIZER_INVALID`
 */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const texts = nonEmptyTexts(metadata.stringList('tokenizer.ggml.tokens'));
  if (texts.length === 0) {
    throw new RivuletError(
      'TOKENIZER_INVALID',
      'Expected "tokenizer.ggml.tokens" to list the tokens of the vocabulary, but the list is empty. Convert or download the file again.',
    );
  }
  const attributes = new Uint8Array(texts.length).fill(tokenAttributes.normal);
  const types = metadata.optionalNumbers('tokenizer.ggml.token_type');
  if (types !== undefined) {
    requireLength('tokenizer.ggml.token_type', types.length, texts.length);
    for (let id = 0; id < texts.length; id++) attributes[id] = attributeOfType[types[id] ?? 0] ?? 0;
  }
  const scores = metadata.optionalNumbers('tokenizer.ggml.scores');
  if (scores !== undefined) requireLength('tokenizer.ggml.scores', scores.length, texts.length);
  return new Vocabulary(texts, attributes, scores);
}

/** llama.cpp gives tokens without text a name, so that they cannot match anywhere. */
function nonEmptyTexts(texts: StringList): StringList {
  if (texts.shortestBytes > 0) return texts;
  return StringList.from(Array.from(texts, (text, id) => (text === '' ? `[EMPTY_${id}]` : text)));
}

function requireLength(key: string, found: number, expected: number): void {
  if (found >= expected) return;
  throw new RivuletError(
    'TOKENIZER_INVALID',
    `Expected "${key}" to have an entry for each of the ${expected} tokens, found ${found}. Convert or download the file again.`,
    { details: { key, expected, found } },
  );
}

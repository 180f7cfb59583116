import { hasNewerCharacters } from './newer-characters.ts';

/** Some 4 MB; a text rarely has more distinct characters. */
const maximumCachedCharacters = 1 << 16;

/** Code points that are words of their own, first and last of each range (transformers' `_is_chinese_char`). */
const ideographRanges: readonly (readonly [first: number, last: number])[] = [
  [0x4e00, 0x9fff],
  [0x3400, 0x4dbf],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0xf900, 0xfaff],
  [0x2f800, 0x2fa1f],
];

export interface WordRules {
  /** `tokenizer.ggml.normalizer.lowercase` */
  readonly lowercase: boolean;
  /** `tokenizer.ggml.normalizer.strip_accents` */
  readonly stripAccents: boolean;
}

/**
 * Splits a text into the words of a BERT vocabulary (llama.cpp `llm_tokenizer_wpm_session::preprocess`):
 * punctuation and ideographs stand alone, control characters and accents go.
 */
export class WordNormalizer {
  readonly #rules: WordRules;
  /** What {@link #read} answers, by character. */
  readonly #forms: Map<string, string> = new Map();

  constructor(rules: WordRules) {
    this.#rules = rules;
  }

  /** The words, each with one space before it; there are no other spaces. */
  normalize(text: string): string {
    if (this.#forms.size > maximumCachedCharacters) this.#forms.clear();
    let output = '';
    let inWord = false;
    for (const character of text) {
      let form = this.#forms.get(character);
      if (form === undefined) this.#forms.set(character, (form = this.#read(character)));
      if (form === '') continue;
      if (form.charCodeAt(0) === 0x20) {
        if (form.length > 1) output += form;
        inWord = false;
      } else {
        output += inWord ? form : ` ${form}`;
        inWord = true;
      }
    }
    return output;
  }

  /** What becomes of a character: nothing, a space, a word of its own after a space, or a part of a word. */
  #read(character: string): string {
    if (hasNewerCharacters(character)) return isIdeograph(character) ? ` ${character}` : character;
    // The reference's table keeps the first character of a decomposition only.
    const base = this.#rules.stripAccents ? firstCharacter(character.normalize('NFD')) : character;
    if (base !== '\ufeff' && /[\s\u0085]/.test(base)) return ' ';
    if (base === '\ufffd' || /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(base)) return '';
    if (this.#rules.stripAccents && /\p{M}/u.test(base)) return '';
    const form = this.#rules.lowercase ? firstCharacter(base.toLowerCase()) : base;
    return standsAlone(base) ? ` ${form}` : form;
  }
}

function standsAlone(character: string): boolean {
  const codePoint = character.codePointAt(0) as number;
  return /\p{P}/u.test(character) || (codePoint < 0x7f && /\p{S}/u.test(character)) || isIdeograph(character);
}

function isIdeograph(character: string): boolean {
  const codePoint = character.codePointAt(0) as number;
  return ideographRanges.some(([first, last]) => first <= codePoint && codePoint <= last);
}

function firstCharacter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) as number);
}

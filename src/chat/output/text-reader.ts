/** A parser that stops (`yield`) where it needs text that has not come yet; what it decides depends on the text alone. */
export type Reading<T> = Generator<undefined, T, undefined>;

/** Dropping less than this is not worth its while where it has to be kept. */
const droppedAtOnce = 1024;

/**
 * Text that comes in pieces, with a place up to which it has been read. What was read long ago is dropped, so that a
 * long answer is not searched again; {@link TextReader.at} counts it, too. Offsets are UTF-16 units.
 */
export class TextReader {
  /** What has come and was not dropped. */
  text = '';
  /** The place of reading in `text`. */
  position = 0;
  /** Nothing more will come. */
  ended = false;
  #dropped = 0;
  #keepsFrom: number | undefined;
  /** What was dropped but can be gone back to. */
  #kept: string[] = [];

  push(delta: string): void {
    this.text += delta;
  }

  /** The place of reading in everything that has come. */
  get at(): number {
    return this.#dropped + this.position;
  }

  /** From here on {@link TextReader.goTo} can come back, until {@link TextReader.release}. */
  hold(at: number): void {
    this.#keepsFrom = at;
  }

  release(): void {
    this.#keepsFrom = undefined;
    this.#kept = [];
  }

  /** Goes to a place that was not dropped, or is held. */
  goTo(at: number): void {
    if (at < this.#dropped) {
      this.text = this.#kept.join('') + this.text;
      this.#dropped = this.#keepsFrom ?? this.#dropped;
      this.#kept = [];
    }
    this.position = at - this.#dropped;
  }

  /** Drops what was read; offsets in `text` that were taken before are void. */
  forget(): void {
    if (this.position === 0) return;
    if (this.#keepsFrom !== undefined) {
      if (this.position < droppedAtOnce) return;
      this.#kept.push(this.text.slice(Math.max(0, this.#keepsFrom - this.#dropped), this.position));
    }
    this.#dropped += this.position;
    this.text = this.text.slice(this.position);
    this.position = 0;
  }

  /** The next character, or nothing at the end. */
  *peek(): Reading<string> {
    while (this.position >= this.text.length) {
      if (this.ended) return '';
      yield undefined;
    }
    return this.text[this.position] ?? '';
  }

  *skipSpace(): Reading<undefined> {
    for (;;) {
      const character = yield* this.peek();
      if (character === '' || character.trim() !== '') return undefined;
      this.position += 1;
    }
  }

  /** Reads past the longest of these texts that stands here. */
  *take(texts: readonly string[]): Reading<string | undefined> {
    const found = yield* this.match(texts);
    this.position += found?.length ?? 0;
    return found;
  }

  /** The longest of these texts that stands here; waits while a longer one is possible. */
  *match(texts: readonly string[]): Reading<string | undefined> {
    for (;;) {
      let longest: string | undefined;
      let mayCome = false;
      const available = this.text.length - this.position;
      for (const text of texts) {
        if (text.length <= (longest?.length ?? 0)) continue;
        if (text.length <= available) {
          if (this.text.startsWith(text, this.position)) longest = text;
        } else if (text.startsWith(this.text.slice(this.position))) mayCome = true;
      }
      if (!mayCome || this.ended) return longest;
      yield undefined;
    }
  }

  /**
   * Reads up to the first of these texts (at one place the longest) and past it, and hands over what is before it as
   * soon as it is certain. Nothing at the end of the text.
   */
  *readUntil(texts: readonly string[], onText: (text: string) => void): Reading<string | undefined> {
    for (;;) {
      const certain = this.#search(texts);
      if (certain.index > this.position) {
        onText(this.text.slice(this.position, certain.index));
        this.position = certain.index;
      }
      if (certain.found !== undefined) {
        this.position += certain.found.length;
        return certain.found;
      }
      if (this.ended) {
        const rest = this.text.slice(this.position);
        this.position = this.text.length;
        if (rest !== '') onText(rest);
        return undefined;
      }
      this.forget();
      yield undefined;
    }
  }

  /** The text up to the first of these and which one it is, both read past; nothing if that is too far away. */
  *readHead(
    texts: readonly string[],
    maximumLength: number,
  ): Reading<{ readonly text: string; readonly found: string } | undefined> {
    const start = this.position;
    for (;;) {
      const { index, found } = this.#search(texts);
      if (index - start > maximumLength) return undefined;
      if (found !== undefined) {
        this.position = index + found.length;
        return { text: this.text.slice(start, index), found };
      }
      if (this.ended) return undefined;
      yield undefined;
    }
  }

  /** The first text that is surely there, or else the place from which on one may still come. */
  #search(texts: readonly string[]): { readonly index: number; readonly found?: string } {
    let index = this.text.length;
    let found: string | undefined;
    for (const text of texts) {
      const at = this.text.indexOf(text, this.position);
      if (at < 0 || at > index || (at === index && text.length <= (found?.length ?? 0))) continue;
      index = at;
      found = text;
    }
    if (this.ended) return found === undefined ? { index } : { index, found };
    let held = wholeCharacters(this.text, this.text.length);
    for (const text of texts) held = Math.min(held, this.#beginning(text));
    // A longer text may begin where a shorter one was found.
    if (held <= index) return { index: held };
    return found === undefined ? { index } : { index, found };
  }

  /** The first place from which on `text` may stand when more comes; the end when there is none. */
  #beginning(text: string): number {
    const { length } = this.text;
    for (let index = Math.max(this.position, length - text.length + 1); index < length; index += 1) {
      if (text.startsWith(this.text.slice(index))) return index;
    }
    return length;
  }
}

/** The end of a text without half a surrogate pair. */
export function wholeCharacters(text: string, end: number): number {
  return /[\uD800-\uDBFF]/.test(text[end - 1] ?? '') ? end - 1 : end;
}

/** Looks for one marker in text that comes in pieces; holds back only what may be its beginning. */
export class TagSplitter {
  readonly #marker: string;
  /** All that came since the last push that let text out, from the first held character on. */
  #held = '';
  #unread = '';

  constructor(marker: string) {
    this.#marker = marker;
  }

  /** Text that is certain to stand before the marker, and whether the marker has come. */
  push(delta: string): { readonly before: string; readonly found: boolean } {
    const text = this.#held + delta;
    this.#unread = text;
    const index = text.indexOf(this.#marker);
    const found = index >= 0;
    const length = found ? index : text.length - overlap(text, this.#marker);
    this.#held = text.slice(found ? index + this.#marker.length : length);
    return { before: text.slice(0, length), found };
  }

  /** What has not come out: what was held back, or what stands behind the marker. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Everything that the last push looked at, as if it had not been called. */
  unread(): string {
    this.#held = '';
    return this.#unread;
  }
}

/** Length of the longest end of `text` that is a beginning of `marker`. */
function overlap(text: string, marker: string): number {
  for (let length = Math.min(text.length, marker.length - 1); length > 0; length--) {
    if (text.endsWith(marker.slice(0, length))) return length;
  }
  return 0;
}

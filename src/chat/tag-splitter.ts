/** What a delta made certain: text before the marker, and the marker if it has come. */
export interface SplitText {
  readonly before: string;
  readonly found: string | undefined;
}

/** Looks for the first of some markers in text that comes in pieces; holds back only what may be its beginning. */
export class TagSplitter {
  readonly #markers: readonly string[];
  /** What the last push did not let out: a possible beginning, or what stands behind the marker. */
  #held = '';
  #unread = '';

  constructor(markers: readonly string[]) {
    this.#markers = markers;
  }

  push(delta: string): SplitText {
    const text = this.#held + delta;
    this.#unread = text;
    let index = -1;
    let found: string | undefined;
    for (const marker of this.#markers) {
      const at = text.indexOf(marker);
      if (at >= 0 && (index < 0 || at < index)) {
        index = at;
        found = marker;
      }
    }
    const length =
      found === undefined
        ? text.length - Math.max(...this.#markers.map((marker) => overlap(text, marker)))
        : index;
    this.#held = text.slice(length + (found?.length ?? 0));
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
  for (let length = Math.min(text.length, marker.length - 1); length > 0; length -= 1) {
    if (text.endsWith(marker.slice(0, length))) return length;
  }
  return 0;
}

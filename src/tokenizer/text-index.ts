const empty = -1;

/**
 * From texts to their places in a list: an open-addressing table of 8 bytes per text, where a `Map` takes 28 and half
 * as long again to fill. Of equal texts the last counts.
 */
export class TextIndex {
  readonly #texts: readonly string[];
  /** Half full at most; {@link empty} or a place in `#texts`. */
  readonly #places: Int32Array;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
    let capacity = 16;
    while (capacity < texts.length * 2) capacity *= 2;
    this.#places = new Int32Array(capacity).fill(empty);
    texts.forEach((text, place) => {
      this.#places[this.#slotOf(text)] = place;
    });
  }

  /** Where the text stands in the list, or -1. */
  placeOf(text: string): number {
    return this.#places[this.#slotOf(text)] as number;
  }

  #slotOf(text: string): number {
    const [places, texts] = [this.#places, this.#texts];
    const mask = places.length - 1;
    let slot = hashText(text) & mask;
    for (;;) {
      const place = places[slot] as number;
      if (place === empty || texts[place] === text) return slot;
      slot = (slot + 1) & mask;
    }
  }
}

/** Differs from process to process, so that no file can be made for its texts to collide. */
const seed = Math.trunc(Math.random() * 2 ** 32);

function hashText(text: string): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash ^ (hash >>> 13), 0x85ebca77) >>> 7;
}

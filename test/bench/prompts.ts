/** Prompts of given lengths, no two of which begin with the same two ids of the row. */
export interface Prompts {
  next(tokens: number): Int32Array;
}

const words =
  `time river house light stone garden winter letter music market window bread ocean paper friend mountain
  engine village story colour number question answer morning forest city train road bridge school doctor table
  finds makes brings keeps shows leaves opens follows carries builds turns holds reads writes takes gives
  quiet old small bright heavy early distant common simple green narrow patient careful sudden warm
  the a this every some that one another and but while because where when near beyond under through without`.split(
    /\s+/,
  );

/** Words in random order with marks between them, as long as asked for, the same every time. */
export function makeText(wordCount: number): string {
  let state = 1;
  let text = '';
  for (let index = 0; index < wordCount; index++) {
    // Numerical Recipes' linear congruential generator; its high bits are random enough for text.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const word = words[(state >>> 8) % words.length] ?? '';
    text += index === 0 ? word : state % 11 === 0 ? `. ${word}` : ` ${word}`;
  }
  return text;
}

/** Successive prompts start this many tokens apart: a prime, so that they meet late. */
const stride = 257;

/**
 * Cuts prompts out of one long row of ids.
 * @param begin id that every prompt begins with, if the model wants one
 */
export function cutPrompts(ids: Int32Array, begin: number | undefined): Prompts {
  let count = 0;
  const begins = new Set<string>();
  return {
    next(tokens) {
      const lead = begin === undefined ? [] : [begin];
      const length = tokens - lead.length;
      if (length >= ids.length) throw new Error(`Expected more than ${length} ids, found ${ids.length}.`);
      const places = ids.length - length;
      let start = (count++ * stride) % places;
      const beginAt = (place: number): string => ids.subarray(place, place + 2).join();
      for (let tries = 0; begins.has(beginAt(start)); tries++) {
        if (tries === places)
          throw new Error('Expected more pairs of words to begin prompts with; the text is used up.');
        start = (start + 1) % places;
      }
      begins.add(beginAt(start));
      return Int32Array.from([...lead, ...ids.subarray(start, start + length)]);
    },
  };
}

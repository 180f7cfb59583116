import type { RowPooling } from './encoder.ts';

/** Inputs of one run of a portable graph of whole texts, see `portableTextNames`. */
export interface TextFeeds {
  /** (nTokens,) */
  readonly tokens: Int32Array;
  /** (nTokens, 1) of each token in its text. */
  readonly positions: Float32Array;
  /** (nTexts, longest) */
  readonly slots: BigInt64Array;
  readonly longest: number;
  /** (nTokens,) */
  readonly places: BigInt64Array;
  /** (nTexts, 1) */
  readonly lengths: Float32Array;
  /** (nVectors, nTokens) */
  readonly pooling: Float32Array;
}

/** Tokens of all texts one after another, and where they are when each text has a row of places as long as the longest. */
export function layOutTexts(
  texts: readonly { readonly tokens: Int32Array; readonly rows: RowPooling }[],
): TextFeeds {
  const total = texts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const longest = texts.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const vectorCount = texts.reduce((sum, { tokens, rows }) => sum + (rows === 'none' ? tokens.length : 1), 0);
  const feeds = {
    tokens: new Int32Array(total),
    positions: new Float32Array(total),
    slots: new BigInt64Array(texts.length * longest),
    longest,
    places: new BigInt64Array(total),
    lengths: new Float32Array(texts.length),
    pooling: new Float32Array(vectorCount * total),
  };
  let first = 0;
  let vector = 0;
  for (const [index, { tokens, rows }] of texts.entries()) {
    const count = tokens.length;
    feeds.tokens.set(tokens, first);
    feeds.lengths[index] = count;
    for (let position = 0; position < count; position++) {
      const place = index * longest + position;
      feeds.positions[first + position] = position;
      feeds.slots[place] = BigInt(first + position);
      feeds.places[first + position] = BigInt(place);
    }
    const part = (row: number, share: number): void => {
      feeds.pooling[vector * total + first + row] = share;
    };
    if (rows === 'none') {
      for (let row = 0; row < count; row++, vector++) part(row, 1);
    } else {
      if (rows === 'cls') part(0, 1);
      else if (rows === 'last') part(count - 1, 1);
      else feeds.pooling.fill(1 / count, vector * total + first, vector * total + first + count);
      vector++;
    }
    first += count;
  }
  return feeds;
}

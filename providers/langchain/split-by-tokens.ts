import type { Model } from '../../src/model.ts';

export interface TextChunk {
  readonly text: string;
  /** Offset in the whole text. */
  readonly start: number;
}

export interface ChunkSizes {
  readonly chunkSize: number;
  readonly chunkOverlap: number;
  readonly separators: readonly string[];
}

type Counter = Pick<Model, 'countTokens'>;

/**
 * Cuts at the first separator that occurs, pieces that are too long at the next one, and puts neighbours together
 * as long as they fit. Every chunk is counted as a whole: tokens of two pieces may melt into one or split anew.
 */
export function splitByTokens(text: string, counter: Counter, sizes: ChunkSizes): TextChunk[] {
  const pieces = cutPieces({ text, start: 0 }, counter, sizes.separators, sizes.chunkSize);
  const chunks: TextChunk[] = [];
  let from = 0;
  while (from < pieces.length) {
    let to = from + 1;
    while (to < pieces.length && fits(join(pieces.slice(from, to + 1)), counter, sizes.chunkSize)) to += 1;
    const chunk = trim(join(pieces.slice(from, to)));
    if (chunk.text !== '') chunks.push(chunk);
    if (to >= pieces.length) break;
    from = overlapStart(pieces, from, to, counter, sizes);
  }
  return chunks;
}

/** The first of the pieces at the end of a chunk that the next one repeats. */
function overlapStart(
  pieces: readonly TextChunk[],
  from: number,
  to: number,
  counter: Counter,
  { chunkOverlap, chunkSize }: ChunkSizes,
): number {
  let start = to;
  while (
    start > from + 1 &&
    fits(join(pieces.slice(start - 1, to)), counter, chunkOverlap) &&
    fits(join(pieces.slice(start - 1, to + 1)), counter, chunkSize)
  ) {
    start -= 1;
  }
  return start;
}

function cutPieces(
  piece: TextChunk,
  counter: Counter,
  separators: readonly string[],
  chunkSize: number,
): TextChunk[] {
  if (fits(piece, counter, chunkSize)) return [piece];
  const [separator, ...finer] = separators;
  if (separator === undefined) return cutCharacters(piece, counter, chunkSize);
  const parts: TextChunk[] = [];
  let start = 0;
  while (start < piece.text.length) {
    const found = separator === '' ? -1 : piece.text.indexOf(separator, start);
    // Separators stay at the end of what they separate.
    const end = found < 0 ? piece.text.length : found + separator.length;
    parts.push({ text: piece.text.slice(start, end), start: piece.start + start });
    start = end;
  }
  return parts.flatMap((part) => cutPieces(part, counter, finer, chunkSize));
}

/** The longest beginnings that fit, never in the middle of a character; one character may be longer than allowed. */
function cutCharacters({ text, start }: TextChunk, counter: Counter, chunkSize: number): TextChunk[] {
  const characters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  const pieces: TextChunk[] = [];
  let from = 0;
  let offset = start;
  while (from < characters.length) {
    const count = longestThatFits(characters, from, counter, chunkSize);
    const piece = characters.slice(from, from + count).join('');
    pieces.push({ text: piece, start: offset });
    offset += piece.length;
    from += count;
  }
  return pieces;
}

function longestThatFits(
  characters: readonly string[],
  from: number,
  counter: Counter,
  chunkSize: number,
): number {
  let fitting = 1;
  let step = chunkSize;
  // Tokens are a few characters long each: grow by steps, then close in.
  while (step >= 1) {
    const next = fitting + step;
    const isWithin = from + next <= characters.length;
    if (isWithin && counter.countTokens(characters.slice(from, from + next).join('')) <= chunkSize) {
      fitting = next;
    } else {
      step = Math.floor(step / 2);
    }
  }
  return fitting;
}

function fits({ text }: TextChunk, counter: Counter, size: number): boolean {
  return size > 0 && counter.countTokens(text.trim()) <= size;
}

function join(pieces: readonly TextChunk[]): TextChunk {
  return { text: pieces.map(({ text }) => text).join(''), start: pieces[0]?.start ?? 0 };
}

function trim({ text, start }: TextChunk): TextChunk {
  return { text: text.trim(), start: start + text.length - text.trimStart().length };
}

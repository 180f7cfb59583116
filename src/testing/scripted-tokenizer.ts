import { RivuletError } from '../errors.ts';
import type { DecodeOptions, EncodeOptions, Tokenizer } from '../tokenizer/tokenizer.ts';

/** Ids below this are the bytes themselves. */
const byteCount = 256;

/** A {@link Tokenizer} whose vocabulary grows: bytes for prompts, one token for each piece of a script. */
export interface ScriptedTokenizer extends Tokenizer {
  /** The id of a piece that goes out as it is; equal pieces share one. */
  pieceId(piece: string | Uint8Array): number;
}

/**
 * One token per byte, then the control tokens, then pieces as they come.
 *
 * @throws {RivuletError} `INVALID_ARGUMENT` when an id outside the vocabulary is decoded.
 */
export function createScriptedTokenizer(controlTexts: readonly string[]): ScriptedTokenizer {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const tokens: Uint8Array[] = Array.from({ length: byteCount }, (_, byte) => Uint8Array.of(byte));
  const controlIds = new Map<string, number>();
  for (const text of controlTexts) controlIds.set(text, tokens.push(encoder.encode(text)) - 1);
  const longestFirst = controlTexts.toSorted((a, b) => b.length - a.length);
  const endOfControl = tokens.length;
  const pieceIds = new Map<string, number>();

  const bytesOf = (id: number): Uint8Array => {
    const bytes = tokens[id];
    if (bytes !== undefined) return bytes;
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `A token id of the scripted model is an integer from 0 to ${tokens.length - 1}, got ${id}.`,
    );
  };
  const isSpecial = (id: number): boolean => id >= byteCount && id < endOfControl;
  const tokenBytes = (id: number, special = false): Uint8Array =>
    isSpecial(id) && !special ? new Uint8Array(0) : bytesOf(id);

  const encode = (text: string, options: EncodeOptions = {}): Int32Array => {
    if (options.parseSpecial !== true) return Int32Array.from(encoder.encode(text));
    const guards = options.guards ?? [];
    const ids: number[] = [];
    let plainStart = 0;
    for (let offset = 0; offset < text.length; offset += 1) {
      const control = longestFirst.find(
        (candidate) =>
          text.startsWith(candidate, offset) &&
          !guards.some((guard) => guard > offset && guard < offset + candidate.length),
      );
      if (control === undefined) continue;
      for (const byte of encoder.encode(text.slice(plainStart, offset))) ids.push(byte);
      ids.push(controlIds.get(control) ?? 0);
      plainStart = offset + control.length;
      offset = plainStart - 1;
    }
    for (const byte of encoder.encode(text.slice(plainStart))) ids.push(byte);
    return Int32Array.from(ids);
  };

  const decode = (ids: ArrayLike<number>, options: DecodeOptions = {}): string => {
    const bytes: number[] = [];
    for (let index = 0; index < ids.length; index += 1) {
      for (const byte of tokenBytes(ids[index] ?? -1, options.special)) bytes.push(byte);
    }
    return decoder.decode(Uint8Array.from(bytes));
  };

  return {
    kind: 'bpe',
    get vocabularySize() {
      return tokens.length;
    },
    bosId: -1,
    eosId: -1,
    unknownId: -1,
    paddingId: -1,
    endIds: new Set(),
    addBos: false,
    addEos: false,
    controlTexts,
    encode,
    decode,
    tokenBytes,
    tokenText: (id) => decoder.decode(bytesOf(id)),
    isSpecial,
    idOf: (text) => controlIds.get(text) ?? pieceIds.get(text) ?? -1,
    pieceId: (piece) => {
      const bytes = typeof piece === 'string' ? encoder.encode(piece) : piece;
      const key = typeof piece === 'string' ? piece : `bytes ${bytes.join(' ')}`;
      const known = pieceIds.get(key);
      if (known !== undefined) return known;
      const id = tokens.push(bytes) - 1;
      pieceIds.set(key, id);
      return id;
    },
  };
}

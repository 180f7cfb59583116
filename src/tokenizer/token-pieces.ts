import { byteOfCharacter } from './byte-level-alphabet.ts';
import { matchedAttributes, tokenAttributes } from './token-attributes.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How a vocabulary writes the text of its normal tokens. */
export type PieceSpelling = 'byte-level' | 'escaped-spaces';

const utf8: TextEncoder = new TextEncoder();
const nothing: Uint8Array = new Uint8Array(0);

/** The bytes that a token writes, special or not (llama.cpp `token_to_piece`). */
export function tokenPiece(vocabulary: Vocabulary, id: number, spelling: PieceSpelling): Uint8Array {
  const { bytes, ends } = vocabulary.texts;
  const [start, end] = [vocabulary.texts.startOf(id), ends[id] as number];
  if (vocabulary.hasAttribute(id, matchedAttributes)) return bytes.slice(start, end);
  if (vocabulary.hasAttribute(id, tokenAttributes.normal)) {
    return spelling === 'byte-level'
      ? (byteLevelPiece(bytes, start, end) ?? markedPiece(vocabulary.textOf(id)))
      : withSpaces(bytes, start, end);
  }
  if (vocabulary.hasAttribute(id, tokenAttributes.byte)) {
    // `<0xXX>`; like strtol, 0 for anything else.
    return Uint8Array.of(Number.parseInt(vocabulary.textOf(id).slice(3, 5), 16) || 0);
  }
  return nothing;
}

/** A copy in which U+2581 is a space. */
function withSpaces(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const piece = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81) {
      piece[length++] = 0x20;
      at += 2;
    } else {
      piece[length++] = byte;
    }
  }
  return length === piece.length ? piece : piece.slice(0, length);
}

/** The bytes that the characters write, or `undefined` where one is not of the alphabet. */
function byteLevelPiece(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const piece = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    const first = bytes[at] as number;
    // The alphabet's characters have one byte or two.
    if (first >= 0xe0) return undefined;
    const character = first < 0x80 ? first : ((first & 0x1f) << 6) | ((bytes[++at] as number) & 0x3f);
    const byte = byteOfCharacter(character);
    if (byte === -1) return undefined;
    piece[length++] = byte;
  }
  return length === piece.length ? piece : piece.slice(0, length);
}

/** The reference's mark for characters outside the alphabet, which well-made vocabularies do not have. */
function markedPiece(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const byte = byteOfCharacter(character.codePointAt(0) as number);
    if (byte !== -1) {
      bytes.push(byte);
      continue;
    }
    const hex = Array.from(utf8.encode(character), (unit) => unit.toString(16).padStart(2, '0')).join('');
    bytes.push(...utf8.encode(`[UNK_BYTE_0x${hex}${text}]`));
  }
  return Uint8Array.from(bytes);
}

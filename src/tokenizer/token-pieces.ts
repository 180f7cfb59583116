import { byteOfCharacter } from './byte-level-alphabet.ts';
import { matchedAttributes, tokenAttributes } from './token-attributes.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How a vocabulary writes the text of its normal tokens. */
export type PieceSpelling = 'byte-level' | 'escaped-spaces';

const utf8: TextEncoder = new TextEncoder();
const nothing: Uint8Array = new Uint8Array(0);

/** The bytes that a token writes, special or not (llama.cpp `token_to_piece`). */
export function tokenPiece(vocabulary: Vocabulary, id: number, spelling: PieceSpelling): Uint8Array {
  const text = vocabulary.texts[id] as string;
  if (vocabulary.hasAttribute(id, matchedAttributes)) return utf8.encode(text);
  if (vocabulary.hasAttribute(id, tokenAttributes.normal)) {
    return spelling === 'byte-level' ? byteLevelPiece(text) : utf8.encode(text.replaceAll('\u2581', ' '));
  }
  if (vocabulary.hasAttribute(id, tokenAttributes.byte)) {
    // `<0xXX>`; like strtol, 0 for anything else.
    return Uint8Array.of(Number.parseInt(text.slice(3, 5), 16) || 0);
  }
  return nothing;
}

function byteLevelPiece(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const byte = byteOfCharacter(text.charCodeAt(index));
    if (byte === -1) return markedPiece(text);
    bytes[index] = byte;
  }
  return bytes;
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

import { RivuletError } from '../errors.ts';
import type { CharacterMap } from './character-map.ts';

const space = 0x20;
/** `▁`, which stands for a space. */
const escapedSpace: readonly number[] = [0xe2, 0x96, 0x81];
const replacementCharacter: Uint8Array = Uint8Array.of(0xef, 0xbf, 0xbd);

/** Compatibility forms grow elevenfold at most (U+FDFA); a hostile map could fill the memory. */
const maximumGrowth = 32;
/** Room for short texts to grow in. */
const minimumRoomBytes = 4096;

export interface PieceRules {
  readonly characterMap: CharacterMap | undefined;
  /** `tokenizer.ggml.add_space_prefix` */
  readonly addSpacePrefix: boolean;
  /** `tokenizer.ggml.remove_extra_whitespaces` */
  readonly mergeSpaces: boolean;
}

/** A text as a Unigram vocabulary was trained on it (llama.cpp `llm_tokenizer_ugm_session::normalize`). */
export class PieceNormalizer {
  readonly #rules: PieceRules;
  readonly #utf8: TextEncoder = new TextEncoder();
  readonly #decoder: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #output: Uint8Array = new Uint8Array(minimumRoomBytes);
  #length = 0;
  #limit = 0;

  constructor(rules: PieceRules) {
    this.#rules = rules;
  }

  /** @throws {RivuletError} `TOKENIZER_INVALID` for a damaged character map */
  normalize(text: string): string {
    const input = this.#utf8.encode(text);
    const { characterMap, addSpacePrefix, mergeSpaces } = this.#rules;
    this.#length = 0;
    this.#limit = input.length * maximumGrowth + minimumRoomBytes;
    let hasPrefix = false;
    let inWord = false;
    for (let offset = 0; offset < input.length;) {
      const replacement = characterMap?.find(input, offset);
      const bytes = replacement?.bytes ?? characterAt(input, offset);
      offset += replacement?.consumedBytes ?? characterBytes(input, offset);
      for (let index = 0; index < bytes.length; index++) {
        const byte = bytes[index] as number;
        if (byte === space) {
          inWord = false;
          if (!mergeSpaces) this.#push(escapedSpace);
          continue;
        }
        if (!inWord) {
          inWord = true;
          if ((addSpacePrefix && !hasPrefix) || mergeSpaces) {
            this.#push(escapedSpace);
            hasPrefix = true;
          }
        }
        this.#pushByte(byte);
      }
    }
    return this.#decoder.decode(this.#output.subarray(0, this.#length));
  }

  #push(bytes: readonly number[]): void {
    for (const byte of bytes) this.#pushByte(byte);
  }

  #pushByte(byte: number): void {
    if (this.#length === this.#output.length) this.#grow();
    this.#output[this.#length++] = byte;
  }

  #grow(): void {
    if (this.#length >= this.#limit) {
      throw new RivuletError(
        'TOKENIZER_INVALID',
        `Expected a normalised text of at most ${maximumGrowth} times its length, found more. The character map of the file is damaged; convert or download it again.`,
      );
    }
    const larger = new Uint8Array(this.#output.length * 2);
    larger.set(this.#output);
    this.#output = larger;
  }
}

/** Bytes of the character at an offset of valid UTF-8; 1 in the middle of one, where a map may have left off. */
function characterBytes(text: Uint8Array, offset: number): number {
  const lead = text[offset] as number;
  if (lead < 0xc0) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function characterAt(text: Uint8Array, offset: number): Uint8Array {
  const lead = text[offset] as number;
  if (lead >= 0x80 && lead < 0xc0) return replacementCharacter;
  return text.subarray(offset, offset + characterBytes(text, offset));
}

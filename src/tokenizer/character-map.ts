import { RivuletError } from '../errors.ts';

/** The part of a text that {@link CharacterMap.find} replaces. */
export interface Replacement {
  /** Bytes of the text that go. */
  readonly consumedBytes: number;
  /** UTF-8 that comes instead. */
  readonly bytes: Uint8Array;
}

/** Real maps have keys of a few characters; a damaged one may loop, and must not make texts take quadratic time. */
const maximumKeyBytes = 256;

const lengthBytes = 4;

/**
 * SentencePiece's precompiled normalisation rules: a double-array trie over UTF-8 (Kanda 2018, the form that
 * Darts-clone writes), then the replacements as texts that end in a zero byte.
 */
export class CharacterMap {
  /** Bits 0–7 and 31: the byte that leads here; 8: a key ends here; 9: the base is in units of 256; 10–30: the base. */
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;

  /** @throws {RivuletError} `TOKENIZER_INVALID` for lengths that do not agree */
  constructor(data: Uint8Array) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const trieBytes = data.length < lengthBytes ? Number.NaN : view.getUint32(0, true);
    if (!(trieBytes + lengthBytes < data.length)) {
      throw invalidMap(`a trie of ${trieBytes} bytes in ${data.length} bytes`);
    }
    this.#units = Uint32Array.from({ length: Math.floor(trieBytes / 4) }, (_, index) =>
      view.getUint32(lengthBytes + index * 4, true),
    );
    this.#replacements = data.subarray(lengthBytes + trieBytes);
  }

  /**
   * The longest key that begins at an offset of the text, or nothing.
   *
   * @throws {RivuletError} `TOKENIZER_INVALID` where the map points outside itself
   */
  find(text: Uint8Array, offset: number): Replacement | undefined {
    if (this.#units.length === 0) return undefined;
    const end = Math.min(text.length, offset + maximumKeyBytes);
    let keyEnd = -1;
    let value = 0;
    let index = baseOf(this.#unit(0));
    for (let at = offset; at < end; at++) {
      const byte = text[at] as number;
      if (byte === 0) break;
      index ^= byte;
      const unit = this.#unit(index);
      if ((unit & 0x8000_00ff) !== byte) break;
      index ^= baseOf(unit);
      if ((unit & 0x100) !== 0) {
        keyEnd = at + 1;
        value = this.#unit(index) & 0x7fff_ffff;
      }
    }
    return keyEnd === -1 ? undefined : { consumedBytes: keyEnd - offset, bytes: this.#replacement(value) };
  }

  #unit(index: number): number {
    const unit = this.#units[index];
    if (unit === undefined) throw invalidMap(`a pointer to unit ${index} of ${this.#units.length}`);
    return unit;
  }

  #replacement(start: number): Uint8Array {
    const end = this.#replacements.indexOf(0, start);
    if (start >= this.#replacements.length || end === -1) {
      throw invalidMap(`no replacement at byte ${start} of ${this.#replacements.length}`);
    }
    return this.#replacements.subarray(start, end);
  }
}

function baseOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function invalidMap(found: string): RivuletError {
  return new RivuletError(
    'TOKENIZER_INVALID',
    `Expected "tokenizer.ggml.precompiled_charsmap" to be the rules of a SentencePiece model, found ${found}. Convert or download the file again.`,
    { details: { key: 'tokenizer.ggml.precompiled_charsmap' } },
  );
}

import { RivuletError } from '../errors.ts';
import { cleanSpaces } from './clean-spaces.ts';
import { SpecialMatcher } from './special-matcher.ts';
import type { SpecialRoles } from './special-roles.ts';
import type { SubwordEncoder } from './subword-encoder.ts';
import { specialAttributes } from './token-attributes.ts';
import { type PieceSpelling, tokenPiece } from './token-pieces.ts';
import type { DecodeOptions, EncodeOptions, FillTokens, Tokenizer } from './tokenizer.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What {@link VocabularyTokenizer} is made of. */
export interface TokenizerParts {
  readonly kind: Tokenizer['kind'];
  readonly vocabulary: Vocabulary;
  readonly roles: SpecialRoles;
  readonly encoder: SubwordEncoder;
  readonly spelling: PieceSpelling;
  readonly addBos: boolean;
  readonly addEos: boolean;
  /** @default false */
  readonly addSeparator?: boolean;
  readonly addSpacePrefix: boolean;
  readonly cleanSpaces: boolean;
  readonly controlTexts: readonly string[];
  readonly warnings: readonly string[];
}

/** A tokenizer over the vocabulary of a GGUF file, equal to llama.cpp's in every id and byte. */
export class VocabularyTokenizer implements Tokenizer {
  readonly kind: Tokenizer['kind'];
  readonly vocabularySize: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly unknownId: number;
  readonly paddingId: number;
  readonly separatorId?: number;
  readonly endIds: ReadonlySet<number>;
  readonly fill?: FillTokens;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly addSeparator: boolean;
  readonly addSpacePrefix: boolean;
  readonly cleanSpaces: boolean;
  readonly controlTexts: readonly string[];
  readonly warnings: readonly string[];
  readonly #vocabulary: Vocabulary;
  readonly #encoder: SubwordEncoder;
  readonly #spelling: PieceSpelling;
  #specialMatcher: SpecialMatcher | undefined;
  #plainMatcher: SpecialMatcher | undefined;

  constructor(parts: TokenizerParts) {
    const { vocabulary, roles } = parts;
    this.kind = parts.kind;
    this.vocabularySize = vocabulary.size;
    this.bosId = roles.bosId;
    this.eosId = roles.eosId;
    this.unknownId = roles.unknownId;
    this.paddingId = roles.paddingId;
    this.endIds = roles.endIds;
    if (roles.separatorId !== -1) this.separatorId = roles.separatorId;
    if (roles.fill !== undefined) this.fill = roles.fill;
    this.addBos = parts.addBos;
    this.addEos = parts.addEos;
    this.addSeparator = parts.addSeparator ?? false;
    this.addSpacePrefix = parts.addSpacePrefix;
    this.cleanSpaces = parts.cleanSpaces;
    this.controlTexts = parts.controlTexts;
    this.warnings = parts.warnings;
    this.#vocabulary = vocabulary;
    this.#encoder = parts.encoder;
    this.#spelling = parts.spelling;
  }

  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const { parseSpecial = false, addSpecial = false, guards } = options;
    const output: number[] = [];
    if (addSpecial && this.addBos) output.push(this.bosId);
    const wellFormed = text.replaceAll(/\p{Surrogate}/gu, '\ufffd');
    let afterSpecial = true;
    for (const fragment of this.#matcher(parseSpecial).split(wellFormed, parseSpecial ? guards : undefined)) {
      if ('id' in fragment) output.push(fragment.id);
      else this.#encoder.encode(wellFormed.slice(fragment.start, fragment.end), output, afterSpecial);
      afterSpecial = 'id' in fragment;
    }
    if (addSpecial && this.addSeparator) output.push(this.separatorId as number);
    if (addSpecial && this.addEos) output.push(this.eosId);
    return Int32Array.from(output);
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.decodeBytes(ids, options));
  }

  /**
   * Ids back to the bytes of their text (llama.cpp `detokenize`).
   *
   * @throws {RivuletError} `INVALID_ARGUMENT` for an id outside the vocabulary
   */
  decodeBytes(ids: ArrayLike<number>, options: DecodeOptions = {}): Uint8Array {
    const special = options.special ?? false;
    let start = 0;
    let end = ids.length;
    let stripSpace = this.addSpacePrefix;
    if (!special) {
      if (this.addBos && end > 0 && ids[0] === this.bosId) {
        start = 1;
        stripSpace = false;
      }
      if (this.addEos && end > start && ids[end - 1] === this.eosId) end--;
    }
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let index = start; index < end; index++) {
      const piece = this.tokenBytes(ids[index] as number, special);
      const kept = stripSpace && piece[0] === 0x20 ? piece.subarray(1) : piece;
      stripSpace = false;
      pieces.push(kept);
      length += kept.length;
    }
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const piece of pieces) {
      bytes.set(piece, offset);
      offset += piece.length;
    }
    return (options.cleanSpaces ?? this.cleanSpaces) ? cleanSpaces(bytes) : bytes;
  }

  /** @throws {RivuletError} `INVALID_ARGUMENT` for an id outside the vocabulary */
  tokenBytes(id: number, special = false): Uint8Array {
    this.#requireToken(id);
    if (!special && this.isSpecial(id)) return new Uint8Array(0);
    return tokenPiece(this.#vocabulary, id, this.#spelling);
  }

  /** @throws {RivuletError} `INVALID_ARGUMENT` for an id outside the vocabulary */
  tokenText(id: number): string {
    this.#requireToken(id);
    return this.#vocabulary.textOf(id);
  }

  isSpecial(id: number): boolean {
    return this.#vocabulary.hasAttribute(id, specialAttributes);
  }

  idOf(tokenText: string): number {
    return this.#vocabulary.idOf(tokenText);
  }

  #matcher(parseSpecial: boolean): SpecialMatcher {
    if (parseSpecial) return (this.#specialMatcher ??= new SpecialMatcher(this.#vocabulary, true));
    return (this.#plainMatcher ??= new SpecialMatcher(this.#vocabulary, false));
  }

  #requireToken(id: number): void {
    if (this.#vocabulary.has(id)) return;
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected token ids from 0 to ${this.vocabularySize - 1}, found ${id}. Use ids of this model's own vocabulary.`,
      { details: { id, vocabularySize: this.vocabularySize } },
    );
  }
}

import { RivuletError } from '../errors.ts';
import { quoted } from '../gguf/quoted.ts';
import type { WritableValue } from '../gguf/writable-value.ts';
import type { JsonFields } from './json-fields.ts';

/** Numbers of `tokenizer.ggml.token_type`. */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5 } as const;

/** What a token of an encoder's vocabulary may be for. */
export type TokenRole = 'cls' | 'separator' | 'unknown' | 'padding' | 'mask';

/** A vocabulary in the form of GGUF files. */
export interface ConvertedVocabulary {
  /** `tokenizer.ggml.model` */
  readonly model: 'bert' | 't5';
  /** (nTokens) */
  readonly texts: readonly string[];
  /** (nTokens) numbers of `tokenizer.ggml.token_type`. */
  readonly types: readonly number[];
  readonly roleIds: ReadonlyMap<TokenRole, number>;
  /** A pair of texts has two separators between them, not one. */
  readonly doubleSeparator: boolean;
  /** Keys that only this kind of vocabulary has. */
  readonly settings: readonly (readonly [key: string, value: WritableValue])[];
  /** What the model asks for and the format cannot say. */
  readonly warnings: readonly string[];
}

const roleFields: readonly (readonly [role: TokenRole, field: string])[] = [
  ['cls', 'cls_token'],
  ['separator', 'sep_token'],
  ['unknown', 'unk_token'],
  ['padding', 'pad_token'],
  ['mask', 'mask_token'],
];

/** More than any vocabulary in use, and a bound for what a config may ask to pad. */
const maximumTokens = 2 ** 21;

/** Refuses sizes that no vocabulary has, before anything of that size is made. */
export function requireTokenCount(size: number): void {
  if (size > maximumTokens) throw invalidVocabulary(`a table of ${size} tokens`, `at most ${maximumTokens}`);
}

/** Spellings of the tokens with a role: what tokenizer_config.json says, else the usual ones of the kind. */
export function roleTexts(
  settings: JsonFields | undefined,
  usual: Readonly<Record<TokenRole, string>>,
): ReadonlyMap<TokenRole, string> {
  return new Map(roleFields.map(([role, field]) => [role, tokenName(settings, field) ?? usual[role]]));
}

/** Ids of the spellings that the vocabulary has. */
export function findRoles(
  texts: ReadonlyMap<TokenRole, string>,
  ids: ReadonlyMap<string, number>,
): ReadonlyMap<TokenRole, number> {
  return new Map(
    Array.from(texts).flatMap(([role, text]) => {
      const id = ids.get(text);
      return id === undefined ? [] : [[role, id] as const];
    }),
  );
}

/** A token that settings give as text, or as an object that holds it. */
function tokenName(settings: JsonFields | undefined, field: string): string | undefined {
  if (settings === undefined || !settings.has(field)) return undefined;
  try {
    return settings.optionalString(field);
  } catch {
    return settings.optionalObject(field)?.optionalString('content');
  }
}

export interface AddedToken {
  readonly id: number;
  readonly text: string;
  readonly special: boolean;
}

/** Tokens that are matched in texts as they are. */
export function addedTokens(tokenizer: JsonFields): readonly AddedToken[] {
  return (tokenizer.optionalObjects('added_tokens') ?? []).map((token) => ({
    id: token.count('id'),
    text: token.string('content'),
    special: token.optionalBoolean('special') === true,
  }));
}

export function invalidVocabulary(found: string, expected: string): RivuletError {
  return new RivuletError(
    'TOKENIZER_INVALID',
    `Expected ${expected} in the vocabulary, found ${found}. Vocabulary and weights do not belong together; download the model again.`,
  );
}

export function unsupportedVocabulary(found: string): RivuletError {
  return new RivuletError(
    'TOKENIZER_UNSUPPORTED',
    `Expected a vocabulary that can be converted (WordPiece with "##" before parts of words, Unigram without byte tokens), found ${quoted(found)}. Convert the model with llama.cpp's converter.`,
    { details: { kind: found } },
  );
}

import { invalidVocabulary } from './converted-vocabulary.ts';

/** The bytes of a base64 text. @throws {RivuletError} `TOKENIZER_INVALID` */
export function decodeBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw invalidVocabulary('something else as character map', 'base64');
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

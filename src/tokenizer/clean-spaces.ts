const [space, apostrophe, exclamation, comma, period, question] = [0x20, 0x27, 0x21, 0x2c, 0x2e, 0x3f];
const contractionTails: readonly string[] = ['s', 'm', 're', 've'];

/**
 * Removes the spaces that some vocabularies put before punctuation and contractions, in three passes over
 * each other's result (llama.cpp `detokenize`, from the `clean_up_tokenization_spaces` of transformers).
 */
export function cleanSpaces(text: Uint8Array): Uint8Array {
  return beforeContractions(aroundApostrophes(beforePunctuation(text)));
}

function beforePunctuation(text: Uint8Array): Uint8Array {
  const output = new Uint8Array(text.length);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const byte = text[index] as number;
    const closes = byte === question || byte === exclamation || byte === period || byte === comma;
    if (closes && index > 0 && text[index - 1] === space) length--;
    output[length++] = byte;
  }
  return output.subarray(0, length);
}

function aroundApostrophes(text: Uint8Array): Uint8Array {
  const output = new Uint8Array(text.length);
  let length = 0;
  let afterSpace = false;
  for (let index = 0; index < text.length; index++) {
    const byte = text[index] as number;
    if (byte === apostrophe && afterSpace && text[index + 1] === space) {
      length--;
      output[length++] = byte;
      // The space after it goes too, and does not count as one for what follows.
      index++;
      afterSpace = false;
      continue;
    }
    output[length++] = byte;
    afterSpace = byte === space;
  }
  return output.subarray(0, length);
}

function beforeContractions(text: Uint8Array): Uint8Array {
  const output = new Uint8Array(text.length);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const byte = text[index] as number;
    if (byte === apostrophe && index > 0 && text[index - 1] === space && startsContraction(text, index + 1))
      length--;
    output[length++] = byte;
  }
  return output.subarray(0, length);
}

function startsContraction(text: Uint8Array, start: number): boolean {
  return contractionTails.some((tail) =>
    Array.from(tail).every((character, offset) => text[start + offset] === character.charCodeAt(0)),
  );
}

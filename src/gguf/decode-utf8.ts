// A byte order mark is part of a token, not a mark of an encoding.
const strictDecoder: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenientDecoder: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Decodes valid UTF-8, or returns `undefined`. */
export function decodeStrict(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Decodes UTF-8 with U+FFFD for what is not. */
export function decodeLenient(bytes: Uint8Array): string {
  return lenientDecoder.decode(bytes);
}

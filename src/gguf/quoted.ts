/** Longer names are no names; the file is damaged, and a message must stay readable. */
const maximumCharacters = 120;

/** A name from an untrusted file for a message: in quotes, cut, and with control characters escaped. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > maximumCharacters ? `${name.slice(0, maximumCharacters)}…` : name);
}

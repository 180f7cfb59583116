/** The ids of a request, prompt first, growing by what is generated. */
export interface TokenList {
  readonly length: number;
  push(id: number): void;
  /** (end - start,), a copy. */
  slice(start: number, end: number): Int32Array;
  /** How many ids from the start are equal in both, at most `limit`. */
  commonPrefix(other: TokenList, limit: number): number;
  /** The ids themselves; entries from `length` on mean nothing. */
  readonly storage: Int32Array;
}

export function createTokenList(prompt: Int32Array): TokenList {
  let storage = prompt.slice();
  let length = prompt.length;
  return {
    get length() {
      return length;
    },
    get storage() {
      return storage;
    },
    push(id) {
      if (length === storage.length) {
        const grown = new Int32Array(Math.max(16, length * 2));
        grown.set(storage);
        storage = grown;
      }
      storage[length] = id;
      length += 1;
    },
    slice: (start, end) => storage.slice(start, Math.min(end, length)),
    commonPrefix(other, limit) {
      const theirs = other.storage;
      const most = Math.min(length, other.length, limit);
      let common = 0;
      while (common < most && storage[common] === theirs[common]) common += 1;
      return common;
    },
  };
}

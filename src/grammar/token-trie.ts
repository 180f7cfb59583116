/** The texts of a vocabulary as a tree over bytes, in preorder: a walk goes through the arrays front to back. */
export interface TokenTrie {
  readonly size: number;
  /** (size,) byte that leads to a node. */
  readonly bytes: Uint8Array;
  /** (size,) bytes from the root to a node, from 1. */
  readonly depths: Uint16Array;
  /** (size,) the node before a node on its way; -1 at the root. */
  readonly parents: Int32Array;
  /** (size,) the node behind a node's subtree. */
  readonly ends: Int32Array;
  /** (size,) a token with exactly this text, or -1. */
  readonly tokens: Int32Array;
  /** Further tokens with the same text as the one that is entered as key. */
  readonly twins: ReadonlyMap<number, readonly number[]>;
  /** How many tokens the model scores. */
  readonly vocabularySize: number;
  /** (vocabularySize,) bytes of a token. */
  readonly lengths: Uint16Array;
  /** Tokens by falling length, those longer than {@link longToken} only. */
  readonly longTokens: Int32Array;
  /** (vocabularySize,) node of a token, -1 for tokens without text. */
  readonly nodes: Int32Array;
}

/** Bytes. Nearly all tokens are shorter; how a count stands matters to these only near its bounds. */
export const longToken = 24;

/** Longer tokens have no place in a grammar; no vocabulary has them. */
const maximumTokenBytes = 4096;

/** Tokens between two pauses: a few milliseconds of work. */
const tokensPerSlice = 4096;

/** As {@link buildTokenTrie}, at once. */
export function createTokenTrie(vocabularySize: number, tokenBytes: (id: number) => Uint8Array): TokenTrie {
  const building = buildTokenTrie(vocabularySize, tokenBytes);
  for (;;) {
    const step = building.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Builds the tree in slices, so that others can go on between two: it takes some 200 ms at 150 000 tokens.
 * @param tokenBytes what each token stands for; empty for those that may never come
 */
export function* buildTokenTrie(
  vocabularySize: number,
  tokenBytes: (id: number) => Uint8Array,
): Generator<void, TokenTrie, undefined> {
  const texts: string[] = Array.from({ length: vocabularySize }, () => '');
  const lengths = new Uint16Array(vocabularySize);
  /** Tokens by their first two bytes: all of a vocabulary at once would take long to sort. */
  const groups = new Map<number, number[]>();
  let total = 0;
  for (let id = 0; id < vocabularySize; id += 1) {
    if (id % tokensPerSlice === 0) yield;
    const bytes = tokenBytes(id);
    if (bytes.length === 0 || bytes.length > maximumTokenBytes) continue;
    texts[id] = latin(bytes);
    lengths[id] = bytes.length;
    total += bytes.length;
    // One byte alone comes before that byte and another one.
    const key = bytes[0]! * 257 + (bytes.length === 1 ? 0 : bytes[1]! + 1);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [id]);
    else group.push(id);
  }

  const tree = new TreeArrays(total, vocabularySize);
  let sliced = 0;
  for (const key of [...groups.keys()].sort((left, right) => left - right)) {
    const group = groups.get(key)!;
    sliced += group.length;
    if (sliced >= tokensPerSlice) {
      sliced = 0;
      yield;
    }
    group.sort((left, right) => {
      const a = texts[left]!;
      const b = texts[right]!;
      return a < b ? -1 : a > b ? 1 : left - right;
    });
    for (const id of group) tree.add(id, texts[id]!);
  }
  const long: number[] = [];
  lengths.forEach((length, id) => {
    if (length > longToken) long.push(id);
  });
  long.sort((left, right) => lengths[right]! - lengths[left]! || left - right);
  return { ...tree.finish(), vocabularySize, lengths, longTokens: Int32Array.from(long) };
}

/** The tree while texts are added in their order. */
class TreeArrays {
  readonly #bytes: Uint8Array;
  readonly #depths: Uint16Array;
  readonly #parents: Int32Array;
  readonly #ends: Int32Array;
  readonly #tokens: Int32Array;
  readonly #nodes: Int32Array;
  readonly #twins = new Map<number, number[]>();
  /** Nodes on the way to the last text. */
  readonly #path: number[] = [];
  #size = 0;
  #previous = '';

  constructor(mostNodes: number, vocabularySize: number) {
    this.#bytes = new Uint8Array(mostNodes);
    this.#depths = new Uint16Array(mostNodes);
    this.#parents = new Int32Array(mostNodes);
    this.#ends = new Int32Array(mostNodes);
    this.#tokens = new Int32Array(mostNodes).fill(-1);
    this.#nodes = new Int32Array(vocabularySize).fill(-1);
  }

  add(id: number, text: string): void {
    const path = this.#path;
    const previous = this.#previous;
    const most = Math.min(text.length, previous.length);
    let common = 0;
    while (common < most && text.charCodeAt(common) === previous.charCodeAt(common)) common += 1;
    for (let depth = path.length; depth > common; depth -= 1) this.#ends[path.pop()!] = this.#size;
    for (let index = common; index < text.length; index += 1) {
      this.#bytes[this.#size] = text.charCodeAt(index);
      this.#depths[this.#size] = index + 1;
      this.#parents[this.#size] = path.at(-1) ?? -1;
      path.push(this.#size);
      this.#size += 1;
    }
    this.#previous = text;
    const node = path.at(-1)!;
    this.#nodes[id] = node;
    const first = this.#tokens[node]!;
    if (first === -1) this.#tokens[node] = id;
    else {
      const others = this.#twins.get(first);
      if (others === undefined) this.#twins.set(first, [id]);
      else others.push(id);
    }
  }

  finish(): Omit<TokenTrie, 'vocabularySize' | 'lengths' | 'longTokens'> {
    for (const node of this.#path) this.#ends[node] = this.#size;
    const size = this.#size;
    return {
      size,
      bytes: this.#bytes.slice(0, size),
      depths: this.#depths.slice(0, size),
      parents: this.#parents.slice(0, size),
      ends: this.#ends.slice(0, size),
      tokens: this.#tokens.slice(0, size),
      twins: this.#twins,
      nodes: this.#nodes,
    };
  }
}

function latin(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

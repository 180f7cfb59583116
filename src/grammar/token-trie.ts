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

/**
 * @param tokenBytes what each token stands for; empty for those that may never come
 */
export function createTokenTrie(vocabularySize: number, tokenBytes: (id: number) => Uint8Array): TokenTrie {
  const texts: string[] = Array.from({ length: vocabularySize }, () => '');
  const lengths = new Uint16Array(vocabularySize);
  const order: number[] = [];
  let total = 0;
  for (let id = 0; id < vocabularySize; id += 1) {
    const bytes = tokenBytes(id);
    if (bytes.length === 0 || bytes.length > maximumTokenBytes) continue;
    texts[id] = latin(bytes);
    lengths[id] = bytes.length;
    total += bytes.length;
    order.push(id);
  }
  order.sort((left, right) => {
    const a = texts[left]!;
    const b = texts[right]!;
    return a < b ? -1 : a > b ? 1 : left - right;
  });

  const bytes = new Uint8Array(total);
  const depths = new Uint16Array(total);
  const tokens = new Int32Array(total).fill(-1);
  const ends = new Int32Array(total);
  const parents = new Int32Array(total);
  const nodes = new Int32Array(vocabularySize).fill(-1);
  const twins = new Map<number, number[]>();
  /** Nodes on the way to the last text. */
  const path: number[] = [];
  let size = 0;
  let previous = '';
  for (const id of order) {
    const own = texts[id]!;
    let common = 0;
    const most = Math.min(own.length, previous.length);
    while (common < most && own.charCodeAt(common) === previous.charCodeAt(common)) common += 1;
    for (let depth = path.length; depth > common; depth -= 1) ends[path.pop()!] = size;
    for (let index = common; index < own.length; index += 1) {
      bytes[size] = own.charCodeAt(index);
      depths[size] = index + 1;
      parents[size] = path.at(-1) ?? -1;
      path.push(size);
      size += 1;
    }
    previous = own;
    const node = path.at(-1)!;
    nodes[id] = node;
    const first = tokens[node]!;
    if (first === -1) tokens[node] = id;
    else {
      const others = twins.get(first);
      if (others === undefined) twins.set(first, [id]);
      else others.push(id);
    }
  }
  for (const node of path) ends[node] = size;
  const longTokens = order
    .filter((id) => lengths[id]! > longToken)
    .sort((left, right) => lengths[right]! - lengths[left]! || left - right);
  return {
    size,
    bytes: bytes.slice(0, size),
    depths: depths.slice(0, size),
    parents: parents.slice(0, size),
    ends: ends.slice(0, size),
    tokens: tokens.slice(0, size),
    twins,
    vocabularySize,
    lengths,
    longTokens: Int32Array.from(longTokens),
    nodes,
  };
}

function latin(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

import type { TokenList } from './token-list.ts';

/** A sequence that can be found by its ids. */
export interface IndexedSequence {
  /** The ids that it was computed from, and perhaps more. */
  readonly tokens: TokenList;
  /** How many of them it holds. */
  readonly length: number;
}

/** The longest beginning of a prompt that some sequence holds. */
export interface PrefixMatch<Holder> {
  /** Tokens; 0 = nobody holds any. */
  readonly length: number;
  /** Those that hold all of it. */
  readonly holders: Iterable<Holder>;
}

/** Finds sequences by the beginning of a prompt in one look-up per block of ids, however many sequences there are. */
export interface PrefixIndex<Holder extends IndexedSequence> {
  /** Takes a sequence in, or takes notice that it has grown. */
  update(holder: Holder): void;
  remove(holder: Holder): void;
  /** Looks at the first `limit` ids of a prompt at most. */
  longest(prompt: TokenList, limit: number): PrefixMatch<Holder>;
  /** The others that hold all that this one holds. */
  covering(holder: Holder): Iterable<Holder>;
  /** The others whose whole content this one holds, too. */
  within(holder: Holder): Iterable<Holder>;
}

/** Continues a hash over the ids of one block. */
export type BlockHash = (parent: number, ids: Int32Array, start: number, end: number) => number;

/** A block of ids behind all of its parents. Blocks form a tree, and one chained hash finds each from its parent. */
interface Block<Holder> {
  readonly parent: Block<Holder> | undefined;
  readonly hash: number;
  /** (blockTokens,); (0,) at the root. */
  readonly ids: Int32Array;
  readonly children: Set<Block<Holder>>;
  /** Sequences that hold this block. */
  readonly holders: Set<Holder>;
  /** Those of them that hold no further whole block. */
  readonly ends: Set<Holder>;
  /** The next block of the same hash. */
  next: Block<Holder> | undefined;
}

/** FNV-1a over whole ids, with a final mixing step. It only has to spread: ids are compared all the same. */
const hashBlock: BlockHash = (parent, ids, start, end) => {
  let hash = parent ^ 0x811c9dc5;
  for (let index = start; index < end; index += 1) hash = Math.imul(hash ^ ids[index]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
};

export function createPrefixIndex<Holder extends IndexedSequence>(
  blockTokens: number,
  hash: BlockHash = hashBlock,
): PrefixIndex<Holder> {
  const root = createBlock<Holder>(undefined, 0, new Int32Array(0));
  const blocks = new Map<number, Block<Holder>>();
  /** The deepest whole block of each sequence, with its number of blocks. */
  const places = new Map<Holder, { block: Block<Holder>; depth: number }>();

  /** The block that follows `parent` with the ids from `start` on. */
  const childOf = (parent: Block<Holder>, key: number, ids: Int32Array, start: number) => {
    let block = blocks.get(key);
    while (block !== undefined && !(block.parent === parent && startsAlike(block.ids, ids, start))) {
      block = block.next;
    }
    return block;
  };

  const addChild = (parent: Block<Holder>, key: number, ids: Int32Array, start: number) => {
    const block = createBlock(parent, key, ids.slice(start, start + blockTokens));
    block.next = blocks.get(key);
    blocks.set(key, block);
    parent.children.add(block);
    return block;
  };

  const removeBlock = (block: Block<Holder>): void => {
    block.parent?.children.delete(block);
    const first = blocks.get(block.hash);
    if (first === block) {
      if (block.next === undefined) blocks.delete(block.hash);
      else blocks.set(block.hash, block.next);
      return;
    }
    let before = first;
    while (before !== undefined && before.next !== block) before = before.next;
    if (before !== undefined) before.next = block.next;
  };

  return {
    update(holder) {
      let place = places.get(holder);
      if (place === undefined) {
        place = { block: root, depth: 0 };
        places.set(holder, place);
        root.holders.add(holder);
        root.ends.add(holder);
      }
      if ((place.depth + 1) * blockTokens > holder.length) return;
      place.block.ends.delete(holder);
      const ids = holder.tokens.storage;
      for (; (place.depth + 1) * blockTokens <= holder.length; place.depth += 1) {
        const start = place.depth * blockTokens;
        const key = hash(place.block.hash, ids, start, start + blockTokens);
        place.block = childOf(place.block, key, ids, start) ?? addChild(place.block, key, ids, start);
        place.block.holders.add(holder);
      }
      place.block.ends.add(holder);
    },

    remove(holder) {
      const place = places.get(holder);
      if (place === undefined) return;
      places.delete(holder);
      place.block.ends.delete(holder);
      for (let block: Block<Holder> | undefined = place.block; block !== undefined; block = block.parent) {
        block.holders.delete(holder);
        if (block.holders.size === 0 && block !== root) removeBlock(block);
      }
    },

    longest(prompt, limit) {
      const ids = prompt.storage;
      const most = Math.min(limit, prompt.length);
      let block = root;
      let length = 0;
      while (length + blockTokens <= most) {
        const child = childOf(block, hash(block.hash, ids, length, length + blockTokens), ids, length);
        if (child === undefined) break;
        block = child;
        length += blockTokens;
      }
      // Nobody holds the next block as a whole, or it is not wanted as a whole: who comes furthest in it?
      let further = 0;
      let holders: Holder[] = [];
      const offer = (common: number, offered: Iterable<Holder>): void => {
        if (common === 0 || common < further) return;
        if (common > further) holders = [];
        further = common;
        holders.push(...offered);
      };
      for (const child of block.children) {
        offer(commonIds(child.ids, 0, ids, length, Math.min(blockTokens, most - length)), child.holders);
      }
      for (const holder of block.ends) {
        const there = Math.min(holder.length, most) - length;
        offer(commonIds(holder.tokens.storage, length, ids, length, there), [holder]);
      }
      if (further > 0) return { length: length + further, holders };
      return { length, holders: length === 0 ? [] : block.holders };
    },

    *covering(holder) {
      const { block, depth } = places.get(holder)!;
      const ids = holder.tokens.storage;
      const start = depth * blockTokens;
      const rest = holder.length - start;
      for (const other of block.ends) {
        if (other === holder || other.length < holder.length) continue;
        if (commonIds(other.tokens.storage, start, ids, start, rest) === rest) yield other;
      }
      for (const child of block.children) {
        if (commonIds(child.ids, 0, ids, start, rest) === rest) yield* child.holders;
      }
    },

    *within(holder) {
      const place = places.get(holder)!;
      const ids = holder.tokens.storage;
      let start = place.depth * blockTokens;
      for (let block: Block<Holder> | undefined = place.block; block !== undefined; block = block.parent) {
        for (const other of block.ends) {
          if (other === holder || other.length > holder.length) continue;
          const rest = other.length - start;
          if (commonIds(other.tokens.storage, start, ids, start, rest) === rest) yield other;
        }
        start -= blockTokens;
      }
    },
  };
}

function createBlock<Holder>(
  parent: Block<Holder> | undefined,
  hash: number,
  ids: Int32Array,
): Block<Holder> {
  return {
    parent,
    hash,
    ids,
    children: new Set(),
    holders: new Set(),
    ends: new Set(),
    next: undefined,
  };
}

function startsAlike(block: Int32Array, ids: Int32Array, start: number): boolean {
  return commonIds(block, 0, ids, start, block.length) === block.length;
}

/** How many ids are equal from two positions on, at most `limit`. */
function commonIds(
  left: Int32Array,
  leftStart: number,
  right: Int32Array,
  rightStart: number,
  limit: number,
): number {
  let common = 0;
  while (common < limit && left[leftStart + common] === right[rightStart + common]) common += 1;
  return common;
}

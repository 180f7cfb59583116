import type { SequenceId, Session } from '../session/session.ts';
import { createPrefixIndex } from './prefix-index.ts';
import type { BlockHash } from './prefix-index.ts';
import type { TokenList } from './token-list.ts';

/** A sequence of the session with the ids it was computed from. */
export interface HeldSequence {
  readonly sequence: SequenceId;
  /** Prompt and output; the sequence holds the first `length` of them. */
  readonly tokens: TokenList;
  readonly length: number;
}

/**
 * All sequences of an engine: those of live requests, and finished ones that are kept for requests which begin
 * alike. It opens and closes them; lengths are always the session's own.
 */
export interface PrefixCache {
  /**
   * A sequence for a prompt: it holds the longest beginning that any other one holds, live or kept. At least one
   * token of the prompt is left to compute.
   */
  start(prompt: TokenList): HeldSequence;
  /** An empty sequence, whatever others hold. A hidden one is found by nobody and never kept. */
  open(prompt: TokenList, options?: { readonly hidden?: boolean }): HeldSequence;
  /** How many tokens of a prompt {@link PrefixCache.start} would find. */
  available(prompt: TokenList): number;
  /** Takes notice of a step: what the sequence holds now may be found. */
  grown(held: HeldSequence): void;
  /** Takes the sequence of a finished request over; the least recently used ones are closed to stay in the budget. */
  keep(held: HeldSequence): void;
  close(held: HeldSequence): void;
  /** Closes the least recently used kept sequences, at most `count`. Returns how many. */
  closeOldest(count: number): number;
}

/** Ids that are hashed together, where a session has no pages. */
const usualBlockTokens = 64;

/** Each kept sequence takes memory in JavaScript, too, also where a token takes no bytes of cache. */
const maximumKept = 1024;

interface Entry {
  readonly sequence: SequenceId;
  readonly tokens: TokenList;
  length: number;
  kept: boolean;
  /** Nobody gets anything from it. */
  readonly hidden: boolean;
  /** Rises with every use of any sequence. */
  lastUse: number;
}

export function createPrefixCache(session: Session, budgetBytes: number, hash?: BlockHash): PrefixCache {
  const { cacheBytesPerToken, pageTokens } = session.info;
  const index = createPrefixIndex<Entry>(pageTokens ?? usualBlockTokens, hash);
  const entries = new Map<SequenceId, Entry>();
  /** From the least to the most recently used. */
  const kept = new Set<Entry>();
  let uses = 0;

  const add = (sequence: SequenceId, tokens: TokenList, length: number, hidden = false): Entry => {
    const entry: Entry = { sequence, tokens, length, kept: false, hidden, lastUse: ++uses };
    entries.set(sequence, entry);
    if (!hidden) index.update(entry);
    return entry;
  };

  const forget = (entry: Entry): void => {
    index.remove(entry);
    entries.delete(entry.sequence);
    kept.delete(entry);
  };

  const close = (entry: Entry): void => {
    forget(entry);
    session.closeSequence(entry.sequence);
  };

  const use = (entry: Entry): void => {
    entry.lastUse = ++uses;
    kept.delete(entry);
    kept.add(entry);
  };

  const closeOldest = (count: number): number => {
    let closed = 0;
    for (const entry of kept) {
      if (closed === count) break;
      close(entry);
      closed += 1;
    }
    return closed;
  };

  const keptBytes = (): number => {
    if (session.cacheBytesOf !== undefined) {
      return session.cacheBytesOf(Array.from(kept, (entry) => entry.sequence));
    }
    const unit = pageTokens ?? 1;
    let tokens = 0;
    for (const entry of kept) tokens += Math.ceil(entry.length / unit) * unit;
    return tokens * cacheBytesPerToken;
  };

  /**
   * Of those that hold the same beginning, the one to get it from. Where that costs nothing it is the latest, so that
   * a common beginning does not keep the older ones; otherwise the kept one with the least beside it.
   */
  const best = (holders: Iterable<Entry>): Entry | undefined => {
    let found: Entry | undefined;
    for (const entry of holders) if (found === undefined || isBetter(entry, found)) found = entry;
    return found;
  };

  const isBetter = (entry: Entry, other: Entry): boolean => {
    if (pageTokens !== undefined) return entry.lastUse > other.lastUse;
    return entry.kept && (!other.kept || entry.length < other.length);
  };

  /**
   * Where a fork copies, what most of a kept sequence is good for may have all of it; otherwise the sequence stays
   * whole for its own kind.
   */
  const isTaken = (entry: Entry, common: number): boolean =>
    pageTokens === undefined && entry.kept && common * 2 >= entry.length;

  const find = (prompt: TokenList) => index.longest(prompt, prompt.length - 1);

  return {
    start(prompt) {
      const { length, holders } = find(prompt);
      const from = best(holders);
      if (from === undefined) return add(session.openSequence(), prompt, 0);
      if (isTaken(from, length)) {
        if (length < from.length) session.truncate(from.sequence, length);
        forget(from);
        return add(from.sequence, prompt, length);
      }
      if (from.kept) use(from);
      return add(session.fork(from.sequence, length), prompt, length);
    },

    open: (prompt, { hidden } = {}) => add(session.openSequence(), prompt, 0, hidden),

    available: (prompt) => find(prompt).length,

    grown({ sequence }) {
      const entry = entries.get(sequence);
      if (entry === undefined) return;
      entry.length = session.lengthOf(sequence);
      if (!entry.hidden) index.update(entry);
    },

    keep({ sequence }) {
      const entry = entries.get(sequence);
      if (entry === undefined) return;
      if (entry.hidden) {
        close(entry);
        return;
      }
      for (const other of index.covering(entry)) {
        if (!other.kept) continue;
        use(other);
        close(entry);
        return;
      }
      for (const other of index.within(entry)) if (other.kept) close(other);
      entry.kept = true;
      use(entry);
      while (kept.size > 0 && (kept.size > maximumKept || keptBytes() > budgetBytes)) closeOldest(1);
    },

    close({ sequence }) {
      const entry = entries.get(sequence);
      if (entry !== undefined) close(entry);
    },

    closeOldest,
  };
}

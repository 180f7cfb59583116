import type { SequenceId, Session } from '../session/session.ts';
import type { TokenList } from './token-list.ts';

/** A sequence with the ids it was computed from; it holds the first `session.lengthOf` of them. */
export interface HeldSequence {
  readonly sequence: SequenceId;
  readonly tokens: TokenList;
}

/** A sequence ready to go on with a prompt, and how many of the prompt's tokens it holds already. */
export interface StartedSequence {
  readonly sequence: SequenceId;
  readonly cached: number;
}

/** Finished sequences, kept for requests that begin alike. Lengths are always the session's own. */
export interface PrefixCache {
  /** Takes a finished sequence over; the least recently used ones are closed to stay within the budget. */
  keep(held: HeldSequence): void;
  /**
   * A sequence for a prompt: the longest common prefix among the kept and the given live sequences, or an empty
   * one. At least one token of the prompt is left to compute.
   */
  start(prompt: TokenList, live: readonly HeldSequence[]): StartedSequence;
  /** How many tokens of a prompt are there already. */
  available(prompt: TokenList, live: readonly HeldSequence[]): number;
}

/** Matching looks at every entry, so their number is bounded even where a token takes no bytes. */
const maximumEntries = 128;

export function createPrefixCache(session: Session, budgetBytes: number): PrefixCache {
  /** From the least to the most recently used. */
  const entries = new Set<HeldSequence>();

  const shared = (prompt: TokenList, held: HeldSequence): number =>
    held.tokens.commonPrefix(prompt, Math.min(session.lengthOf(held.sequence), prompt.length - 1));

  const longest = (
    prompt: TokenList,
    sequences: Iterable<HeldSequence>,
  ): { readonly held: HeldSequence | undefined; readonly common: number } => {
    let best: HeldSequence | undefined;
    let bestCommon = 0;
    for (const held of sequences) {
      const common = shared(prompt, held);
      if (common > bestCommon) {
        best = held;
        bestCommon = common;
      }
    }
    return { held: best, common: bestCommon };
  };

  const drop = (held: HeldSequence): void => {
    entries.delete(held);
    session.closeSequence(held.sequence);
  };

  const use = (held: HeldSequence): void => {
    entries.delete(held);
    entries.add(held);
  };

  const trim = (): void => {
    let bytes = 0;
    for (const held of entries) bytes += session.lengthOf(held.sequence) * session.info.cacheBytesPerToken;
    for (const held of entries) {
      if (bytes <= budgetBytes && entries.size <= maximumEntries) return;
      bytes -= session.lengthOf(held.sequence) * session.info.cacheBytesPerToken;
      drop(held);
    }
  };

  return {
    keep(held) {
      const length = session.lengthOf(held.sequence);
      for (const other of entries) {
        const otherLength = session.lengthOf(other.sequence);
        const common = held.tokens.commonPrefix(other.tokens, Math.min(length, otherLength));
        if (common === length) {
          // Another entry holds all of it already.
          use(other);
          session.closeSequence(held.sequence);
          return;
        }
        if (common === otherLength) drop(other);
      }
      entries.add(held);
      trim();
    },

    start(prompt, live) {
      const kept = longest(prompt, entries);
      const running = longest(prompt, live);
      if (kept.held !== undefined && kept.common >= running.common) {
        const length = session.lengthOf(kept.held.sequence);
        // What most of an entry is good for may have all of it; otherwise the entry stays whole for its own kind.
        if (kept.common * 2 >= length) {
          if (kept.common < length) session.truncate(kept.held.sequence, kept.common);
          entries.delete(kept.held);
          return { sequence: kept.held.sequence, cached: kept.common };
        }
        use(kept.held);
        return { sequence: session.fork(kept.held.sequence, kept.common), cached: kept.common };
      }
      if (running.held !== undefined) {
        return { sequence: session.fork(running.held.sequence, running.common), cached: running.common };
      }
      return { sequence: session.openSequence(), cached: 0 };
    },

    available: (prompt, live) => Math.max(longest(prompt, entries).common, longest(prompt, live).common),
  };
}

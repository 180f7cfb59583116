import type { Penalties } from '../session/session.ts';

/** Settings of the three penalties, by llama.cpp's names. */
export interface PenaltyOptions {
  readonly repeatPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  /** Tokens of the window; -1 = everything. */
  readonly repeatLastN: number;
}

/** Which tokens occur in the last `repeatLastN`, and how often; kept up token by token. */
export interface PenaltyWindow {
  push(id: number): void;
  penalties(): Penalties;
}

/** A window over a request's tokens, or undefined when its penalties change nothing. */
export function createPenaltyWindow(options: PenaltyOptions): PenaltyWindow | undefined {
  const { repeatPenalty, frequencyPenalty, presencePenalty, repeatLastN } = options;
  if (repeatLastN === 0 || (repeatPenalty === 1 && frequencyPenalty === 0 && presencePenalty === 0)) {
    return undefined;
  }
  const counts = new Map<number, number>();
  /** The window as a ring; unused when it is everything. */
  const ring: number[] = [];
  let oldest = 0;

  const forget = (id: number): void => {
    const count = (counts.get(id) ?? 0) - 1;
    if (count > 0) counts.set(id, count);
    else counts.delete(id);
  };

  return {
    push(id) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
      if (repeatLastN < 0) return;
      if (ring.length < repeatLastN) {
        ring.push(id);
        return;
      }
      forget(ring[oldest]!);
      ring[oldest] = id;
      oldest = (oldest + 1) % repeatLastN;
    },
    penalties: () => ({
      ids: Int32Array.from(counts.keys()),
      counts: Int32Array.from(counts.values()),
      repeat: repeatPenalty,
      frequency: frequencyPenalty,
      presence: presencePenalty,
    }),
  };
}

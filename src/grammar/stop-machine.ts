/** Bytes from `low` to `high` lead to the state `target`. */
export interface StopEdge {
  readonly low: number;
  readonly high: number;
  readonly target: number;
}

/**
 * The automaton of Aho and Corasick over bytes, without the states in which a stop is complete: what it can read
 * contains none of the stops. State 0 is the start.
 */
export function stopMachine(stops: readonly string[]): StopEdge[][] {
  const children: Map<number, number>[] = [new Map()];
  const complete = new Set<number>();
  const encoder = new TextEncoder();
  for (const stop of stops) {
    let state = 0;
    for (const byte of encoder.encode(stop)) {
      let next = children[state]!.get(byte);
      if (next === undefined) {
        next = children.push(new Map()) - 1;
        children[state]!.set(byte, next);
      }
      state = next;
    }
    if (state !== 0) complete.add(state);
  }

  const targets: Int32Array[] = children.map(() => new Int32Array(256));
  const failure = new Int32Array(children.length);
  const order = [0];
  for (const state of order) {
    if (state !== 0 && complete.has(failure[state]!)) complete.add(state);
    for (let byte = 0; byte < 256; byte += 1) {
      const child = children[state]!.get(byte);
      const fallback = state === 0 ? 0 : targets[failure[state]!]![byte]!;
      targets[state]![byte] = child ?? fallback;
      if (child === undefined) continue;
      failure[child] = fallback;
      order.push(child);
    }
  }
  return targets.map((row, state) => (complete.has(state) ? [] : mergeBytes(row, complete)));
}

function mergeBytes(row: Int32Array, complete: ReadonlySet<number>): StopEdge[] {
  const edges: { low: number; high: number; target: number }[] = [];
  row.forEach((target, byte) => {
    if (complete.has(target)) return;
    const last = edges.at(-1);
    if (last !== undefined && last.target === target && last.high === byte - 1) last.high = byte;
    else edges.push({ low: byte, high: byte, target });
  });
  return edges;
}

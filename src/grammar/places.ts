import type { Automaton } from './automaton.ts';
import type { ByteEdge, CountedLoop } from './automaton-builder.ts';

/** Counts that stand for "far from both bounds" and "far from the lower bound": masks do not tell them apart. */
export const anyCount = -1;
export const tooFew = -2;

/** A position together with how often its counted loop has been round (0 outside of loops). */
export interface Place {
  readonly id: number;
  readonly position: number;
  readonly count: number;
  /** Fewest bytes from here to the end of the rule. */
  readonly cost: number;
}

/** What a place leads to without a byte inside of its rule. */
export interface Reach {
  /** Places that bytes lead on from. */
  readonly leaves: readonly Place[];
  readonly calls: readonly {
    readonly start: Place;
    readonly next: Place;
    /** Behind the called rule this one can only end. */
    readonly tail: boolean;
  }[];
  readonly final: boolean;
}

const countRange = 2 ** 21;

/** All places of an automaton, made when they are first asked for. */
export class Places {
  readonly automaton: Automaton;
  readonly #places = new Map<number, Place>();
  readonly #reaches = new Map<Place, Reach>();
  readonly #edges = new Map<Place, readonly ByteEdge[]>();
  #made = 0;

  constructor(automaton: Automaton) {
    this.automaton = automaton;
  }

  at(position: number, count: number): Place {
    const key = position * countRange + count + 2;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { id: this.#made, position, count, cost: this.#cost(position, count) };
      this.#made += 1;
      this.#places.set(key, place);
    }
    return place;
  }

  /** The loop that a place is inside of. */
  loopOf(place: Place): CountedLoop | undefined {
    const head = this.headOf(place);
    return head === undefined ? undefined : this.automaton.positions[head]!.loop;
  }

  /** Position of the head of the loop that a place is inside of. */
  headOf(place: Place): number | undefined {
    return this.automaton.positions[place.position]!.loopHead;
  }

  /** Edges that lead to an end. */
  edges(place: Place): readonly ByteEdge[] {
    let edges = this.#edges.get(place);
    if (edges === undefined) {
      const { positions, costs } = this.automaton;
      edges = positions[place.position]!.bytes.filter(({ target }) => costs[target] !== Infinity);
      this.#edges.set(place, edges);
    }
    return edges;
  }

  reach(place: Place): Reach {
    let reach = this.#reaches.get(place);
    if (reach === undefined) {
      reach = this.#findReach(place);
      this.#reaches.set(place, reach);
    }
    return reach;
  }

  #findReach(start: Place): Reach {
    const { positions, starts, costs } = this.automaton;
    const leaves: Place[] = [];
    const calls: { start: Place; next: Place; tail: boolean }[] = [];
    let final = false;
    const reached = new Set([start]);
    for (const place of reached) {
      const position = positions[place.position]!;
      const { count } = place;
      if (position.final) final = true;
      if (this.edges(place).length > 0) leaves.push(place);
      for (const target of position.steps) reached.add(this.at(target, count));
      if (position.enters !== undefined) reached.add(this.at(position.enters, 0));
      for (const { rule, next } of position.calls) {
        const target = starts.get(rule)!;
        if (costs[target] === Infinity || costs[next] === Infinity) continue;
        const behind = this.at(next, count);
        calls.push({ start: this.at(target, 0), next: behind, tail: this.#onlyEnds(behind) });
      }
      const { loop, again } = position;
      if (again !== undefined) reached.add(this.at(again, countedUp(count, positions[again]!.loop!)));
      if (loop !== undefined) {
        if (count < loop.maximum) reached.add(this.at(loop.body, count));
        if (count !== tooFew && (count === anyCount || count >= loop.minimum)) {
          reached.add(this.at(loop.exit, 0));
        }
      }
    }
    return { leaves, calls, final };
  }

  #onlyEnds(place: Place): boolean {
    const { positions } = this.automaton;
    const reached = new Set([place.position]);
    for (const at of reached) {
      const { bytes, steps, calls, loop, enters, again } = positions[at]!;
      if (bytes.length > 0 || calls.length > 0) return false;
      if (loop !== undefined || enters !== undefined || again !== undefined) return false;
      for (const step of steps) reached.add(step);
    }
    return true;
  }

  #cost(position: number, count: number): number {
    const { positions, costs } = this.automaton;
    const { loopHead, loop } = positions[position]!;
    const needed = ({ minimum, body }: CountedLoop, have: number): number =>
      have >= minimum || have < 0 ? 0 : (minimum - have) * costs[body]!;
    if (loop !== undefined) return needed(loop, count) + costs[loop.exit]!;
    const around = loopHead === undefined ? undefined : positions[loopHead]!.loop;
    if (around === undefined) return costs[position]!;
    return costs[position]! + needed(around, count < 0 ? count : count + 1) + costs[around.exit]!;
  }
}

/** Where there is no upper bound, all counts from the lower one on are alike. */
function countedUp(count: number, { minimum, maximum }: CountedLoop): number {
  if (count < 0) return count;
  return maximum === Infinity ? Math.min(count + 1, minimum) : count + 1;
}

import { RivuletError } from '../errors.ts';
import { grammarLimits } from './grammar-limits.ts';
import type { GrammarNode } from './grammar.ts';
import { stopMachine } from './stop-machine.ts';
import { utf8Sequences } from './utf8-ranges.ts';

/** Bytes from `low` to `high` lead to `target`. */
export interface ByteEdge {
  readonly low: number;
  readonly high: number;
  readonly target: number;
}

/** A place between two bytes of a rule, and how it goes on. */
export interface Position {
  readonly bytes: ByteEdge[];
  /** Positions that are reached without a byte. */
  readonly steps: number[];
  /** A rule that may stand here, and where the text goes on behind it. */
  readonly calls: { readonly rule: string; readonly next: number }[];
  /** The head of a counted loop. */
  loop?: CountedLoop;
  /** From outside into a loop: the count begins at 0. */
  enters?: number;
  /** The end of a loop's body: one more, and back to this head. */
  again?: number;
  /** The rule may end here. */
  final: boolean;
  /** Head of the counted loop whose body this is part of. */
  readonly loopHead: number | undefined;
}

export interface CountedLoop {
  readonly minimum: number;
  readonly maximum: number;
  readonly body: number;
  readonly exit: number;
  /** The only loop of its rule, over single characters: masks follow from one that knows no bounds. */
  readonly isPlain: boolean;
}

/** Repetitions up to this many are written out instead of counted. */
const writtenOut = 4;

/** Makes the positions of all rules of a grammar. */
export class AutomatonBuilder {
  readonly positions: Position[] = [];
  /** Rules that were made for repetitions inside of repetitions. */
  readonly added: [name: string, node: GrammarNode][] = [];

  /** Start of a rule. */
  addRule(node: GrammarNode): number {
    const start = this.#add(undefined);
    const end = this.#build(node, start, undefined, 0);
    this.positions[end]!.final = true;
    return start;
  }

  #add(loopHead: number | undefined): number {
    if (this.positions.length >= grammarLimits.positions) {
      throw new RivuletError(
        'GRAMMAR_TOO_LARGE',
        `Expected a grammar of at most ${grammarLimits.positions} positions, found more. Shorten its rules, or leave bounds of repetitions away.`,
        { details: { limit: grammarLimits.positions } },
      );
    }
    this.positions.push({ bytes: [], steps: [], calls: [], final: false, loopHead });
    return this.positions.length - 1;
  }

  /** Builds a node from a position on and returns where it ends. */
  #build(node: GrammarNode, from: number, loop: number | undefined, depth: number): number {
    if (depth > grammarLimits.depth) {
      throw new RivuletError(
        'GRAMMAR_TOO_LARGE',
        `Expected rules nested at most ${grammarLimits.depth} deep, found more. Divide them into several rules.`,
        { details: { limit: grammarLimits.depth } },
      );
    }
    switch (node.kind) {
      case 'text':
        return this.#buildText(node.text, from, loop);
      case 'characters': {
        const end = this.#add(loop);
        for (const [first, last] of node.ranges) {
          for (const sequence of utf8Sequences(first, last)) {
            let at = from;
            sequence.forEach(([low, high], index) => {
              const target = index === sequence.length - 1 ? end : this.#add(loop);
              this.positions[at]!.bytes.push({ low, high, target });
              at = target;
            });
          }
        }
        return end;
      }
      case 'sequence':
        return node.items.reduce((at, item) => this.#build(item, at, loop, depth + 1), from);
      case 'choice': {
        const end = this.#add(loop);
        for (const item of node.items) {
          // Of its own, as loops lead back to where they begin.
          const start = this.#add(loop);
          this.positions[from]!.steps.push(start);
          this.positions[this.#build(item, start, loop, depth + 1)]!.steps.push(end);
        }
        return end;
      }
      case 'repeat':
        return this.#buildRepeat(node, from, loop, depth);
      case 'until':
        return this.#buildUntil(node.stops, from, loop);
      case 'machine': {
        const places = node.states.map(() => this.#add(loop));
        const end = this.#add(loop);
        this.positions[from]!.steps.push(places[0]!);
        node.states.forEach(({ edges, final }, state) => {
          if (final) this.positions[places[state]!]!.steps.push(end);
          for (const edge of edges) {
            const last = this.#build(edge.node, places[state]!, loop, depth + 1);
            this.positions[last]!.steps.push(places[edge.target]!);
          }
        });
        return end;
      }
      case 'rule': {
        const end = this.#add(loop);
        this.positions[from]!.calls.push({ rule: node.name, next: end });
        return end;
      }
    }
  }

  #buildText(value: string, from: number, loop: number | undefined): number {
    let at = from;
    for (const byte of new TextEncoder().encode(value)) {
      const next = this.#add(loop);
      this.positions[at]!.bytes.push({ low: byte, high: byte, target: next });
      at = next;
    }
    return at;
  }

  #buildRepeat(
    node: GrammarNode & { kind: 'repeat' },
    from: number,
    loop: number | undefined,
    depth: number,
  ): number {
    const { item, minimum, maximum } = node;
    if (maximum < minimum) return this.#add(loop);
    const counted = node.isCounted ?? (Number.isFinite(maximum) ? maximum : minimum) > writtenOut;
    if (!counted) return this.#writeOut(node, from, loop, depth);
    if (loop !== undefined) {
      // One count per place of a rule: an inner one gets a rule, and with it a place, of its own.
      const name = `repeat ${this.added.length}`;
      this.added.push([name, node]);
      return this.#build({ kind: 'rule', name }, from, loop, depth + 1);
    }
    const head = this.#add(undefined);
    const body = this.#add(head);
    const exit = this.#add(undefined);
    const entry = this.#add(undefined);
    this.positions[from]!.steps.push(entry);
    this.positions[entry]!.enters = head;
    this.positions[head]!.loop = {
      minimum,
      maximum: maximum > grammarLimits.repetitions ? Infinity : maximum,
      body,
      exit,
      isPlain: node.isCounted === true,
    };
    const end = this.#build(item, body, head, depth + 1);
    const turn = this.#add(head);
    this.positions[end]!.steps.push(turn);
    this.positions[turn]!.again = head;
    return exit;
  }

  #writeOut(
    { item, minimum, maximum }: GrammarNode & { kind: 'repeat' },
    from: number,
    loop: number | undefined,
    depth: number,
  ): number {
    let at = from;
    for (let count = 0; count < minimum; count += 1) at = this.#build(item, at, loop, depth + 1);
    const end = this.#add(loop);
    if (maximum === Infinity) {
      const head = this.#add(loop);
      this.positions[at]!.steps.push(head);
      this.positions[this.#build(item, head, loop, depth + 1)]!.steps.push(head);
      this.positions[head]!.steps.push(end);
      return end;
    }
    for (let count = minimum; count < maximum; count += 1) {
      this.positions[at]!.steps.push(end);
      const start = this.#add(loop);
      this.positions[at]!.steps.push(start);
      at = this.#build(item, start, loop, depth + 1);
    }
    this.positions[at]!.steps.push(end);
    return end;
  }

  /** Every place of the text may be its end; a place inside of a stop's beginning, too. */
  #buildUntil(stops: readonly string[], from: number, loop: number | undefined): number {
    const states = stopMachine(stops);
    const places = states.map(() => this.#add(loop));
    const end = this.#add(loop);
    this.positions[from]!.steps.push(places[0]!);
    states.forEach((edges, state) => {
      const place = this.positions[places[state]!]!;
      place.steps.push(end);
      for (const { low, high, target } of edges) place.bytes.push({ low, high, target: places[target]! });
    });
    return end;
  }
}

import { choice, characters, text } from '../grammar.ts';
import type { GrammarNode, MachineState } from '../grammar.ts';

/** Whole numbers without sign that a divisor divides: one state per remainder, and one for the first digit. */
export function multipleMachine(divisor: number): GrammarNode {
  const next = (remainder: number, from: number): MachineState['edges'] => {
    const targets = new Map<number, number[]>();
    for (let digit = from; digit <= 9; digit += 1) {
      const target = ((remainder * 10 + digit) % divisor) + 1;
      targets.set(target, [...(targets.get(target) ?? []), digit]);
    }
    return [...targets].map(([target, digits]) => ({
      node: characters(digits.map((digit) => [0x30 + digit, 0x30 + digit] as const)),
      target,
    }));
  };
  const states: MachineState[] = [{ edges: next(0, 1), final: false }];
  for (let remainder = 0; remainder < divisor; remainder += 1) {
    states.push({ edges: next(remainder, 0), final: remainder === 0 });
  }
  return choice(text('0'), { kind: 'machine', states });
}

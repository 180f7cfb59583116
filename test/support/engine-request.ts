import type { EngineEvent, EngineRequest } from '../../src/generate/engine.ts';
import type { GenerationOptions } from '../../src/generate/generation-options.ts';
import { selectCandidates } from '../../src/session/select-candidates.ts';
import type { TableSession } from './table-session.ts';

/** A greedy request of eight tokens, unless told otherwise. */
export function engineRequest(
  prompt: readonly number[],
  options: GenerationOptions = {},
  more: Partial<EngineRequest> = {},
): EngineRequest {
  return {
    prompt: Int32Array.from(prompt),
    options: { temperature: 0, maxTokens: 8, ...options },
    endIds: new Set(),
    ...more,
  };
}

/** Ids that differ from their neighbours and between seeds. */
export function promptOf(length: number, seed = 0): number[] {
  return Array.from({ length }, (_, index) => (index * 7 + seed * 13 + ((index * index) % 5)) % 60);
}

/** Greedy decoding by hand. */
export function continuation(session: TableSession, prompt: readonly number[], count: number): number[] {
  const ids = [...prompt];
  for (let index = 0; index < count; index += 1) {
    ids.push(selectCandidates(session.logitsAfter(ids), { count: 1 }).ids[0]!);
  }
  return ids.slice(prompt.length);
}

/** Pulls until the event has the type, or returns the last. */
export async function pullUntil(
  stream: AsyncGenerator<EngineEvent>,
  type: EngineEvent['type'],
  seen?: (event: EngineEvent) => void,
): Promise<void> {
  for (;;) {
    const { value, done } = await stream.next();
    if (done === true) return;
    seen?.(value);
    if (value.type === type) return;
  }
}

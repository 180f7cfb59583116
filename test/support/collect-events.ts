import type { EngineEvent } from '../../src/generate/engine.ts';

/** What a request gave, read to its end. */
export interface CollectedEvents {
  readonly ids: readonly number[];
  readonly cacheRead: number;
  readonly rawReason: string | undefined;
  readonly events: readonly EngineEvent[];
}

export async function collectEvents(events: AsyncIterable<EngineEvent>): Promise<CollectedEvents> {
  const all: EngineEvent[] = [];
  for await (const event of events) all.push(event);
  const last = all.at(-1);
  const first = all[0];
  return {
    ids: all.flatMap((event) => (event.type === 'token' ? [event.id] : [])),
    cacheRead: first?.type === 'prefilled' ? first.cacheRead : Number.NaN,
    rawReason: last?.type === 'end' ? last.rawReason : undefined,
    events: all,
  };
}

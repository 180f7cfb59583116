import type { GenerateEvent } from '../events.ts';

/** Takes the first event and the deltas of the same block right after it, which a reader that comes late gets as one. */
export function takeMerged(
  events: GenerateEvent[],
): { readonly event: GenerateEvent; readonly count: number } | undefined {
  const [first] = events;
  if (first === undefined) return undefined;
  let event = first;
  let count = 1;
  for (; count < events.length; count += 1) {
    const merged = merge(event, events[count]!);
    if (merged === undefined) break;
    event = merged;
  }
  events.splice(0, count);
  return { event, count };
}

function merge(event: GenerateEvent, next: GenerateEvent): GenerateEvent | undefined {
  if (!('delta' in event && 'delta' in next) || event.type !== next.type || event.id !== next.id)
    return undefined;
  const delta = event.delta + next.delta;
  if (event.type === 'tool-input-delta' || next.type === 'tool-input-delta') return { ...event, delta };
  const tokens = [...(event.tokens ?? []), ...(next.tokens ?? [])];
  return { ...event, delta, ...(tokens.length === 0 ? {} : { tokens }) };
}

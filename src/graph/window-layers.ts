import type { ArchitectureRow } from './architecture-row.ts';
import type { ArchitectureKeys } from './metadata-keys.ts';

/** What a layer sees: everything, a sliding window or its own chunk, in tokens. */
export type Reach =
  | { readonly kind: 'open' }
  | { readonly kind: 'window' | 'chunk'; readonly length: number };

const open: Reach = { kind: 'open' };

/** The reach of every layer: the file's own pattern, else the architecture's period. */
export function readReaches(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  layerCount: number,
): readonly Reach[] {
  const indices = Array.from({ length: layerCount }, (_, index) => index);
  const windows = row.windows;
  const told = keys.number('attention.sliding_window') ?? windows?.defaultLength ?? 0;
  if (windows === undefined || told <= 0 || (windows.layers ?? layerCount) !== layerCount) {
    return indices.map(() => open);
  }
  const limited: Reach = {
    kind: windows.chunked ? 'chunk' : 'window',
    length: windows.fixedLength ?? keys.checked('attention.sliding_window', told),
  };
  const flags = keys.list('attention.sliding_window_pattern');
  if (flags !== undefined) return indices.map((index) => (flags[index] === 1 ? limited : open));
  const period = keys.number('attention.sliding_window_pattern') ?? windows.period;
  const openIndex = windows.openFirst ? 0 : period - 1;
  return indices.map((index) => (period > 0 && index % period === openIndex ? open : limited));
}

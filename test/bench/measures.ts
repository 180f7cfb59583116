import { measureAbort } from './measure-abort.ts';
import { measureLoad, measureMemory } from './measure-load.ts';
import { measureDecode, measurePrefill, measureStall, measureStreams } from './measure-speed.ts';
import type { Measure } from './measure.ts';

/** All measures of a model, in the order in which they are taken. */
export const measures: readonly Measure[] = [
  measureLoad,
  measureMemory,
  ...[32, 128, 512, 2048].map(measurePrefill),
  measureDecode('decode-0', 0),
  measureDecode('decode-1k', 1024),
  measureDecode('decode-4k', 4096),
  measureStreams,
  measureAbort(1024),
  measureStall,
];

/** The measure of the machine itself, taken right before the decoding whose limit it is. */
export const bandwidthName = 'bandwidth';

/** All names in their order. */
export const measureNames: readonly string[] = measures.flatMap(({ name }) =>
  name === 'decode-0' ? [bandwidthName, name] : [name],
);

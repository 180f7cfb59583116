import { describe, expect, test } from 'vitest';
import { RivuletError } from '../../src/errors.ts';
import { MoreHeaderBytesNeeded, parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { sampleFile } from './sample-file.ts';

/** A small generator with a period of 2^32, so that a failure can be had again from its seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const originals = [1, 2, 3].flatMap((version) =>
  [true, false].map((littleEndian) => sampleFile({ version, littleEndian })),
);

/** A parse of 2 KB takes 0.1 ms; the rest is for a machine that is busy with other things. */
const longestMs = 1000;
/** Whatever a header of 2 KB claims, nothing near this may be allocated for it. */
const mostBytes = 8 * 2 ** 20;

interface Tally {
  parsed: number;
  needMore: number;
  readonly codes: Map<string, number>;
}

/** Parses as a whole file and as the start of a huge one. */
function attempt(bytes: Uint8Array, label: () => string, tally: Tally): void {
  for (const fileBytes of [bytes.length, 2 ** 42]) {
    const memoryBefore = process.memoryUsage();
    const startMs = performance.now();
    try {
      parseGgufHeader(bytes, { name: 'mutated.gguf', fileBytes });
      tally.parsed += 1;
    } catch (error) {
      if (error instanceof MoreHeaderBytesNeeded) {
        expect(fileBytes, label()).toBeGreaterThan(bytes.length);
        expect(error.neededBytes, label()).toBeGreaterThan(bytes.length);
        tally.needMore += 1;
      } else if (error instanceof RivuletError) {
        tally.codes.set(error.code, (tally.codes.get(error.code) ?? 0) + 1);
      } else {
        throw new Error(`Not a typed error: ${label()}`, { cause: error });
      }
    }
    const elapsedMs = performance.now() - startMs;
    const memoryAfter = process.memoryUsage();
    // Collections in between only lower the figures, so a large allocation cannot hide in all of the runs.
    const grown = Math.max(
      memoryAfter.arrayBuffers - memoryBefore.arrayBuffers,
      memoryAfter.heapUsed - memoryBefore.heapUsed,
    );
    if (elapsedMs > longestMs || grown > mostBytes) {
      throw new Error(`${label()}: ${elapsedMs} ms, ${grown} bytes`);
    }
  }
}

function newTally(): Tally {
  return { parsed: 0, needMore: 0, codes: new Map() };
}

function expectTypedOnly(tally: Tally): void {
  for (const code of tally.codes.keys()) {
    expect(code).toMatch(/^(GGUF_|METADATA_|TENSOR_TYPE_UNSUPPORTED$)/);
  }
}

const seed = 0x67676d6c;
const randomMutations = 20_000;

describe('a mutated header parses or fails with a typed error, in bounded time and memory', () => {
  test(`${randomMutations} times random bytes, seed ${seed}`, () => {
    const random = mulberry32(seed);
    const tally = newTally();
    for (let round = 0; round < randomMutations; round++) {
      const original = originals[round % originals.length] ?? new Uint8Array(0);
      const bytes = original.slice();
      const changes = 1 + (random() % 8);
      for (let change = 0; change < changes; change++) {
        // Half of the changes are in the part with the counts and the first keys.
        const range = random() % 2 === 0 ? Math.min(128, bytes.length) : bytes.length;
        bytes[random() % range] = random() % 4 === 0 ? 255 : random();
      }
      attempt(bytes, () => `seed ${seed}, round ${round}`, tally);
    }
    expectTypedOnly(tally);
    // The mutations reach past the magic number: some still parse, and many kinds of failure occur.
    expect(tally.parsed).toBeGreaterThan(1000);
    expect(tally.codes.size).toBeGreaterThanOrEqual(6);
  });

  test('extreme values in every place where a length could be', () => {
    const extremes = [0n, 1n, 2n ** 31n - 1n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
    const tally = newTally();
    for (const original of originals) {
      for (let at = 4; at + 8 <= original.length; at += 4) {
        for (const extreme of extremes) {
          for (const littleEndian of [true, false]) {
            const bytes = original.slice();
            new DataView(bytes.buffer).setBigUint64(at, extreme, littleEndian);
            attempt(bytes, () => `${extreme} at byte ${at}`, tally);
          }
        }
      }
    }
    expectTypedOnly(tally);
    expect(tally.codes.get('GGUF_LIMIT_EXCEEDED')).toBeGreaterThan(100);
  });

  test('cut at every byte, with the rest gone or repeated', () => {
    const tally = newTally();
    for (const original of originals) {
      for (let length = 0; length < original.length; length++) {
        const start = original.subarray(0, length);
        attempt(start, () => `cut at byte ${length}`, tally);
        const doubled = new Uint8Array(original.length + length);
        doubled.set(start);
        doubled.set(original, length);
        attempt(doubled, () => `repeated from byte ${length}`, tally);
      }
    }
    expectTypedOnly(tally);
    expect(tally.codes.get('GGUF_TRUNCATED')).toBeGreaterThan(1000);
  });
});

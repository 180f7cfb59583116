/** A reproducible stream of numbers: the same on every platform. */
export interface Random {
  /** Uniform in [0, 1), a multiple of 2 ** -53. */
  next(): number;
}

/**
 * xoshiro128** 1.1 (Blackman and Vigna, 2018) on 32-bit integers, which are exact in every engine. Its state is
 * filled by splitmix32 from the two halves of the seed, so that neighbouring seeds have nothing in common.
 * @param seed integer, 0 to 2 ** 53 - 1
 */
export function createRandom(seed: number): Random {
  const high = Math.floor(seed / 2 ** 32);
  const fromLow = splitmix(seed);
  const fromHigh = splitmix(high ^ 0x5bf03635);
  // `| 1` keeps the state from being all zero, the one state that the generator never leaves.
  let a = fromLow() ^ fromHigh();
  let b = fromLow() + fromHigh();
  let c = fromLow() ^ fromHigh();
  let d = (fromLow() + fromHigh()) | 1;

  const nextInteger = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };

  return {
    next: () => {
      const upper = nextInteger() >>> 5;
      const lower = nextInteger() >>> 6;
      return (upper * 2 ** 26 + lower) / 2 ** 53;
    },
  };
}

/** A seed for requests that do not bring one: 53 random bits of the platform. */
export function randomSeed(): number {
  const [upper = 0, lower = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (upper >>> 11) * 2 ** 32 + lower;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** splitmix32: the 32-bit finalizer of MurmurHash3 over a Weyl sequence. */
function splitmix(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
}

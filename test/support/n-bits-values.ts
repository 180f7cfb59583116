import type { NBitsLayout, NBitsWeights } from '../../src/quant/repack-nbits.ts';

/** What MatMulNBits and the block-sum correction make of the weights, in double precision. */
export function nBitsValues(weights: NBitsWeights, layout: NBitsLayout): Float64Array {
  const { codes, scales, correction } = weights;
  const values = new Float64Array((codes.length * 8) / layout.bits);
  for (let i = 0; i < values.length; i++) {
    const byte = codes[layout.bits === 8 ? i : i >> 1] ?? Number.NaN;
    const code = layout.bits === 8 ? byte : (byte >> (4 * (i & 1))) & 15;
    const block = Math.floor(i / layout.blockSize);
    const scale = scales[block] ?? Number.NaN;
    values[i] = scale * (code - 2 ** (layout.bits - 1)) + (correction?.[block] ?? 0);
  }
  return values;
}

/**
 * The largest difference from `values`, in half units of the last place of the largest number that takes
 * part in computing a value of the block. 0 where nothing rounds; with a correction at most 3: one rounding
 * of the correction, one of the value, which may be twice as large as what it is computed from.
 */
export function worstRounding(weights: NBitsWeights, layout: NBitsLayout, values: ArrayLike<number>): number {
  const repacked = nBitsValues(weights, layout);
  let worst = 0;
  for (let i = 0; i < values.length; i++) {
    const block = Math.floor(i / layout.blockSize);
    const scale = Math.abs(weights.scales[block] ?? Number.NaN);
    const correction = Math.abs(weights.correction?.[block] ?? 0);
    const magnitude = scale * 2 ** (layout.bits - 1) + correction;
    const difference = Math.abs((repacked[i] ?? Number.NaN) - (values[i] ?? Number.NaN));
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    if (difference > 0) worst = Math.max(worst, difference / (magnitude * 2 ** -24));
  }
  return worst;
}

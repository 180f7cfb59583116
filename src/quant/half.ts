let table: Float32Array | undefined;

/**
 * The values of all 65 536 half-precision bit patterns, (65536) f32; 256 KB, built on first use. A look-up
 * is the fastest exact conversion there is in JavaScript.
 */
export function halfTable(): Float32Array {
  if (table === undefined) {
    table = new Float32Array(2 ** 16);
    for (let bits = 0; bits < table.length; bits++) table[bits] = halfValue(bits);
  }
  return table;
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

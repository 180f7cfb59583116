const float: Float32Array = new Float32Array(1);
const bits: Uint32Array = new Uint32Array(float.buffer);

/** The half-precision bits nearest to a single-precision value, ties to even, too large ones infinite. */
export function roundToHalf(value: number): number {
  float[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  // From 65520 on, half the step beyond the largest half.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  if (magnitude >= 0x3880_0000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x3800_0000) >>> 13);
  }
  // Below 2 ** -14 halves are whole multiples of 2 ** -24, so the product is exact.
  const steps = Math.abs(value) * 2 ** 24;
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const up = rest > 0.5 || (rest === 0.5 && (floor & 1) === 1);
  return sign | (up ? floor + 1 : floor);
}

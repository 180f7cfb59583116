/**
 * Reorders 4-bit codes of ggml's order (low halves of `count` bytes, then their high halves) to that of
 * MatMulNBits (neighbours share a byte, the earlier one low); `count` bytes in, `count` bytes out.
 */
export function interleaveNibbles(
  bytes: Uint8Array,
  from: number,
  count: number,
  nibbles: Uint8Array,
  to: number,
): void {
  const half = count >> 1;
  for (let i = 0; i < half; i++) {
    const even = bytes[from + 2 * i] as number;
    const odd = bytes[from + 2 * i + 1] as number;
    nibbles[to + i] = (even & 15) | (odd << 4);
    nibbles[to + half + i] = (even >> 4) | (odd & 0xf0);
  }
}

/**
 * One quantized type. Every value of a tensor is `scale * (code - zero) - minimum`, where `groupElements`
 * neighbours share scale and minimum; that one rule serves dequantization and repacking.
 */
export interface BlockFormat {
  /** Elements and bytes per block, as in the table of tensor types. */
  readonly blockElements: number;
  readonly blockBytes: number;
  readonly groupElements: 16 | 32;
  /** Width that holds all codes of MatMulNBits. */
  readonly bits: 4 | 8;
  /** The code of value 0. */
  readonly zero: number;
  readonly hasMinimum: boolean;
  /** Writes `code + shift` modulo 256 of each element of the blocks, (blocks, blockElements). */
  readonly readCodes: (bytes: Uint8Array, blocks: number, shift: number, codes: Uint8Array) => void;
  /** Writes per group (blocks, blockElements / groupElements); `minimums` only where the type has them. */
  readonly readScales: (
    bytes: Uint8Array,
    blocks: number,
    scales: Float32Array,
    minimums: Float32Array,
  ) => void;
  /**
   * A faster way to the codes of a 4-bit type, two per byte, the earlier in the low half:
   * (blocks, blockElements / 2).
   */
  readonly readNibbles?: (bytes: Uint8Array, blocks: number, nibbles: Uint8Array) => void;
}

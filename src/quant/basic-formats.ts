import type { BlockFormat } from './block-format.ts';
import { halfTable } from './half.ts';
import { interleaveNibbles } from './interleave-nibbles.ts';

// Layouts: `block_q4_0` … `block_q8_0` of ggml-common.h; values: `dequantize_row_q4_0` … `dequantize_row_q8_0`.

const blockElements = 32;

/** A block of one scale and 32 codes of 4 bits, the low halves first. */
function fourBit(blockBytes: number, codesAt: number): Pick<BlockFormat, 'readCodes' | 'readNibbles'> {
  return {
    readCodes(bytes, blocks, shift, codes) {
      for (let block = 0; block < blocks; block++) {
        const from = block * blockBytes + codesAt;
        const to = block * blockElements;
        for (let i = 0; i < 16; i++) {
          const byte = bytes[from + i] as number;
          codes[to + i] = (byte & 15) + shift;
          codes[to + 16 + i] = (byte >> 4) + shift;
        }
      }
    },
    readNibbles(bytes, blocks, nibbles) {
      for (let block = 0; block < blocks; block++) {
        interleaveNibbles(bytes, block * blockBytes + codesAt, 16, nibbles, block * 16);
      }
    },
  };
}

/** Codes of 4 bits, and their fifth bits in a 32-bit word in front. */
function fiveBit(blockBytes: number, wordAt: number): BlockFormat['readCodes'] {
  return (bytes, blocks, shift, codes) => {
    for (let block = 0; block < blocks; block++) {
      const word = block * blockBytes + wordAt;
      const from = word + 4;
      const to = block * blockElements;
      const high =
        (bytes[word] as number) |
        ((bytes[word + 1] as number) << 8) |
        ((bytes[word + 2] as number) << 16) |
        ((bytes[word + 3] as number) << 24);
      for (let i = 0; i < 16; i++) {
        const byte = bytes[from + i] as number;
        codes[to + i] = ((byte & 15) | (((high >>> i) & 1) << 4)) + shift;
        codes[to + 16 + i] = ((byte >> 4) | (((high >>> (i + 16)) & 1) << 4)) + shift;
      }
    }
  };
}

/** One half-precision scale at the start of each block. */
function scaleOnly(blockBytes: number): BlockFormat['readScales'] {
  return (bytes, blocks, scales) => {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const at = block * blockBytes;
      scales[block] = halves[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
    }
  };
}

/** A half-precision scale and an offset that is added to the values. */
function scaleAndOffset(blockBytes: number): BlockFormat['readScales'] {
  return (bytes, blocks, scales, minimums) => {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const at = block * blockBytes;
      scales[block] = halves[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
      minimums[block] = -(halves[(bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8)] as number);
    }
  };
}

const shared = { blockElements, groupElements: 32 } as const;

export const q4_0: BlockFormat = {
  ...shared,
  blockBytes: 18,
  bits: 4,
  zero: 8,
  hasMinimum: false,
  readScales: scaleOnly(18),
  ...fourBit(18, 2),
};

export const q4_1: BlockFormat = {
  ...shared,
  blockBytes: 20,
  bits: 4,
  zero: 0,
  hasMinimum: true,
  readScales: scaleAndOffset(20),
  ...fourBit(20, 4),
};

export const q5_0: BlockFormat = {
  ...shared,
  blockBytes: 22,
  bits: 8,
  zero: 16,
  hasMinimum: false,
  readScales: scaleOnly(22),
  readCodes: fiveBit(22, 2),
};

export const q5_1: BlockFormat = {
  ...shared,
  blockBytes: 24,
  bits: 8,
  zero: 0,
  hasMinimum: true,
  readScales: scaleAndOffset(24),
  readCodes: fiveBit(24, 4),
};

export const q8_0: BlockFormat = {
  ...shared,
  blockBytes: 34,
  bits: 8,
  zero: 0,
  hasMinimum: false,
  readScales: scaleOnly(34),
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      const from = block * 34 + 2;
      const to = block * blockElements;
      // Two's complement: addition modulo 256 is the same for signed and unsigned bytes.
      for (let i = 0; i < blockElements; i++) codes[to + i] = (bytes[from + i] as number) + shift;
    }
  },
};

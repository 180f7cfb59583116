import type { BlockFormat } from './block-format.ts';
import { halfTable } from './half.ts';

// Layouts: ggml-common.h; values: `dequantize_row_tq1_0`, `_tq2_0`, `_q1_0`, `_q2_0`.

/** One half-precision scale per block, written once for each of its groups of 32. */
function repeatedScale(blockBytes: number, scaleAt: number, groups: number): BlockFormat['readScales'] {
  return (bytes, blocks, scales) => {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const at = block * blockBytes + scaleAt;
      const scale = halves[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
      scales.fill(scale, block * groups, (block + 1) * groups);
    }
  };
}

const shared = { groupElements: 32, bits: 4, zero: 1, hasMinimum: false } as const;

/** Five base-3 digits of `count` bytes, all first digits before all second ones. */
function readTernary(
  bytes: Uint8Array,
  from: number,
  count: number,
  digits: number,
  shift: number,
  codes: Uint8Array,
  to: number,
): void {
  let power = 1;
  for (let digit = 0; digit < digits; digit++) {
    for (let i = 0; i < count; i++) {
      // A byte is a fraction of 256; multiplying moves the wanted digit in front of the point.
      const fraction = ((bytes[from + i] as number) * power) & 255;
      codes[to + digit * count + i] = ((fraction * 3) >> 8) + shift;
    }
    power *= 3;
  }
}

export const tq1_0: BlockFormat = {
  ...shared,
  blockElements: 256,
  blockBytes: 54,
  readScales: repeatedScale(54, 52, 8),
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      const from = block * 54;
      const to = block * 256;
      readTernary(bytes, from, 32, 5, shift, codes, to);
      readTernary(bytes, from + 32, 16, 5, shift, codes, to + 160);
      readTernary(bytes, from + 48, 4, 4, shift, codes, to + 240);
    }
  },
};

export const tq2_0: BlockFormat = {
  ...shared,
  blockElements: 256,
  blockBytes: 66,
  readScales: repeatedScale(66, 64, 8),
  readCodes(bytes, blocks, shift, codes) {
    for (let part = 0; part < blocks * 2; part++) {
      const from = (part >> 1) * 66 + (part & 1) * 32;
      for (let i = 0; i < 32; i++) {
        const byte = bytes[from + i] as number;
        for (let row = 0; row < 4; row++) {
          codes[part * 128 + row * 32 + i] = ((byte >> (2 * row)) & 3) + shift;
        }
      }
    }
  },
};

export const q1_0: BlockFormat = {
  ...shared,
  blockElements: 128,
  blockBytes: 18,
  readScales: repeatedScale(18, 0, 4),
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      for (let i = 0; i < 128; i++) {
        const bit = ((bytes[block * 18 + 2 + (i >> 3)] as number) >> (i & 7)) & 1;
        codes[block * 128 + i] = 2 * bit + shift;
      }
    }
  },
};

export const q2_0: BlockFormat = {
  ...shared,
  blockElements: 64,
  blockBytes: 18,
  readScales: repeatedScale(18, 0, 2),
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      for (let i = 0; i < 64; i++) {
        const byte = bytes[block * 18 + 2 + (i >> 2)] as number;
        codes[block * 64 + i] = ((byte >> (2 * (i & 3))) & 3) + shift;
      }
    }
  },
};

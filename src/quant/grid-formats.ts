import type { BlockFormat } from './block-format.ts';
import { evenSigns, iq1Grid, iq2sGrid, iq2xsGrid, iq2xxsGrid, iq3sGrid, iq3xxsGrid } from './grid-tables.ts';
import { halfTable } from './half.ts';

// Codes that stand for 8 or 4 weights at once, with signs beside them. Layouts: ggml-common.h; values:
// `dequantize_row_iq1_s`, `_iq1_m`, `_iq2_xxs`, `_iq2_xs`, `_iq2_s`, `_iq3_xxs`, `_iq3_s`.

const shared = { blockElements: 256, bits: 8, zero: 0, hasMinimum: false } as const;

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function half(bytes: Uint8Array, at: number): number {
  return halfTable()[word(bytes, at)] as number;
}

/** Writes `count` values of a grid, negative where a bit of `signs` is set. */
function writeSigned(
  grid: Int8Array,
  from: number,
  count: 4 | 8,
  signs: number,
  shift: number,
  codes: Uint8Array,
  to: number,
): void {
  for (let i = 0; i < count; i++) {
    const magnitude = grid[from + i] as number;
    codes[to + i] = ((signs >> i) & 1 ? -magnitude : magnitude) + shift;
  }
}

/** 32 bits: four times 7 of signs, then 4 of scale. */
function packedSigns(bytes: Uint8Array, at: number, eight: number): number {
  const bits = word(bytes, at) | (word(bytes, at + 2) << 16);
  return evenSigns[(bits >>> (7 * eight)) & 127] as number;
}

/** A half-precision scale, and per group 4 bits on top of its bits of signs. */
function packedScales(
  blockBytes: number,
  bitsAt: number,
  stride: number,
  unit: number,
): BlockFormat['readScales'] {
  return (bytes, blocks, scales) => {
    for (let group = 0; group < blocks * 8; group++) {
      const block = (group >> 3) * blockBytes;
      const bits = (bytes[block + bitsAt + (group & 7) * stride + 3] as number) >> 4;
      scales[group] = half(bytes, block) * (0.5 + bits) * unit;
    }
  };
}

/** A half-precision scale, and 4 bits per half of a group, the first half's low. */
function halfScales(blockBytes: number, scalesAt: number): BlockFormat['readScales'] {
  return (bytes, blocks, scales) => {
    for (let group = 0; group < blocks * 8; group++) {
      const block = (group >> 3) * blockBytes;
      const scale = half(bytes, block);
      const byte = bytes[block + scalesAt + (group & 7)] as number;
      scales[group * 2] = scale * (0.5 + (byte & 15)) * 0.25;
      scales[group * 2 + 1] = scale * (0.5 + (byte >> 4)) * 0.25;
    }
  };
}

export const iq2_xxs: BlockFormat = {
  ...shared,
  blockBytes: 66,
  groupElements: 32,
  readScales: packedScales(66, 6, 8, 0.25),
  readCodes(bytes, blocks, shift, codes) {
    const grid = iq2xxsGrid();
    for (let group = 0; group < blocks * 8; group++) {
      const from = (group >> 3) * 66 + 2 + (group & 7) * 8;
      for (let eight = 0; eight < 4; eight++) {
        const code = bytes[from + eight] as number;
        const signs = packedSigns(bytes, from + 4, eight);
        writeSigned(grid, code * 8, 8, signs, shift, codes, group * 32 + eight * 8);
      }
    }
  },
};

export const iq2_xs: BlockFormat = {
  ...shared,
  blockBytes: 74,
  groupElements: 16,
  readScales: halfScales(74, 66),
  readCodes(bytes, blocks, shift, codes) {
    const grid = iq2xsGrid();
    for (let eight = 0; eight < blocks * 32; eight++) {
      const code = word(bytes, (eight >> 5) * 74 + 2 + (eight & 31) * 2);
      writeSigned(grid, (code & 511) * 8, 8, evenSigns[code >> 9] as number, shift, codes, eight * 8);
    }
  },
};

export const iq2_s: BlockFormat = {
  ...shared,
  blockBytes: 82,
  groupElements: 16,
  readScales: halfScales(82, 74),
  readCodes(bytes, blocks, shift, codes) {
    const grid = iq2sGrid();
    for (let eight = 0; eight < blocks * 32; eight++) {
      const block = (eight >> 5) * 82;
      const index = eight & 31;
      const high = ((bytes[block + 66 + (index >> 2)] as number) >> (2 * (index & 3))) & 3;
      const code = (bytes[block + 2 + index] as number) | (high << 8);
      writeSigned(grid, code * 8, 8, bytes[block + 34 + index] as number, shift, codes, eight * 8);
    }
  },
};

export const iq3_xxs: BlockFormat = {
  ...shared,
  blockBytes: 98,
  groupElements: 32,
  readScales: packedScales(98, 66, 4, 0.5),
  readCodes(bytes, blocks, shift, codes) {
    const grid = iq3xxsGrid();
    for (let four = 0; four < blocks * 64; four++) {
      const block = (four >> 6) * 98;
      const index = four & 63;
      const code = bytes[block + 2 + index] as number;
      const signs = packedSigns(bytes, block + 66 + (index >> 3) * 4, (index >> 1) & 3) >> (4 * (index & 1));
      writeSigned(grid, code * 4, 4, signs, shift, codes, four * 4);
    }
  },
};

export const iq3_s: BlockFormat = {
  ...shared,
  blockBytes: 110,
  groupElements: 32,
  readScales(bytes, blocks, scales) {
    for (let group = 0; group < blocks * 8; group++) {
      const block = (group >> 3) * 110;
      const bits = ((bytes[block + 106 + ((group & 7) >> 1)] as number) >> (4 * (group & 1))) & 15;
      scales[group] = half(bytes, block) * (2 * bits + 1);
    }
  },
  readCodes(bytes, blocks, shift, codes) {
    const grid = iq3sGrid();
    for (let four = 0; four < blocks * 64; four++) {
      const block = (four >> 6) * 110;
      const index = four & 63;
      const high = ((bytes[block + 66 + (index >> 3)] as number) >> (index & 7)) & 1;
      const code = (bytes[block + 2 + index] as number) | (high << 8);
      const signs = (bytes[block + 74 + (index >> 1)] as number) >> (4 * (index & 1));
      writeSigned(grid, code * 4, 4, signs, shift, codes, four * 4);
    }
  },
};

/** Writes the 8 values of a code of IQ1, all an eighth less or more: in eighths, one. */
function writeShifted(code: number, less: boolean, shift: number, codes: Uint8Array, to: number): void {
  const grid = iq1Grid();
  const added = shift + (less ? -1 : 1);
  for (let i = 0; i < 8; i++) codes[to + i] = (grid[code * 8 + i] as number) + added;
}

export const iq1_s: BlockFormat = {
  ...shared,
  blockBytes: 50,
  groupElements: 32,
  readScales(bytes, blocks, scales) {
    for (let group = 0; group < blocks * 8; group++) {
      const block = (group >> 3) * 50;
      const bits = ((bytes[block + 35 + (group & 7) * 2] as number) >> 4) & 7;
      scales[group] = half(bytes, block) * (2 * bits + 1) * 0.125;
    }
  },
  readCodes(bytes, blocks, shift, codes) {
    for (let eight = 0; eight < blocks * 32; eight++) {
      const block = (eight >> 5) * 50;
      const index = eight & 31;
      const bits = word(bytes, block + 34 + (index >> 2) * 2);
      const code = (bytes[block + 2 + index] as number) | (((bits >> (3 * (index & 3))) & 7) << 8);
      writeShifted(code, (bits & 0x8000) !== 0, shift, codes, eight * 8);
    }
  },
};

export const iq1_m: BlockFormat = {
  ...shared,
  blockBytes: 56,
  groupElements: 16,
  readScales(bytes, blocks, scales) {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const from = block * 56 + 48;
      // Four words: the highest 4 bits of each are a part of the block's scale, then 4 times 3 bits.
      let scaleBits = 0;
      for (let i = 0; i < 4; i++) scaleBits |= (word(bytes, from + 2 * i) >> 12) << (4 * i);
      const scale = halves[scaleBits] as number;
      for (let group = 0; group < 16; group++) {
        const bits = (word(bytes, from + 2 * (group >> 2)) >> (3 * (group & 3))) & 7;
        scales[block * 16 + group] = scale * (2 * bits + 1) * 0.125;
      }
    }
  },
  readCodes(bytes, blocks, shift, codes) {
    for (let eight = 0; eight < blocks * 32; eight++) {
      const block = (eight >> 5) * 56;
      const index = eight & 31;
      const bits = (bytes[block + 32 + (index >> 1)] as number) >> (4 * (index & 1));
      const code = (bytes[block + index] as number) | ((bits & 7) << 8);
      writeShifted(code, (bits & 8) !== 0, shift, codes, eight * 8);
    }
  },
};

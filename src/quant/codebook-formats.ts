import type { BlockFormat } from './block-format.ts';
import { halfTable } from './half.ts';

// Layouts: ggml-common.h; values: `dequantize_row_iq4_nl`, `_iq4_xs`, `_mxfp4`, `_nvfp4`.

/** `kvalues_iq4nl`. */
const nonLinear: Int8Array = Int8Array.of(
  -127,
  -104,
  -83,
  -65,
  -49,
  -35,
  -22,
  -10,
  1,
  13,
  25,
  38,
  53,
  69,
  89,
  113,
);
/** `kvalues_mxfp4`: twice the values of a 4-bit float, e2m1. */
const float4: Int8Array = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** Groups of 2 * `halfElements` values, the low halves of the bytes first. */
function readLookedUp(
  bytes: Uint8Array,
  from: number,
  halfElements: number,
  book: Int8Array,
  shift: number,
  codes: Uint8Array,
  to: number,
): void {
  for (let i = 0; i < halfElements; i++) {
    const byte = bytes[from + i] as number;
    codes[to + i] = (book[byte & 15] as number) + shift;
    codes[to + halfElements + i] = (book[byte >> 4] as number) + shift;
  }
}

export const iq4_nl: BlockFormat = {
  blockElements: 32,
  blockBytes: 18,
  groupElements: 32,
  bits: 8,
  zero: 0,
  hasMinimum: false,
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      readLookedUp(bytes, block * 18 + 2, 16, nonLinear, shift, codes, block * 32);
    }
  },
  readScales(bytes, blocks, scales) {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const at = block * 18;
      scales[block] = halves[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
    }
  },
};

export const iq4_xs: BlockFormat = {
  blockElements: 256,
  blockBytes: 136,
  groupElements: 32,
  bits: 8,
  zero: 0,
  hasMinimum: false,
  readCodes(bytes, blocks, shift, codes) {
    for (let group = 0; group < blocks * 8; group++) {
      const from = (group >> 3) * 136 + 8 + (group & 7) * 16;
      readLookedUp(bytes, from, 16, nonLinear, shift, codes, group * 32);
    }
  },
  readScales(bytes, blocks, scales) {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const at = block * 136;
      const scale = halves[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
      const highs = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
      for (let group = 0; group < 8; group++) {
        const low = ((bytes[at + 4 + (group >> 1)] as number) >> (4 * (group & 1))) & 15;
        const high = (highs >> (2 * group)) & 3;
        scales[block * 8 + group] = scale * ((low | (high << 4)) - 32);
      }
    }
  },
};

export const mxfp4: BlockFormat = {
  blockElements: 32,
  blockBytes: 17,
  groupElements: 32,
  bits: 8,
  zero: 0,
  hasMinimum: false,
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      readLookedUp(bytes, block * 17 + 1, 16, float4, shift, codes, block * 32);
    }
  },
  readScales(bytes, blocks, scales) {
    // `ggml_e8m0_to_fp32_half`: half of the power of two, because the table holds doubled values.
    for (let block = 0; block < blocks; block++) scales[block] = 2 ** ((bytes[block * 17] as number) - 128);
  },
};

export const nvfp4: BlockFormat = {
  blockElements: 64,
  blockBytes: 36,
  groupElements: 16,
  bits: 8,
  zero: 0,
  hasMinimum: false,
  readCodes(bytes, blocks, shift, codes) {
    for (let group = 0; group < blocks * 4; group++) {
      const from = (group >> 2) * 36 + 4 + (group & 3) * 8;
      readLookedUp(bytes, from, 8, float4, shift, codes, group * 16);
    }
  },
  readScales(bytes, blocks, scales) {
    for (let group = 0; group < blocks * 4; group++) {
      scales[group] = halfOfFloat8(bytes[(group >> 2) * 36 + (group & 3)] as number);
    }
  },
};

/** `ggml_ue4m3_to_fp32`: an unsigned 8-bit float, e4m3, halved for the doubled table. */
function halfOfFloat8(bits: number): number {
  if (bits === 0x7f) return 0;
  const exponent = (bits >> 3) & 15;
  const fraction = bits & 7;
  return exponent === 0 ? fraction * 2 ** -10 : (1 + fraction / 8) * 2 ** (exponent - 8);
}

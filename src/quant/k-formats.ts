import type { BlockFormat } from './block-format.ts';
import { halfTable } from './half.ts';
import { interleaveNibbles } from './interleave-nibbles.ts';

// Layouts: `block_q2_K` … `block_q8_K` of ggml-common.h; values: `dequantize_row_q2_K` … `dequantize_row_q8_K`.

const blockElements = 256;

function half(halves: Float32Array, bytes: Uint8Array, at: number): number {
  return halves[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
}

export const q2_k: BlockFormat = {
  blockElements,
  blockBytes: 84,
  groupElements: 16,
  bits: 4,
  zero: 0,
  hasMinimum: true,
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      readTwoBits(bytes, block * 84 + 16, shift, codes, block * blockElements);
    }
  },
  readScales(bytes, blocks, scales, minimums) {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const from = block * 84;
      const scale = half(halves, bytes, from + 80);
      const minimum = half(halves, bytes, from + 82);
      for (let group = 0; group < 16; group++) {
        const byte = bytes[from + group] as number;
        scales[block * 16 + group] = scale * (byte & 15);
        minimums[block * 16 + group] = minimum * (byte >> 4);
      }
    }
  },
};

/** 256 codes of 2 bits in 64 bytes: per 128 values 32 bytes, first the lowest two bits of each byte. */
function readTwoBits(bytes: Uint8Array, from: number, shift: number, codes: Uint8Array, to: number): void {
  for (let part = 0; part < 2; part++) {
    for (let i = 0; i < 32; i++) {
      const byte = bytes[from + part * 32 + i] as number;
      const at = to + part * 128 + i;
      codes[at] = (byte & 3) + shift;
      codes[at + 32] = ((byte >> 2) & 3) + shift;
      codes[at + 64] = ((byte >> 4) & 3) + shift;
      codes[at + 96] = (byte >> 6) + shift;
    }
  }
}

export const q3_k: BlockFormat = {
  blockElements,
  blockBytes: 110,
  groupElements: 16,
  bits: 4,
  zero: 4,
  hasMinimum: false,
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      const masks = block * 110;
      const to = block * blockElements;
      readTwoBits(bytes, masks + 32, shift, codes, to);
      for (let i = 0; i < 32; i++) {
        const mask = bytes[masks + i] as number;
        for (let row = 0; row < 8; row++) {
          const at = to + row * 32 + i;
          codes[at] = (codes[at] as number) + (((mask >> row) & 1) << 2);
        }
      }
    }
  },
  readScales(bytes, blocks, scales) {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const from = block * 110 + 96;
      const scale = half(halves, bytes, from + 12);
      for (let group = 0; group < 16; group++) {
        const lowByte = bytes[from + (group & 7)] as number;
        const low = group < 8 ? lowByte & 15 : lowByte >> 4;
        const high = ((bytes[from + 8 + (group & 3)] as number) >> (2 * (group >> 2))) & 3;
        scales[block * 16 + group] = scale * ((low | (high << 4)) - 32);
      }
    }
  },
};

/** Scales and minimums of Q4_K and Q5_K, eight of 6 bits each in 12 bytes. Source: `get_scale_min_k4`. */
function sixBitScales(blockBytes: number): BlockFormat['readScales'] {
  return (bytes, blocks, scales, minimums) => {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const from = block * blockBytes;
      const scale = half(halves, bytes, from);
      const minimum = half(halves, bytes, from + 2);
      for (let group = 0; group < 4; group++) {
        const first = bytes[from + 4 + group] as number;
        const second = bytes[from + 8 + group] as number;
        const third = bytes[from + 12 + group] as number;
        const to = block * 8 + group;
        scales[to] = scale * (first & 63);
        minimums[to] = minimum * (second & 63);
        scales[to + 4] = scale * ((third & 15) | ((first >> 6) << 4));
        minimums[to + 4] = minimum * ((third >> 4) | ((second >> 6) << 4));
      }
    }
  };
}

export const q4_k: BlockFormat = {
  blockElements,
  blockBytes: 144,
  groupElements: 32,
  bits: 4,
  zero: 0,
  hasMinimum: true,
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      for (let part = 0; part < 4; part++) {
        const from = block * 144 + 16 + part * 32;
        const to = block * blockElements + part * 64;
        for (let i = 0; i < 32; i++) {
          const byte = bytes[from + i] as number;
          codes[to + i] = (byte & 15) + shift;
          codes[to + 32 + i] = (byte >> 4) + shift;
        }
      }
    }
  },
  readScales: sixBitScales(144),
  readNibbles(bytes, blocks, nibbles) {
    for (let block = 0; block < blocks; block++) {
      for (let part = 0; part < 4; part++) {
        interleaveNibbles(bytes, block * 144 + 16 + part * 32, 32, nibbles, block * 128 + part * 32);
      }
    }
  },
};

export const q5_k: BlockFormat = {
  blockElements,
  blockBytes: 176,
  groupElements: 32,
  bits: 8,
  zero: 0,
  hasMinimum: true,
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      const high = block * 176 + 16;
      for (let part = 0; part < 4; part++) {
        const from = high + 32 + part * 32;
        const to = block * blockElements + part * 64;
        for (let i = 0; i < 32; i++) {
          const byte = bytes[from + i] as number;
          const bits = (bytes[high + i] as number) >> (2 * part);
          codes[to + i] = ((byte & 15) | ((bits & 1) << 4)) + shift;
          codes[to + 32 + i] = ((byte >> 4) | ((bits & 2) << 3)) + shift;
        }
      }
    }
  },
  readScales: sixBitScales(176),
};

export const q6_k: BlockFormat = {
  blockElements,
  blockBytes: 210,
  groupElements: 16,
  bits: 8,
  zero: 32,
  hasMinimum: false,
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      for (let part = 0; part < 2; part++) {
        const low = block * 210 + part * 64;
        const high = block * 210 + 128 + part * 32;
        const to = block * blockElements + part * 128;
        for (let i = 0; i < 32; i++) {
          const first = bytes[low + i] as number;
          const second = bytes[low + 32 + i] as number;
          const bits = bytes[high + i] as number;
          codes[to + i] = ((first & 15) | ((bits & 3) << 4)) + shift;
          codes[to + 32 + i] = ((second & 15) | ((bits & 12) << 2)) + shift;
          codes[to + 64 + i] = ((first >> 4) | (bits & 48)) + shift;
          codes[to + 96 + i] = ((second >> 4) | ((bits & 192) >> 2)) + shift;
        }
      }
    }
  },
  readScales(bytes, blocks, scales) {
    const halves = halfTable();
    for (let block = 0; block < blocks; block++) {
      const from = block * 210 + 192;
      const scale = half(halves, bytes, from + 16);
      for (let group = 0; group < 16; group++) {
        const signed = ((bytes[from + group] as number) << 24) >> 24;
        scales[block * 16 + group] = scale * signed;
      }
    }
  },
};

export const q8_k: BlockFormat = {
  blockElements,
  blockBytes: 292,
  groupElements: 32,
  bits: 8,
  zero: 0,
  hasMinimum: false,
  readCodes(bytes, blocks, shift, codes) {
    for (let block = 0; block < blocks; block++) {
      const from = block * 292 + 4;
      const to = block * blockElements;
      for (let i = 0; i < blockElements; i++) codes[to + i] = (bytes[from + i] as number) + shift;
    }
  },
  readScales(bytes, blocks, scales) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let block = 0; block < blocks; block++) {
      scales.fill(view.getFloat32(block * 292, true), block * 8, block * 8 + 8);
    }
  },
};

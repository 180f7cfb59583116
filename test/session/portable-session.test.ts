import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Session } from '../../src/session/session.ts';
import { describeSession } from '../contract/session.ts';
import { bytesOf, tinyLlama, tinyLlamaShape } from '../support/tiny-llama.ts';
import type { TinyLlamaOptions } from '../support/tiny-llama.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-session-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

async function openTiny(options: TinyLlamaOptions = {}): Promise<Session> {
  const path = join(folder, `tiny-${files++}.gguf`);
  writeFileSync(path, tinyLlama(options));
  const gguf = await openGguf(nodePlatform, path);
  try {
    return await nodePlatform.createSession({
      gguf,
      contextLength: tinyLlamaShape.context,
      threads: 1,
      dialect: 'portable',
      cache: join(folder, 'cache'),
    });
  } finally {
    await closeGguf(gguf);
  }
}

describeSession('the portable session', {
  open: openTiny,
  tokens: Int32Array.from({ length: 24 }, (_, index) => (index * 37) % 250),
  // One token and several take different kernels of ONNX Runtime; they agree to the noise of f32.
  tolerance: 1e-4,
});

const normName = 'blk.0.attn_norm.weight';
const bad: readonly (readonly [string, TinyLlamaOptions, string])[] = [
  ['a missing tensor', { tensors: { 'blk.1.attn_k.weight': undefined } }, 'TENSOR_MISSING'],
  ['a missing norm of the output', { tensors: { 'output_norm.weight': undefined } }, 'TENSOR_MISSING'],
  [
    'a matrix of another shape',
    {
      tensors: {
        'blk.0.attn_q.weight': { type: 'F32', shape: [32, 16], bytes: bytesOf(new Float32Array(32 * 16)) },
      },
    },
    'TENSOR_SHAPE_MISMATCH',
  ],
  [
    'a norm of another length',
    { tensors: { [normName]: { type: 'F32', shape: [16], bytes: bytesOf(new Float32Array(16)) } } },
    'TENSOR_SHAPE_MISMATCH',
  ],
  [
    'NaN in a norm',
    {
      tensors: {
        [normName]: { type: 'F32', shape: [32], bytes: bytesOf(new Float32Array(32).fill(Number.NaN)) },
      },
    },
    'WEIGHTS_NOT_FINITE',
  ],
  [
    'NaN in the scales of blocks',
    {
      tensors: {
        'blk.0.attn_q.weight': { type: 'Q8_0', shape: [32, 32], bytes: new Uint8Array(32 * 34).fill(0xff) },
      },
    },
    'WEIGHTS_NOT_FINITE',
  ],
  [
    'a type that no kernel reads yet',
    {
      tensors: {
        'blk.0.attn_q.weight': { type: 'F64', shape: [32, 32], bytes: new Uint8Array(32 * 32 * 8) },
      },
    },
    'TENSOR_TYPE_UNSUPPORTED',
  ],
  [
    'an unknown architecture',
    { metadata: { 'general.architecture': 'nonesuch' } },
    'ARCHITECTURE_UNSUPPORTED',
  ],
  ['no block count', { metadata: { 'llama.block_count': undefined } }, 'METADATA_MISSING'],
  ['an absurd block count', { metadata: { 'llama.block_count': 4_000_000_000 } }, 'GGUF_INVALID'],
  ['heads for layers without', { metadata: { 'llama.attention.head_count': 0 } }, 'ARCHITECTURE_UNSUPPORTED'],
  ['heads that do not divide the width', { metadata: { 'llama.attention.head_count': 5 } }, 'GGUF_INVALID'],
  ['an odd rotary width', { metadata: { 'llama.rope.dimension_count': 7 } }, 'GGUF_INVALID'],
];

describe('files that do not fit together are refused by name', () => {
  it.each(bad)('%s', async (_, options, code) => {
    await expect(openTiny(options)).rejects.toMatchObject({ name: 'RivuletError', code });
  });

  it('NaN in a float matrix is seen in the first step, and the session lives', async () => {
    const session = await openTiny({
      tensors: {
        'blk.0.ffn_up.weight': {
          type: 'F32',
          shape: [32, 48],
          bytes: bytesOf(new Float32Array(32 * 48).fill(Number.NaN)),
        },
      },
    });
    const sequence = session.openSequence();
    await expect(
      session.step([{ sequence, tokens: Int32Array.of(1), select: { count: 1 } }]),
    ).rejects.toMatchObject({ code: 'WEIGHTS_NOT_FINITE' });
    expect(session.lengthOf(sequence)).toBe(0);
    await session.dispose();
  });

  it('names the architectures that it knows', async () => {
    const opening = openTiny({ metadata: { 'general.architecture': 'nonesuch' } });
    const error = await opening.catch((reason: unknown) => reason);
    for (const name of ['"nonesuch"', 'llama', 'qwen3', 'gemma3']) expect(String(error)).toContain(name);
  });
});

describe('big-endian files', () => {
  it('give the same logits', async () => {
    const tokens = Int32Array.of(1, 2, 3);
    const rows = [];
    for (const littleEndian of [true, false]) {
      const session = await openTiny({ file: { littleEndian } });
      const [result] = await session.step([{ sequence: session.openSequence(), tokens, logits: 'last' }]);
      rows.push(Array.from(result?.logits ?? []));
      await session.dispose();
    }
    expect(rows[0]).toEqual(rows[1]);
  });
});

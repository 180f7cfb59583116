import { describe, expect, it } from 'vitest';

import { parseMemoryUse } from './memory-use.ts';
import { cutPrompts, makeText } from './prompts.ts';
import { readCommandLine } from './read-command-line.ts';
import { weightBytesPerToken } from './weight-bytes.ts';

describe('readCommandLine', () => {
  it('has defaults', () => {
    expect(readCommandLine(['smollm2'])).toMatchObject({
      model: 'smollm2',
      againstNodeLlamaCpp: false,
      samples: 5,
      quick: false,
      prefix: [],
    });
    expect(readCommandLine(['smollm2', '--quick'])).toMatchObject({ samples: 1 });
  });

  it('reads every flag', () => {
    const words =
      'm.gguf --against node-llama-cpp --against-threads 1,4 --samples 3 --threads 2 --dialect portable --json out.json --bandwidth 32 --only streams,prefill';
    expect(readCommandLine([...words.split(' '), '--prefix', 'taskset -c 0'])).toMatchObject({
      againstNodeLlamaCpp: true,
      againstThreads: [1, 4],
      samples: 3,
      threads: 2,
      dialect: 'portable',
      json: 'out.json',
      bandwidth: 32e9,
      only: ['prefill-32', 'prefill-128', 'prefill-512', 'prefill-2048', 'streams-8'],
      prefix: ['taskset', '-c', '0'],
    });
    expect(readCommandLine(['--help'])).toBe('help');
  });

  it.each([
    [[], /Expected a model/],
    [['a', 'b'], /one model, found "b"/],
    [['a', '--against', 'ollama'], /node-llama-cpp/],
    [['a', '--samples', '0'], /--samples/],
    [['a', '--threads', '1.5'], /--threads/],
    [['a', '--only', 'decoding'], /"decoding"/],
    [['a', '--only', 'load,'], /found ""/],
    [['a', '--fast'], /--fast/],
  ])('refuses %j', (words, message) => {
    expect(() => readCommandLine(words)).toThrow(message);
  });
});

describe('weightBytesPerToken', () => {
  const layer = [
    { name: 'blk.0.attn_q.weight', byteLength: 40 },
    { name: 'blk.0.ffn_up_exps.weight', byteLength: 800 },
  ];

  it('counts the embedding table once when it is the head too, and else not at all', () => {
    const embedding = { name: 'token_embd.weight', byteLength: 1000 };
    expect(weightBytesPerToken([embedding, ...layer])).toBe(1840);
    expect(weightBytesPerToken([embedding, ...layer, { name: 'output.weight', byteLength: 500 }])).toBe(1340);
  });

  it('counts the experts that a token goes through', () => {
    expect(weightBytesPerToken(layer, { used: 2, all: 8 })).toBe(240);
  });
});

describe('prompts', () => {
  it('are of the length asked for, begin as the model wants, and then differ', () => {
    const ids = Int32Array.from({ length: 2000 }, (_, index) => index);
    const prompts = cutPrompts(ids, 7777);
    const all = Array.from({ length: 30 }, () => prompts.next(1024));
    expect(all.every((prompt) => prompt.length === 1024 && prompt[0] === 7777)).toBe(true);
    expect(new Set(all.map((prompt) => prompt[1])).size).toBe(30);
    expect(() => prompts.next(2001)).toThrow(/2000/);
    expect(cutPrompts(ids, undefined).next(3)).toEqual(Int32Array.of(0, 1, 2));
  });

  it('begin with different pairs of ids also where the row repeats itself', () => {
    const prompts = cutPrompts(
      Int32Array.from({ length: 2000 }, (_, index) => index % 257),
      undefined,
    );
    const pairs = Array.from({ length: 200 }, () => prompts.next(8).subarray(0, 2).join());
    expect(new Set(pairs).size).toBe(200);
    expect(() => Array.from({ length: 58 }, () => prompts.next(8))).toThrow(/used up/);
  });

  it('come from a text that is the same every time and does not repeat itself', () => {
    const text = makeText(4000);
    expect(text).toBe(makeText(4000));
    const windows = Array.from({ length: 100 }, (_, index) => text.slice(index * 200, index * 200 + 40));
    expect(new Set(windows).size).toBe(100);
  });
});

it('parseMemoryUse counts clean pages of files as shareable, also where one process maps them', () => {
  const text = `55d0c0000000-7ffd0000 ---p 00000000 00:00 0    [rollup]
Rss:               51000 kB
Pss:               30000 kB
Shared_Clean:      20000 kB
Shared_Dirty:          0 kB
Private_Clean:     10000 kB
Private_Dirty:     21000 kB
Private_Hugetlb:       4 kB
`;
  expect(parseMemoryUse(text)).toEqual({ private: 21_004 * 1024, shareable: 30_000 * 1024 });
  expect(() => parseMemoryUse('Rss: 1 kB')).toThrow(/Private_Dirty/);
});

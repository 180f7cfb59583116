import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyLlama } from '../support/tiny-llama.ts';
import { spawnCli } from './spawn-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-cli-'));
const cache = join(folder, 'cache');
const model = join(folder, 'tiny.gguf');
const endless = join(folder, 'endless.gguf');
writeFileSync(model, tinyLlama());
// Its end token is one that greedy decoding of these weights does not choose.
writeFileSync(
  endless,
  tinyLlama({ metadata: { 'llama.context_length': 50_000, 'tokenizer.ggml.eos_token_id': 256 } }),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cli = (...words: string[]): ReturnType<typeof spawnCli> => spawnCli(words, { cache });
/** Spread over the bytes, so that what comes out depends on what went in; seeded, so that it is always the same. */
const varied = ['--temperature', '2', '--top-k', '0', '--top-p', '1', '--min-p', '0', '--max-tokens', '24'];
const seeded = [...varied, '--seed', '5'];

describe('info', () => {
  it('shows what the file holds', async () => {
    const { exitCode, stdout, stderr } = await cli('info', model);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^architecture +llama$/m);
    expect(stdout).toMatch(/^name +tiny llama$/m);
    expect(stdout).toMatch(/^layers +2$/m);
    expect(stdout).toMatch(/^heads +4, 2 for keys and values$/m);
    expect(stdout).toMatch(/^context +256 tokens$/m);
    expect(stdout).toMatch(/^tokenizer +\w+, 259 tokens$/m);
    expect(stdout).toMatch(/^memory, weights +\d+\.\d kB$/m);
    expect(stdout).toMatch(/^memory, cache +\d+ B per token, .* for the whole context$/m);
    expect(stdout).toMatch(/^ {2}F32 +20 +\d+\.\d kB$/m);
  });

  it('prints the template and nothing else', async () => {
    const { exitCode, stdout } = await cli('info', model, '--template');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\{% for message in messages %\}.*\{% endif %\}\n$/);
  });
});

describe('tokenize', () => {
  it('shows ids and pieces, only ids, or only how many', async () => {
    const results = await Promise.all([
      cli('tokenize', model, 'Hi', '<|im_end|>', '--special'),
      cli('tokenize', model, 'Hi', '--ids'),
      spawnCli(['tokenize', model, '--count'], { cache, input: 'Hi there\n' }),
    ]);
    expect(results.map((result) => [result.exitCode, result.stderr])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
    expect(results[0].stdout.split('\n').map((line) => line.replace(/^ *\d+ {2}/, ''))).toEqual([
      '"H"',
      '"i"',
      '" "',
      '"<|im_end|>"',
      '',
    ]);
    const ids = results[0].stdout.split('\n').map((line) => Number.parseInt(line, 10));
    expect(results[1].stdout).toBe(`${ids[0]} ${ids[1]}\n`);
    expect(results[2].stdout).toBe('8\n');
  });
});

describe('run', () => {
  it('writes the answer and nothing else to standard output', async () => {
    const plain = await cli('run', model, 'Hello', ...seeded);
    expect(plain).toMatchObject({ exitCode: 0, stderr: '' });
    expect(plain.stdout).toMatch(/[^]+\n$/);
    const others = await Promise.all([
      cli('run', model, 'Hello', ...seeded, '--stats'),
      spawnCli(['run', model, ...seeded], { cache, input: 'Hello\n' }),
      cli('run', model, ...seeded, '--', 'Hello'),
    ]);
    expect(others.map((other) => other.stdout)).toEqual([plain.stdout, plain.stdout, plain.stdout]);
    expect(others[0].stderr).toMatch(/^\d+ tokens, time to first token \d+ ms, \d+\.\d tok\/s\n$/);
  });

  it('hands flags to the model', async () => {
    writeFileSync(join(folder, 'template.jinja'), 'nothing of the messages');
    const answers = await Promise.all([
      cli('run', model, 'Hello', ...varied, '--seed', '1'),
      cli('run', model, 'Hello', ...varied, '--seed', '1', '--threads', '1', '--context', '100'),
      cli('run', model, 'Hello', ...varied, '--seed', '2'),
      cli('run', model, 'Hello', ...seeded, '--system', 'You are a pirate.'),
      cli('run', model, 'Hello', ...seeded),
      cli('run', model, 'Hello', ...seeded, '--template-file', join(folder, 'template.jinja')),
      cli('run', model, 'Goodbye', ...seeded, '--template-file', join(folder, 'template.jinja')),
    ]);
    const [seed1, seed1Again, seed2, pirate, plain, template, templateAgain] = answers.map(
      (answer) => answer.stdout,
    );
    expect(answers.map((answer) => answer.exitCode)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(seed1Again).toBe(seed1);
    expect(seed2).not.toBe(seed1);
    expect(pirate).not.toBe(plain);
    expect(templateAgain).toBe(template);
    expect(template).not.toBe(plain);
  });

  it.each([
    [['run', '/no/such.gguf', 'hi'], 'SOURCE_NOT_FOUND: '],
    [['info', folder], 'SOURCE_NOT_A_FILE: '],
    [['pull', 'hf:nonsense'], 'REFERENCE_INVALID: '],
    [['run', model, 'x'.repeat(300)], 'CONTEXT_OVERFLOW: '],
  ])('answers %j with exit code 1 and code and message on one line', async (words, start) => {
    const result = await cli(...words);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr.startsWith(start)).toBe(true);
    expect(result.stderr.split('\n')).toHaveLength(2);
  });

  it('ends with 130 on Ctrl-C and keeps what was written', async () => {
    const result = await spawnCli(['run', endless, 'Hello', '--temperature', '0'], {
      cache,
      during: async (child, output) => {
        child.stdin.end();
        await waitFor(() => output().length > 20);
        child.kill('SIGINT');
      },
    });
    expect(result).toMatchObject({ exitCode: 130, stderr: '' });
    expect(result.stdout.length).toBeGreaterThan(20);
  });

  it('ends quietly when nobody reads on', async () => {
    const result = await spawnCli(['run', endless, 'Hello', '--temperature', '0'], {
      cache,
      during: async (child, output) => {
        child.stdin.end();
        await waitFor(() => output() !== '');
        child.stdout.destroy();
      },
    });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('chat', () => {
  const chat = (input: string): ReturnType<typeof spawnCli> =>
    spawnCli(['chat', model, ...seeded], { cache, input });

  it('keeps the conversation until /clear, and leaves at /exit', async () => {
    const once = await chat('Hello\n');
    expect(once).toMatchObject({ exitCode: 0, stderr: '' });
    const twice = await chat('Hello\nHello\n');
    expect(twice.stdout.startsWith(once.stdout)).toBe(true);
    expect(twice.stdout).not.toBe(once.stdout + once.stdout);
    expect((await chat('Hello\n/clear\n\nHello\n')).stdout).toBe(once.stdout + once.stdout);
    expect((await chat('Hello\n/exit\nHello\n')).stdout).toBe(once.stdout);
  });

  it('reports an error and goes on', async () => {
    const once = await chat('Hello\n');
    const result = await chat(`${'x'.repeat(300)}\nHello\n`);
    expect(result).toMatchObject({ exitCode: 0, stdout: once.stdout });
    expect(result.stderr).toMatch(/^CONTEXT_OVERFLOW: .*\n$/);
  });

  it('stops the answer on Ctrl-C, not the program', async () => {
    const result = await spawnCli(['chat', endless, '--temperature', '0'], {
      cache,
      during: async (child, output) => {
        for (let turn = 1; turn <= 2; turn++) {
          const before = output().length;
          child.stdin.write('Hello\n');
          await waitFor(() => output().length > before + 20);
          child.kill('SIGINT');
          await delay(300);
        }
        child.stdin.end();
      },
    });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('pull', () => {
  it('prints the path', async () => {
    expect(await cli('pull', model)).toMatchObject({ exitCode: 0, stdout: `${model}\n` });
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('The condition did not come true.');
    await delay(20);
  }
}

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs an example as a user would: Node on the TypeScript file, the package by its name. */
async function run(file: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', `examples/${file}`, ...args],
    { cwd: root, timeout: 240_000 },
  );
  return stdout;
}

describe('the examples run on the default model', () => {
  it('all of them are known here', () => {
    const files = readdirSync(`${root}/examples`).filter((name) => name.endsWith('.ts'));
    expect(files.toSorted()).toEqual([
      'agent.ts',
      'langchain-agent.ts',
      'langchain-chat.ts',
      'langchain-rag.ts',
      'lifecycle.ts',
      'rag.ts',
      'stream-text.ts',
      'structured-output.ts',
      'tools.ts',
    ]);
  });

  it('stream-text.ts streams an answer and ends with figures', async () => {
    const output = await run('stream-text.ts', 'What is the capital of France? Answer in one sentence.');
    // The example samples freely, so only the form of what it says is certain.
    const [figures = '', ...answer] = output.trimEnd().split('\n').toReversed();
    expect(figures).toMatch(/^\d+ tokens, first after \d+ ms, [\d.]+ tokens per second$/);
    expect(answer.join('').trim().length).toBeGreaterThan(5);
  }, 300_000);

  it('langchain-chat.ts', async () => {
    expect(await run('langchain-chat.ts')).toMatch(/Paris/);
  }, 300_000);

  it('tools.ts calls the tool with the city of the question and answers from its result', async () => {
    const output = await run('tools.ts');
    const [call, result, answer] = output.split('\n');
    expect(call).toBe('→ weather {"city":"Oslo"}');
    expect(result).toBe('← {"city":"Oslo","sky":"snow","degreesCelsius":-4}');
    expect(answer).toMatch(/Oslo.*-4/);
  }, 300_000);

  it('structured-output.ts streams partial objects that grow to the one in the text', async () => {
    const output = await run(
      'structured-output.ts',
      'Tom Reed is a teacher from Bergen. He is 51 years old.',
    );
    const lines = output.trimEnd().split('\n');
    expect(lines.pop()).toBe('Tom Reed, 51, Bergen: teacher');
    const partials = lines.map((line): unknown => JSON.parse(line));
    expect(partials.length).toBeGreaterThan(4);
    expect(partials).toContainEqual({ name: 'Tom Reed', age: 51 });
    expect(partials.at(-1)).toEqual({ name: 'Tom Reed', age: 51, city: 'Bergen', job: 'teacher' });
  }, 300_000);

  it('agent.ts looks up, orders, and stops at the order', async () => {
    expect(await run('agent.ts')).toBe(
      [
        '→ lookUp {"product":"rice"}',
        '← {"product":"rice","pricePerBag":2.5}',
        '→ order {"product":"rice","bags":3}',
        '← {"product":"rice","bags":3,"total":7.5}',
        '2 steps\n',
      ].join('\n'),
    );
  }, 300_000);

  it('lifecycle.ts loads, answers, unloads, and answers again', async () => {
    const lines = (await run('lifecycle.ts')).trimEnd().split('\n');
    const isProgress = (line: string): boolean => line.startsWith('  ');
    expect(lines.filter(isProgress).length).toBeGreaterThan(0);
    const answer = 'The capital of France is Paris.';
    expect(lines.filter((line) => !isProgress(line))).toEqual([
      'at first: nothing in memory',
      'loaded: smollm2 loaded',
      answer,
      answer,
      'unloaded: nothing in memory',
      expect.stringMatching(/^The capital of France is Paris\. \(loaded again in \d+ ms\)$/),
    ]);
  }, 300_000);

  it('rag.ts has at most sixty lines', () => {
    const lines = readFileSync(`${root}/examples/rag.ts`, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(60);
  });

  it.each([
    ['When was the lighthouse built?', 'lighthouse.md: The lighthouse of Kell', /1874/],
    ['How many litres does the tank hold?', 'garden.md: The school garden', /900/],
  ])(
    'rag.ts answers "%s" from a folder of Markdown',
    async (question, source, expected) => {
      const output = await run('rag.ts', question, '--folder', 'test/examples/notes');
      const [answer = '', sources = ''] = output.split('\n\nSources:\n');
      expect(answer).toMatch(expected);
      expect(sources.split('\n')[0]).toContain(`- ${source} (`);
    },
    300_000,
  );

  it('langchain-rag.ts finds its source in the README', async () => {
    const output = await run('langchain-rag.ts', 'How can I measure the speed of rivulet on my machine?');
    const [answer = '', sources = ''] = output.split('\n\nSources:\n');
    expect(answer.trim()).toMatch(/\w{3}/);
    expect(sources.split('\n')[0]).toContain('README.md: How fast');
  }, 300_000);

  it('langchain-agent.ts', async () => {
    const output = await run('langchain-agent.ts');
    // What the tiny default model fills in is its own affair; that it calls and in which form it answers is not.
    expect(output).toMatch(/→ calculator\(\{"left":-?[\d.e+-]+,"operator":"[-+*/]","right":-?[\d.e+-]+\}\)/);
    expect(output).toMatch(/\{ topic: '.*', difficulty: '(easy|medium|hard)' \}\n$/s);
  }, 300_000);
});

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
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
      'langchain-agent.ts',
      'langchain-chat.ts',
      'langchain-rag.ts',
      'rag.ts',
      'stream-text.ts',
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

  it.each([
    ['rag.ts', 'Which reference names a model of the Hugging Face hub?', 'Naming a model', /hf:owner/],
    ['rag.ts', 'How do I run the benchmark against node-llama-cpp?', 'How fast', /\w{3}/],
    ['langchain-rag.ts', 'How can I measure the speed of rivulet on my machine?', 'How fast', /\w{3}/],
  ])(
    '%s answers "%s" and names its source',
    async (file, question, section, expected) => {
      const output = await run(file, question);
      const [answer = '', sources = ''] = output.split('\n\nSources:\n');
      expect(answer.trim()).toMatch(expected);
      expect(sources.split('\n')[0]).toContain(`README.md: ${section}`);
    },
    300_000,
  );

  it('langchain-agent.ts', async () => {
    const output = await run('langchain-agent.ts');
    // What the tiny default model fills in is its own affair; that it calls and in which form it answers is not.
    expect(output).toMatch(/→ calculator\(\{"left":-?[\d.e+-]+,"operator":"[-+*/]","right":-?[\d.e+-]+\}\)/);
    expect(output).toMatch(/\{ topic: '.*', difficulty: '(easy|medium|hard)' \}\n$/s);
  }, 300_000);
});

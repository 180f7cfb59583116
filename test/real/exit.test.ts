import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { defaultModelPath } from '../support/default-model.ts';

const program = `
  const { loadModel } = await import(${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)});
  const model = await loadModel(process.argv[1], { contextLength: 1024 });
  setTimeout(() => process.exit(7), Number(process.argv[2]));
  const request = { prompt: 'word '.repeat(700), ignoreEos: true, maxTokens: 300 };
  for await (const event of model.complete(request)) if (event.type === 'finish') break;
`;

describe('a process that exits while its engine works', () => {
  it.each([20, 150, 400])(
    'after %s ms ends with its own exit code',
    async (delayMs) => {
      const path = await defaultModelPath();
      const child = spawn(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          '--input-type=module',
          '--eval',
          program,
          path,
          String(delayMs),
        ],
        { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: 'inherit' },
      );
      expect(await once(child, 'exit')).toEqual([7, null]);
    },
    60_000,
  );
});

const abandoning = `
  const { loadModel } = await import(${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)});
  const model = await loadModel(process.argv[1], { contextLength: 256 });
  const events = model.complete({ prompt: 'Hello', ignoreEos: true, maxTokens: 200 });
  const iterator = events[Symbol.asyncIterator]();
  for (let read = 0; read < 3; read++) await iterator.next();
`;

describe('a program that leaves a stream unread', () => {
  it('ends all the same, without disposing anything', async () => {
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--input-type=module',
        '--eval',
        abandoning,
        await defaultModelPath(),
      ],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: 'inherit' },
    );
    expect(await once(child, 'exit')).toEqual([0, null]);
  }, 30_000);
});

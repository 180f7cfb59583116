import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

/** The command line as a process of its own; `during` may write to its input and send signals. */
export async function spawnCli(
  words: readonly string[],
  options: {
    readonly input?: string;
    readonly cache?: string;
    readonly during?: (child: ChildProcessWithoutNullStreams, output: () => string) => Promise<void>;
  } = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, ['--conditions=source', main, ...words], {
    env: { ...process.env, ...(options.cache === undefined ? {} : { RIVULET_CACHE: options.cache }) },
  });
  const result = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (result.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (result.stderr += text));
  const exit = new Promise<number | null>((settle) => {
    child.once('close', (code) => settle(code));
  });
  if (options.during === undefined) child.stdin.end(options.input ?? '');
  else {
    try {
      await options.during(child, () => result.stdout);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`The command did not do what was waited for; it said: ${result.stderr}`, {
        cause: error,
      });
    }
  }
  return { exitCode: await exit, ...result };
}

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Job, JobResult } from './job.ts';

const child = fileURLToPath(new URL('child.ts', import.meta.url));

/** Runs a job in a process of its own. `prefix`: words before the command, for example `taskset -c 0`. */
export async function runJob(job: Job, prefix: readonly string[]): Promise<JobResult> {
  const output = await runNode(['--disable-warning=ExperimentalWarning', child, JSON.stringify(job)], prefix);
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as JobResult;
}

/** Milliseconds from the start of a Node process to its first statement. */
export async function measureBareStart(prefix: readonly string[]): Promise<number> {
  return Number(await runNode(['--eval', 'console.log(performance.now())'], prefix));
}

async function runNode(words: readonly string[], prefix: readonly string[]): Promise<string> {
  const [program = process.execPath, ...rest] = [...prefix, process.execPath, ...words];
  const running = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    running[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  const code = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    running.once('error', reject);
    running.once('close', (code, signal) => resolve(code ?? signal));
  });
  if (code === 0) return output.stdout;
  throw new Error(`A sample ended with ${code}: ${explanation(output.stderr)}`);
}

/** The line that names the error, or the end of what was said. */
function explanation(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.slice(-3).join(' ');
}

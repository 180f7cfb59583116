import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { environment } from './install-app.ts';

/** A moment in the life of the server's event loop, a few milliseconds after the one before. */
export interface Tick {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** How late it came. */
  readonly stallMs: number;
  /** What the loop's thread computed since the one before. */
  readonly busyMs: number;
  /** The same of the whole process, the engine's threads included. */
  readonly processMs: number;
}

export interface Server {
  readonly port: number;
  readonly url: string;
  readonly log: () => string;
  /** Since the last call. */
  ticks(): Promise<readonly Tick[]>;
  /** How often a file is mapped into the server's memory; a model that was loaded twice is there twice. */
  mappingsOf(file: string): number;
  stop(): Promise<void>;
  /** At once, with streams under way. */
  kill(): void;
}

const watchScript = fileURLToPath(new URL('watch-server.mjs', import.meta.url));
const startLimitMs = 60_000;

/**
 * @param script with its arguments; `PORT` and the rest of the environment say where it listens
 * @param folder that it runs in
 */
export async function startServer(
  script: readonly string[],
  folder: string,
  variables: NodeJS.ProcessEnv = {},
): Promise<Server> {
  const port = await freePort();
  // The development server hands its channel on to processes of its own, and ends when somebody else uses it.
  const watched = script.at(-1) !== 'dev';
  const child = spawn(process.execPath, [...(watched ? ['--import', watchScript] : []), ...script], {
    cwd: folder,
    env: { ...environment, ...variables, PORT: String(port), HOSTNAME: '0.0.0.0' },
    stdio: ['ignore', 'pipe', 'pipe', ...(watched ? (['ipc'] as const) : [])],
  });
  let log = '';
  child.stdout?.on('data', (data: Buffer) => (log += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (log += data.toString()));
  const url = `http://localhost:${port}`;
  await untilAnswered(url, child, () => log);
  return {
    port,
    url,
    log: () => log,
    ticks: async () => {
      const answer = once(child, 'message');
      child.send('ticks');
      const [{ ticks }] = (await answer) as [{ ticks: readonly Tick[] }];
      return ticks;
    },
    mappingsOf: (file) => {
      const starts = familyOf(child.pid ?? 0)
        .flatMap((pid) => readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n'))
        .filter((line) => line.includes(file) && line.split(/\s+/)[2] === '00000000');
      return starts.length;
    },
    stop: async () => {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await Promise.race([exit, wait(5000)]);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** A process and those that it started. */
function familyOf(pid: number): number[] {
  let children: number[] = [];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  } catch {
    return [];
  }
  return [pid, ...children.filter((child) => child > 0).flatMap(familyOf)];
}

async function untilAnswered(url: string, child: ChildProcess, log: () => string): Promise<void> {
  const end = performance.now() + startLimitMs;
  while (performance.now() < end) {
    if (child.exitCode !== null) break;
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok === true) return;
    await wait(100);
  }
  child.kill('SIGKILL');
  throw new Error(`The server did not answer at ${url}:\n${log()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

import type { Progress } from '../index.ts';
import { formatBytes, formatDuration } from './format-figures.ts';

/** Where progress goes; `process.stderr` is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressBar {
  readonly update: (progress: Progress) => void;
  /** Takes the bar off the screen; more updates bring it back. */
  readonly clear: () => void;
}

const redrawMs = 80;

/** The speed is that of the last seconds: an average over all would hide a stall. */
const speedWindowMs = 3000;

/** Without a terminal a line per tenth, and one now and then when the size is unknown. */
const plainIntervalMs = 5000;

const barWidth = 24;

/** Some terminals say that they have no columns. */
const defaultColumns = 80;

interface Sample {
  readonly atMs: number;
  readonly doneBytes: number;
}

/** A bar that redraws itself on a terminal, lines elsewhere. */
export function createProgressBar(
  output: ProgressOutput,
  nowMs: () => number = () => performance.now(),
): ProgressBar {
  let task = '';
  let samples: Sample[] = [];
  let drawnMs = Number.NEGATIVE_INFINITY;
  let isShown = false;
  let printedTenth = 0;

  const clear = (): void => {
    if (isShown) output.write('\r\u001B[K');
    isShown = false;
  };

  const update = (progress: Progress): void => {
    const now = nowMs();
    const { doneBytes, totalBytes } = progress;
    // Labels change within one task, for example with every tensor that is repacked.
    const nextTask = `${progress.phase} ${totalBytes ?? progress.label}`;
    const isNew = task !== nextTask || (doneBytes ?? 0) < (samples.at(-1)?.doneBytes ?? 0);
    if (isNew) {
      task = nextTask;
      samples = [];
      drawnMs = Number.NEGATIVE_INFINITY;
      printedTenth = 0;
    }
    if (doneBytes !== undefined) samples = addSample(samples, { atMs: now, doneBytes });
    const isDone = totalBytes !== undefined && doneBytes !== undefined && doneBytes >= totalBytes;
    const line = `${progress.phase} ${progress.label}${formatProgress(progress, samples)}`;
    if (output.isTTY === true) {
      if (now - drawnMs < redrawMs && !isDone) return;
      drawnMs = now;
      isShown = true;
      output.write(`\r${fitTo(line, output.columns || defaultColumns)}\u001B[K`);
      return;
    }
    // Where nobody watches, only what takes long is worth a line.
    if (doneBytes === undefined && progress.phase !== 'download') return;
    const tenth = totalBytes ? Math.floor((10 * (doneBytes ?? 0)) / totalBytes) : 0;
    const isDue = totalBytes === undefined ? now - drawnMs >= plainIntervalMs : tenth > printedTenth;
    if (!isNew && !isDue) return;
    drawnMs = now;
    printedTenth = tenth;
    output.write(`${line}\n`);
  };

  return { update, clear };
}

function addSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const recent = samples.filter((old) => sample.atMs - old.atMs <= speedWindowMs);
  return [...(recent.length === 0 ? samples.slice(-1) : recent), sample].slice(-maximumSamples);
}

/** Updates come per chunk; a window of this many is as exact as one needs to be. */
const maximumSamples = 256;

function formatProgress(progress: Progress, samples: readonly Sample[]): string {
  const { doneBytes, totalBytes } = progress;
  if (doneBytes === undefined) return '';
  const speed = bytesPerMs(samples);
  const rate = speed === undefined ? '' : `  ${formatBytes(speed * 1000)}/s`;
  if (totalBytes === undefined || totalBytes === 0) return `  ${formatBytes(doneBytes)}${rate}`;
  const share = Math.min(1, doneBytes / totalBytes);
  const filled = Math.round(share * barWidth);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}]`;
  const left = totalBytes - doneBytes;
  const eta = speed === undefined || left <= 0 ? '' : `  eta ${formatDuration(left / speed)}`;
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  return `  ${bar} ${percent} %  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}${rate}${eta}`;
}

function bytesPerMs(samples: readonly Sample[]): number | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.atMs - first.atMs < 100) return undefined;
  const speed = (last.doneBytes - first.doneBytes) / (last.atMs - first.atMs);
  return speed > 0 ? speed : undefined;
}

/** The end is what changes, so a long line loses from its start. */
function fitTo(line: string, columns: number): string {
  return line.length < columns ? line : `…${line.slice(line.length - columns + 2)}`;
}

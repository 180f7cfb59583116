import { describe, expect, it } from 'vitest';
import {
  formatAnswerFigures,
  formatBytes,
  formatCount,
  formatDuration,
} from '../../src/cli/format-figures.ts';
import { createProgressBar } from '../../src/cli/progress-bar.ts';

function record(
  isTTY: boolean,
  columns = 120,
): {
  output: { isTTY: boolean; columns: number; write(text: string): void };
  written: string[];
} {
  const written: string[] = [];
  return { output: { isTTY, columns, write: (text) => void written.push(text) }, written };
}

describe('createProgressBar', () => {
  it('draws share, size, speed and time left on a terminal, and takes them off', () => {
    const { output, written } = record(true);
    let now = 0;
    const bar = createProgressBar(output, () => now);
    for (const doneBytes of [0, 25e6, 50e6]) {
      bar.update({ phase: 'download', label: 'model.gguf', doneBytes, totalBytes: 100e6 });
      now += 1000;
    }
    expect(written).toEqual([
      '\rdownload model.gguf  [------------------------]   0 %  0 B of 100 MB\u001B[K',
      '\rdownload model.gguf  [######------------------]  25 %  25.0 MB of 100 MB  25.0 MB/s  eta 3.0 s\u001B[K',
      '\rdownload model.gguf  [############------------]  50 %  50.0 MB of 100 MB  25.0 MB/s  eta 2.0 s\u001B[K',
    ]);
    bar.clear();
    bar.clear();
    expect(written.slice(3)).toEqual(['\r\u001B[K']);
  });

  it('does not redraw for every chunk, but at the end', () => {
    const { output, written } = record(true);
    let now = 0;
    const bar = createProgressBar(output, () => now);
    for (let index = 1; index <= 1000; index++) {
      now += 1;
      bar.update({ phase: 'download', label: 'm', doneBytes: index, totalBytes: 1000 });
    }
    expect(written.length).toBeLessThan(15);
    expect(written.at(-1)).toContain('100 %');
  });

  it('fits its line to the terminal', () => {
    const { output, written } = record(true, 40);
    const bar = createProgressBar(output, () => 0);
    bar.update({ phase: 'download', label: 'a-very-long-name.gguf', doneBytes: 1, totalBytes: 10 });
    const line = (written[0] ?? '').replace('\r', '').replace('\u001B[K', '');
    expect(line.length).toBeLessThan(40);
    expect(line).toContain('1 B of 10 B');
  });

  it('writes a line per tenth where there is no terminal', () => {
    const { output, written } = record(false);
    let now = 0;
    const bar = createProgressBar(output, () => now);
    for (let index = 0; index <= 100; index++) {
      now += 10;
      bar.update({ phase: 'download', label: 'm', doneBytes: index, totalBytes: 100 });
    }
    expect(written).toHaveLength(11);
    for (const control of ['\r', '\u001B']) expect(written.join('')).not.toContain(control);
    bar.update({ phase: 'load', label: 'm' });
    bar.clear();
    expect(written).toHaveLength(11);
  });

  it('takes changing labels of one total for one task, and a fall of the bytes for a new one', () => {
    const { output, written } = record(false);
    const bar = createProgressBar(output, () => 0);
    for (let index = 0; index <= 20; index++) {
      bar.update({ phase: 'repack', label: `tensor ${index}`, doneBytes: index, totalBytes: 20 });
    }
    expect(written).toHaveLength(11);
    bar.update({ phase: 'repack', label: 'tensor 0', doneBytes: 0, totalBytes: 20 });
    expect(written).toHaveLength(12);
  });
});

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [98_362_432, '98.4 MB'],
    [999_600_000, '1.0 GB'],
    [2.5e12, '2.5 TB'],
  ])('formats %d bytes', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [12.4, '12 ms'],
    [3200, '3.2 s'],
    [59_900, '1 min 00 s'],
    [245_000, '4 min 05 s'],
    [7_800_000, '2 h 10 min'],
  ])('formats %d ms', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it('formats counts and the line after an answer', () => {
    expect([134_515_008, 1_235_814_400, 49_152, 77].map(formatCount)).toEqual([
      '134.5 M',
      '1.24 B',
      '49.2 k',
      '77',
    ]);
    expect(formatAnswerFigures({ outputTokens: 50, firstTokenMs: 120.4, decodeMs: 2000 })).toBe(
      '50 tokens, time to first token 120 ms, 25.0 tok/s',
    );
    expect(formatAnswerFigures({ outputTokens: 1, firstTokenMs: 9, decodeMs: 0 })).toBe(
      '1 token, time to first token 9 ms, 0.0 tok/s',
    );
  });
});

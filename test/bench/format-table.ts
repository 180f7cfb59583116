import type { Unit } from './figures.ts';
import { describeGoal } from './goal.ts';
import { spread, valuesOf } from './statistics.ts';
import type { Row, Side } from './summarize.ts';

/** The rows as a Markdown table; the other side's column only when there is one. */
export function formatRows(rows: readonly Row[]): string {
  const isCompared = rows.some(({ theirs }) => theirs !== undefined);
  const head = ['', 'rivulet', ...(isCompared ? ['node-llama-cpp', 'ratio'] : []), 'must, goal', 'reached'];
  const body = rows.map(({ figure, ours, theirs, ratio, verdict }) => [
    `${figure.label}${figure.unit === '×' ? '' : `, ${figure.unit}`}`,
    formatSide(ours, figure.unit),
    ...(isCompared
      ? [
          `${formatSide(theirs, figure.unit)}${variant(theirs)}`,
          ratio === undefined ? '–' : threeDigits(ratio),
        ]
      : []),
    figure.goal === undefined
      ? ''
      : `${figure.goal.of === 'ratio' ? 'ratio ' : ''}${describeGoal(figure.goal)}`,
    verdict ?? '',
  ]);
  return formatTable([head, ...body]);
}

/** Pads cells so that columns stand below each other. The first row is the head. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...body.map(line)].join('\n');
}

function formatSide(side: Side | undefined, unit: Unit): string {
  if (side === undefined) return '–';
  const percent = Math.round(spread(valuesOf(side.series)) * 100);
  return `${threeDigits(unit === 'MB' ? side.median / 1e6 : side.median)}${percent === 0 ? '' : ` ±${percent} %`}`;
}

/** "node-llama-cpp, 2 threads" → " (2 threads)": the column says the rest. */
function variant(side: Side | undefined): string {
  const [, detail] = side?.label.split(', ') ?? [];
  return detail === undefined ? '' : ` (${detail})`;
}

/** 0.123, 1.23, 12.3, 123, 1234; "< 0.001" for what would look like nothing. */
export function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (value > 0 && value < 0.0005) return '< 0.001';
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3);
}

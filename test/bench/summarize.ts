import type { Collected, Measured } from './collect.ts';
import { listFigures } from './figures.ts';
import type { Figure } from './figures.ts';
import { judge } from './goal.ts';
import type { Verdict } from './goal.ts';
import { combine, median, pairedRatio, valuesOf } from './statistics.ts';
import type { Series } from './statistics.ts';

/** One subject's side of a row. */
export interface Side {
  readonly label: string;
  readonly series: Series;
  readonly median: number;
}

export interface Row {
  readonly figure: Figure;
  readonly ours?: Side;
  /** Of the others the best one for this figure. */
  readonly theirs?: Side;
  /** Ours to theirs, round by round. */
  readonly ratio?: number;
  readonly verdict?: Verdict;
}

/** What a row is derived from: the weights' size and, where it is known, the bandwidth. */
export interface Limits {
  readonly parameters: number;
  readonly bytesPerToken: number;
  /** Bytes per second. */
  readonly bandwidth: Series;
}

/** The first subject is ours. Rows without any value are left out. */
export function summarize(subjects: Collected['subjects'], limits: Limits): Row[] {
  const [ours, ...others] = subjects;
  if (ours === undefined) return [];
  const measured = new Map<string, Row>();
  const rows: Row[] = [];
  for (const figure of listFigures(limits.parameters)) {
    const derive = derivations[figure.id];
    const row =
      derive === undefined ? direct(figure, ours, others) : derived(figure, derive, measured, limits);
    measured.set(figure.id, row);
    if (row.ours !== undefined || row.theirs !== undefined) rows.push(row);
  }
  return rows;
}

function direct(figure: Figure, ours: Measured, others: readonly Measured[]): Row {
  const theirs = others
    .map((subject) => sideOf(subject.label, subject.series[figure.id] ?? []))
    .filter((side) => side !== undefined)
    .sort((a, b) => (figure.better === 'more' ? b.median - a.median : a.median - b.median))[0];
  return rowOf(figure, sideOf(ours.label, ours.series[figure.id] ?? []), theirs);
}

type Derivation = (find: (id: string) => Series, limits: Limits) => Series;

const derivations: Readonly<Record<string, Derivation>> = {
  'streams-gain': (find) =>
    combine([find('streams-8'), find('decode-0')], ([together = 0, alone = 1]) => together / alone),
  'memory-limit': (find, { bandwidth, bytesPerToken }) =>
    combine([find('decode-0'), bandwidth], ([rate = 0, bytes = 1]) => (rate * bytesPerToken) / bytes),
};

function derived(
  figure: Figure,
  derive: Derivation,
  measured: ReadonlyMap<string, Row>,
  limits: Limits,
): Row {
  const side = (which: 'ours' | 'theirs'): Side | undefined => {
    const series = derive((id) => measured.get(id)?.[which]?.series ?? [], limits);
    return sideOf('', series);
  };
  return rowOf(figure, side('ours'), side('theirs'));
}

function sideOf(label: string, series: Series): Side | undefined {
  const values = valuesOf(series);
  return values.length === 0 ? undefined : { label, series, median: median(values) };
}

function rowOf(figure: Figure, ours: Side | undefined, theirs: Side | undefined): Row {
  const ratio =
    ours === undefined || theirs === undefined ? undefined : pairedRatio(ours.series, theirs.series);
  const judged = figure.goal?.of === 'ratio' ? ratio : ours?.median;
  const verdict = figure.goal === undefined || judged === undefined ? undefined : judge(figure.goal, judged);
  return {
    figure,
    ...(ours === undefined ? {} : { ours }),
    ...(theirs === undefined ? {} : { theirs }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(verdict === undefined ? {} : { verdict }),
  };
}

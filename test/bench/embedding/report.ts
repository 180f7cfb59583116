import { formatTable } from '../format-table.ts';
import { median, pairedRatio } from '../statistics.ts';
import type { EmbedFigures } from './embedder.ts';

/** All samples of one embedder, a value per round. */
export interface EmbedSamples {
  readonly label: string;
  readonly rounds: readonly EmbedFigures[];
}

export interface ReportRow {
  readonly label: string;
  /** For the batch and for one call per text. */
  readonly textsPerSecond: number;
  readonly singlyPerSecond?: number;
  /** Of the vectors to those of the first embedder, the least of all texts. */
  readonly leastSimilarity: number;
  /** How much faster the first embedder is with all texts together, median of the rounds. */
  readonly ratio: number;
}

/** The first samples are what the others are compared with. */
export function summarize(samples: readonly EmbedSamples[], texts: number): ReportRow[] {
  const [ours] = samples;
  return samples.map(({ label, rounds }) => {
    const batched = rounds.map(({ batchedMs }) => batchedMs);
    const singly = rounds.flatMap(({ singleMs }) => (singleMs === undefined ? [] : [singleMs]));
    return {
      label: `${label} (${rounds[0]?.engine ?? ''})`,
      textsPerSecond: (texts * 1000) / median(batched),
      ...(singly.length === 0 ? {} : { singlyPerSecond: (texts * 1000) / median(singly) }),
      leastSimilarity: leastSimilarity(ours?.rounds[0]?.vectors ?? [], rounds[0]?.vectors ?? []),
      ratio: pairedRatio(batched, ours?.rounds.map(({ batchedMs }) => batchedMs) ?? []) ?? Number.NaN,
    };
  });
}

export function formatRows(rows: readonly ReportRow[]): string {
  const head = [
    '',
    'texts/s, together',
    'texts/s, one call each',
    'together ÷ each',
    'rivulet ÷ it',
    'least cosine',
  ];
  const body = rows.map(({ label, textsPerSecond, singlyPerSecond, leastSimilarity, ratio }) => [
    label,
    textsPerSecond.toFixed(0),
    singlyPerSecond?.toFixed(0) ?? '–',
    singlyPerSecond === undefined ? '–' : (textsPerSecond / singlyPerSecond).toFixed(2),
    ratio.toFixed(2),
    leastSimilarity.toFixed(5),
  ]);
  return formatTable([head, ...body]);
}

function leastSimilarity(left: readonly ArrayLike<number>[], right: readonly ArrayLike<number>[]): number {
  return Math.min(...left.map((vector, index) => cosine(vector, right[index] ?? [])));
}

function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let [both, ofLeft, ofRight] = [0, 0, 0];
  for (let index = 0; index < left.length; index++) {
    const [a, b] = [left[index] ?? 0, right[index] ?? Number.NaN];
    both += a * b;
    ofLeft += a * a;
    ofRight += b * b;
  }
  return both / Math.sqrt(ofLeft * ofRight);
}

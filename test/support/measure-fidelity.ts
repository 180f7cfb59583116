import type { Session } from '../../src/session/session.ts';

/** How far one engine's next-token distributions are from another's on a text. */
export interface Fidelity {
  /** Mean Kullback-Leibler divergence from the exact distribution, in nats. */
  readonly divergence: number;
  /** Share of positions where both hold the same token for the most probable one. */
  readonly sameBest: number;
  readonly exactPerplexity: number;
  readonly perplexity: number;
  readonly positions: number;
}

const chunkTokens = 512;
const stepTokens = 32;

/**
 * Compares rows as `llama-perplexity` does: chunks of 512 tokens on their own, of which the second half counts.
 * @param begin the first token of every chunk, where the vocabulary wants one
 */
export async function measureFidelity(
  exact: Session,
  other: Session,
  ids: Int32Array,
  { begin, chunks = Infinity }: { readonly begin: number | undefined; readonly chunks?: number },
): Promise<Fidelity> {
  const sums = { divergence: 0, same: 0, exact: 0, other: 0, positions: 0 };
  for (
    let start = 0;
    start + chunkTokens <= ids.length && start < chunks * chunkTokens;
    start += chunkTokens
  ) {
    const tokens = ids.slice(start, start + chunkTokens);
    if (begin !== undefined) tokens[0] = begin;
    const [left, right] = [exact.openSequence(), other.openSequence()];
    for (let first = 0; first < chunkTokens; first += stepTokens) {
      const part = tokens.subarray(first, first + stepTokens);
      const logits = first * 2 < chunkTokens ? {} : ({ logits: 'all' } as const);
      const [truth] = await exact.step([{ sequence: left, tokens: part, ...logits }]);
      const [found] = await other.step([{ sequence: right, tokens: part, ...logits }]);
      if (truth?.logits === undefined || found?.logits === undefined) continue;
      const width = truth.logits.length / part.length;
      for (let row = 0; row < part.length; row += 1) {
        const next = tokens[first + row + 1];
        if (next === undefined) continue;
        const [a, b] = [truth.logits, found.logits].map((rows) =>
          rows.subarray(row * width, (row + 1) * width),
        );
        if (a === undefined || b === undefined) continue;
        compareRows(a, b, next, sums);
      }
    }
    exact.closeSequence(left);
    other.closeSequence(right);
  }
  const { positions } = sums;
  return {
    divergence: sums.divergence / positions,
    sameBest: sums.same / positions,
    exactPerplexity: Math.exp(sums.exact / positions),
    perplexity: Math.exp(sums.other / positions),
    positions,
  };
}

function compareRows(
  truth: Float32Array,
  found: Float32Array,
  next: number,
  sums: { divergence: number; same: number; exact: number; other: number; positions: number },
): void {
  const [truthRow, foundRow] = [describeRow(truth), describeRow(found)];
  let divergence = 0;
  for (let id = 0; id < truth.length; id += 1) {
    const logProbability = (truth[id] ?? 0) - truthRow.logSum;
    divergence += Math.exp(logProbability) * (logProbability - ((found[id] ?? 0) - foundRow.logSum));
  }
  sums.divergence += divergence;
  sums.same += truthRow.best === foundRow.best ? 1 : 0;
  sums.exact += truthRow.logSum - (truth[next] ?? 0);
  sums.other += foundRow.logSum - (found[next] ?? 0);
  sums.positions += 1;
}

function describeRow(row: Float32Array): { readonly best: number; readonly logSum: number } {
  let best = 0;
  for (let id = 1; id < row.length; id += 1) if ((row[id] ?? 0) > (row[best] ?? 0)) best = id;
  const top = row[best] ?? 0;
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - top);
  return { best, logSum: top + Math.log(sum) };
}

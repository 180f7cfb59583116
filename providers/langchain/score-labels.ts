import type { TokenAlternative, Usage } from '../../src/events.ts';
import { RivuletError } from '../../src/errors.ts';
import type { Model } from '../../src/model.ts';

export interface ScoredLabels {
  /** In the order of the labels; they add up to 1. */
  readonly probabilities: readonly number[];
  readonly usage: Usage;
}

/** Enough to make any token the one that is chosen; what is reported of it is its probability without this. */
const lift = 10_000;

/** As many alternatives as there can be: most labels are among them. */
const alternatives = 100;

/** How probable the model finds each label as the beginning of its answer, among the labels. */
export async function scoreLabels(
  model: Model,
  content: string,
  labels: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ScoredLabels> {
  const ids = labelIds(model, labels);
  const found = new Map<number, number>();
  let usage: Usage | undefined;
  for (const id of ids.keys()) {
    // One that was not among the alternatives yet is chosen itself; the prompt is in the cache by then.
    if (found.has(id)) continue;
    const step = await firstToken(model, content, id, signal);
    for (const { id: other, logprob } of step.tokens) found.set(other, logprob);
    usage = usage === undefined ? step.usage : addUsage(usage, step.usage);
  }
  const mass = labels.map(() => 0);
  for (const [id, index] of ids) mass[index] = (mass[index] ?? 0) + Math.exp(found.get(id) ?? Number.NaN);
  const total = mass.reduce((sum, part) => sum + part, 0);
  if (usage === undefined || !(total > 0)) {
    throw new RivuletError(
      'ENGINE_FAILED',
      `Expected probabilities of the answers ${labels.join(', ')}, and the model "${model.info.id}" gave none.`,
    );
  }
  return { probabilities: mass.map((part) => part / total), usage };
}

async function firstToken(
  model: Model,
  content: string,
  id: number,
  signal: AbortSignal | undefined,
): Promise<{ tokens: readonly TokenAlternative[]; usage: Usage }> {
  const events = model.chat({
    messages: [{ role: 'user', content }],
    reasoning: 'off',
    temperature: 0,
    maxTokens: 1,
    logitBias: new Map([[id, lift]]),
    logprobs: alternatives,
    ...(signal === undefined ? {} : { signal }),
  });
  const tokens: TokenAlternative[] = [];
  let usage: Usage = { inputTokens: { total: 0, cacheRead: 0 }, outputTokens: { total: 0, reasoning: 0 } };
  for await (const event of events) {
    if (event.type === 'text-delta' || event.type === 'reasoning-delta') {
      for (const token of event.tokens ?? []) tokens.push(token, ...token.top);
    }
    if (event.type === 'finish') ({ usage } = event);
  }
  signal?.throwIfAborted();
  return { tokens, usage };
}

export function addUsage(left: Usage, right: Usage): Usage {
  return {
    inputTokens: {
      total: left.inputTokens.total + right.inputTokens.total,
      cacheRead: left.inputTokens.cacheRead + right.inputTokens.cacheRead,
    },
    outputTokens: {
      total: left.outputTokens.total + right.outputTokens.total,
      reasoning: left.outputTokens.reasoning + right.outputTokens.reasoning,
    },
  };
}

/** First tokens of the labels, with and without the space that some templates leave to the answer. */
function labelIds(model: Model, labels: readonly string[]): ReadonlyMap<number, number> {
  const ids = new Map<number, number>();
  const spaces = new Set(labels.map((label) => model.tokenize(` ${label}`)[0]));
  // Where all begin with the same token, the space is one of its own and tells nothing.
  const forms = spaces.size === labels.length ? ['', ' '] : [''];
  for (const [index, label] of labels.entries()) {
    for (const form of forms) {
      const [id] = model.tokenize(form + label);
      if (id === undefined || (ids.get(id) ?? index) !== index) {
        throw new RivuletError(
          'UNSUPPORTED',
          `The model "${model.info.id}" has no tokens that tell the answers ${labels.join(', ')} apart; use another model for decisions.`,
        );
      }
      ids.set(id, index);
    }
  }
  return ids;
}

import { createStreamParser } from './chat/parse-stream.ts';
import type { ReasoningFormat } from './chat/reasoning.ts';
import type {
  GenerateEvent,
  PromptTokenLogprob,
  RawFinishReason,
  TokenAlternative,
  TokenLogprob,
} from './events.ts';
import type { Engine, EngineEvent, ScoredId } from './generate/engine.ts';
import type { GenerationOptions } from './generate/generation-options.ts';
import { createStopText } from './generate/stop-text.ts';
import { createDetokenizer } from './tokenizer/detokenizer.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** One request after its prompt is known. */
export interface Decoding {
  /** Reported in the timings. */
  readonly loadMs: number;
  readonly tokenizer: Tokenizer;
  readonly engine: Engine;
  readonly prompt: Int32Array;
  readonly options: GenerationOptions;
  readonly reasoning: ReasoningFormat | undefined;
  readonly startsInReasoning: boolean;
  /** The output goes on in the prompt's text: a leading space belongs to it. */
  readonly continuesText: boolean;
  readonly promptLogprobs?: number | undefined;
}

/** Ids → bytes → text → stop text → events, ending with `finish`. */
export async function* decode(decoding: Decoding): AsyncGenerator<GenerateEvent, void, undefined> {
  const { tokenizer, options } = decoding;
  const { reasoning } = decoding;
  const markers = reasoning === undefined ? [] : [reasoning.open, reasoning.close];
  const detokenizer = createDetokenizer(tokenizer, {
    continuation: decoding.continuesText,
    visible: new Set(markers.map((marker) => tokenizer.idOf(marker))),
  });
  const stopText = createStopText(options.stop ?? []);
  let blocks = 0;
  const parser = createStreamParser({
    ...(reasoning === undefined ? {} : { reasoning }),
    startsInReasoning: decoding.startsInReasoning,
    createId: () => String(blocks++),
  });
  const counts = { output: 0, reasoning: 0, cacheRead: 0 };
  const times = { queueMs: 0, prefillMs: 0, decodeStart: 0 };
  let rawReason: RawFinishReason = 'max-tokens';
  let waiting: TokenLogprob[] = [];

  const events = decoding.engine.generate({
    prompt: decoding.prompt,
    options,
    endIds: tokenizer.endIds,
    ...(decoding.promptLogprobs === undefined ? {} : { promptLogprobs: decoding.promptLogprobs }),
  });
  for await (const event of events) {
    if (event.type === 'prefilled') {
      counts.cacheRead = event.cacheRead;
      times.queueMs = event.queueMs;
      times.prefillMs = event.prefillMs;
      times.decodeStart = performance.now();
      if (event.scores !== undefined) {
        yield { type: 'prompt-logprobs', tokens: promptTokens(tokenizer, event.scores) };
      }
      continue;
    }
    if (event.type === 'end') {
      rawReason = event.rawReason;
      break;
    }
    counts.output += 1;
    if (parser.inReasoning) counts.reasoning += 1;
    if (event.logprob !== undefined) waiting.push(sampledToken(tokenizer, event));
    const { text, stopped } = stopText.push(detokenizer.push(event.id));
    if (text !== '') {
      yield* parser.push(text, waiting.length === 0 ? undefined : waiting);
      waiting = [];
    }
    if (stopped) {
      rawReason = 'stop-sequence';
      break;
    }
  }
  if (rawReason !== 'stop-sequence') {
    const last = stopText.push(detokenizer.flush());
    const rest = last.stopped ? last.text : last.text + stopText.flush();
    if (last.stopped) rawReason = 'stop-sequence';
    if (rest !== '') yield* parser.push(rest, waiting.length === 0 ? undefined : waiting);
  }
  yield* parser.end();
  yield {
    type: 'finish',
    reason: rawReason === 'eos' || rawReason === 'stop-sequence' ? 'stop' : 'length',
    rawReason,
    usage: {
      inputTokens: { total: decoding.prompt.length, cacheRead: counts.cacheRead },
      outputTokens: { total: counts.output, reasoning: counts.reasoning },
    },
    timings: {
      loadMs: decoding.loadMs,
      queueMs: times.queueMs,
      prefillMs: times.prefillMs,
      decodeMs: times.decodeStart === 0 ? 0 : performance.now() - times.decodeStart,
    },
  };
}

function sampledToken(tokenizer: Tokenizer, event: EngineEvent & { type: 'token' }): TokenLogprob {
  return {
    ...alternative(tokenizer, { id: event.id, logprob: event.logprob ?? Number.NaN }),
    top: (event.top ?? []).map((scored) => alternative(tokenizer, scored)),
  };
}

function alternative(tokenizer: Tokenizer, scored: ScoredId): TokenAlternative {
  return {
    id: scored.id,
    text: tokenizer.decode([scored.id], { special: true }),
    logprob: scored.logprob,
  };
}

function promptTokens(
  tokenizer: Tokenizer,
  scores: readonly (ScoredId & { readonly top: readonly ScoredId[] })[],
): PromptTokenLogprob[] {
  return scores.map((score) => ({
    id: score.id,
    text: tokenizer.decode([score.id], { special: true }),
    logprob: Number.isNaN(score.logprob) ? null : score.logprob,
    top: score.top.map((scored) => alternative(tokenizer, scored)),
  }));
}

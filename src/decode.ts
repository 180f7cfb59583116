import { createCallId } from './chat/call-ids.ts';
import { markerTexts } from './chat/marker-texts.ts';
import type { OfferedTool } from './chat/output/call-context.ts';
import { plainText } from './chat/output/read-answer.ts';
import type { AnswerFormat } from './chat/output/read-answer.ts';
import { createStreamParser } from './chat/parse-stream.ts';
import type { ToolFormat } from './chat/tool-format.ts';
import type {
  GenerateEvent,
  PromptTokenLogprob,
  RawFinishReason,
  TokenAlternative,
  TokenLogprob,
} from './events.ts';
import type { Engine, EngineEvent, ScoredId } from './generate/engine.ts';
import type { GenerationOptions } from './generate/generation-options.ts';
import type { TokenMask } from './grammar/token-mask.ts';
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
  /** Absent: everything is text. */
  readonly output?: DecodedOutput;
  /** The output goes on in the prompt's text: a leading space belongs to it. */
  readonly continuesText: boolean;
  readonly promptLogprobs?: number | undefined;
  readonly mask?: TokenMask | undefined;
}

/** What the parts of an answer are told apart by. */
export interface DecodedOutput {
  readonly format: AnswerFormat;
  readonly startsInReasoning: boolean;
  readonly toolFormat?: ToolFormat | undefined;
  /** By the names that the model knows. */
  readonly tools: ReadonlyMap<string, OfferedTool>;
  /** A grammar holds the form that a format writes, but other forms are read as calls too. */
  readonly mostCalls?: number;
}

const onlyText: DecodedOutput = {
  format: plainText,
  startsInReasoning: false,
  tools: new Map(),
};

/** Ids → bytes → text → stop text → events, ending with `finish`. */
export async function* decode(decoding: Decoding): AsyncGenerator<GenerateEvent, void, undefined> {
  const { tokenizer, options, output = onlyText } = decoding;
  const markers = markerTexts(output.format, output.toolFormat);
  const detokenizer = createDetokenizer(tokenizer, {
    continuation: decoding.continuesText,
    visible: new Set(markers.map((marker) => tokenizer.idOf(marker))),
  });
  const stopText = createStopText(options.stop ?? []);
  let blocks = 0;
  const parser = createStreamParser({
    format: output.format,
    tools: output.tools,
    mostCalls: output.mostCalls,
    startsInReasoning: output.startsInReasoning,
    createId: (kind) => (kind === 'tool' ? createCallId() : String(blocks++)),
  });
  const counts = { output: 0, reasoning: 0, cacheRead: 0 };
  const times = { queueMs: 0, prefillMs: 0, decodeStart: 0 };
  let rawReason: RawFinishReason = 'max-tokens';
  let waiting: TokenLogprob[] = [];

  const events = decoding.engine.generate({
    prompt: decoding.prompt,
    options,
    endIds: tokenizer.endIds,
    ...(decoding.mask === undefined ? {} : { mask: decoding.mask }),
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
  const isCut = rawReason === 'max-tokens' || rawReason === 'context-full';
  yield* parser.end({ isCut });
  yield {
    type: 'finish',
    reason: isCut ? 'length' : parser.calls > 0 ? 'tool-calls' : 'stop',
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

import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { TokenMask } from '../grammar/token-mask.ts';
import type { SessionInfo } from '../session/session.ts';
import type { EngineEvent, EngineRequest, ScoredId } from './engine.ts';
import { createPenaltyWindow } from './penalty-window.ts';
import type { PenaltyWindow } from './penalty-window.ts';
import type { HeldSequence } from './prefix-cache.ts';
import { checkLogprobs, resolveOptions } from './resolve-options.ts';
import type { ResolvedOptions } from './resolve-options.ts';
import { createSampler } from './sampler.ts';
import type { Sampler } from './sampler.ts';
import { createTokenList } from './token-list.ts';
import type { TokenList } from './token-list.ts';

/** A token of the prompt with its probability and the best alternatives. */
export type ScoredPromptToken = ScoredId & { readonly top: readonly ScoredId[] };

/** All that a scheduler knows of one live request; how much is computed, only the session knows. */
export interface RequestState {
  readonly options: ResolvedOptions;
  readonly endIds: ReadonlySet<number>;
  readonly promptLength: number;
  /** Prompt and output; the last generated token has not gone through the session yet. */
  readonly tokens: TokenList;
  readonly sampler: Sampler;
  readonly window: PenaltyWindow | undefined;
  /** What the output is held to. */
  readonly mask: TokenMask | undefined;
  /** Alternatives per prompt token; undefined = the prompt is not scored. */
  readonly promptTop: number | undefined;
  readonly scores: ScoredPromptToken[];
  /** Events that wait to be pulled. */
  readonly ready: EngineEvent[];
  /** A pull that waits for an event. */
  pull: { resolve(event: EngineEvent): void; reject(error: unknown): void } | undefined;
  /** What every further pull throws. */
  failure: { readonly error: unknown } | undefined;
  /** Its sequence, from the first step on; taken away again when others need the room more. */
  held: HeldSequence | undefined;
  /** The cache had no room for its next step: it waits until another sequence is given up. */
  waitsForRoom: boolean;
  cacheRead: number;
  prefilled: boolean;
  /** Its tokens in the step that runs now; 0 = it has no part in it. */
  tokensInFlight: number;
  /** What becomes of the sequence once the request is over; undefined = it is not over. */
  settled: 'keep' | 'close' | undefined;
  /** Milliseconds, of `performance.now`. */
  readonly arrivedMs: number;
  /** When it got its first sequence; 0 = it waits for its turn to begin. */
  startedMs: number;
  /** Since when nobody has pulled; undefined while a pull waits. */
  parkedMs: number | undefined;
  /** Rises with every turn that any request gets, so that turns go round; -1 = none yet. */
  lastTurn: number;
}

/**
 * Checks a request and makes its state.
 * @throws {RivuletError} `INVALID_ARGUMENT`, `CONTEXT_OVERFLOW`, `METADATA_WRONG_TYPE`, `GRAMMAR_STUCK`
 */
export function createRequestState(
  request: EngineRequest,
  info: SessionInfo,
  fileDefaults: Metadata | undefined,
): RequestState {
  const options = resolveOptions(request.options, info.vocabularySize, fileDefaults);
  const promptTop =
    request.promptLogprobs === undefined
      ? undefined
      : checkLogprobs('promptLogprobs', request.promptLogprobs);
  checkPrompt(request.prompt, info, options.maxTokens);
  // Later it must not fail: a step is planned for all.
  request.mask?.next();
  const window = createPenaltyWindow(options);
  if (window !== undefined) for (const id of request.prompt) window.push(id);
  return {
    options,
    endIds: request.endIds,
    promptLength: request.prompt.length,
    tokens: createTokenList(request.prompt),
    sampler: createSampler(options, info.vocabularySize),
    window,
    mask: request.mask,
    promptTop,
    scores: [],
    ready: [],
    pull: undefined,
    failure: undefined,
    held: undefined,
    waitsForRoom: false,
    cacheRead: 0,
    prefilled: false,
    tokensInFlight: 0,
    settled: undefined,
    arrivedMs: performance.now(),
    startedMs: 0,
    parkedMs: undefined,
    lastTurn: -1,
  };
}

function checkPrompt(prompt: Int32Array, info: SessionInfo, maxTokens: number): void {
  const { vocabularySize, contextLength } = info;
  if (prompt.length === 0) {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      'Expected a prompt of at least one token, found an empty one. Give some text, or the beginning-of-text token.',
      { details: { option: 'prompt' } },
    );
  }
  const wrong = prompt.find((id) => id < 0 || id >= vocabularySize);
  if (wrong !== undefined) {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected token ids from 0 to ${vocabularySize - 1} in the prompt, found ${wrong}. Tokenize with this model's own vocabulary.`,
      { details: { option: 'prompt', tokenId: wrong } },
    );
  }
  // Only a request that generates needs room behind its prompt.
  const room = maxTokens === 0 ? contextLength : contextLength - 1;
  if (prompt.length > room) {
    throw new RivuletError(
      'CONTEXT_OVERFLOW',
      `Expected a prompt that leaves room for an answer in the context of ${contextLength} tokens, found ${prompt.length} tokens. Shorten the prompt, or load the model with a larger contextLength.`,
      { details: { promptTokens: prompt.length, contextLength } },
    );
  }
}

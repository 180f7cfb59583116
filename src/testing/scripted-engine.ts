import { RivuletError } from '../errors.ts';
import type { Engine, EngineEvent, EngineRequest } from '../generate/engine.ts';
import type { GenerationOptions } from '../generate/generation-options.ts';
import type { ScriptedTokenizer } from './scripted-tokenizer.ts';

/**
 * One token: its text, its bytes (a character may be split over two pieces), or an error that is thrown
 * when this piece is asked for.
 */
export type ScriptedPiece = string | Uint8Array | Error;

/** What a request was and how far it got; `state` and `pieces` change while it runs. */
export interface ScriptedRequest {
  /** The rendered prompt, special tokens written out. */
  readonly prompt: string;
  readonly promptTokens: number;
  readonly options: GenerationOptions;
  /** Pieces that were asked for so far. */
  readonly pieces: number;
  /** `left`: the consumer or an abort ended it before the script did. */
  readonly state: 'running' | 'finished' | 'failed' | 'left';
}

export interface ScriptedEngineOptions {
  readonly tokenizer: ScriptedTokenizer;
  /** One list per request, in the order in which requests start. */
  readonly outputs: readonly (readonly ScriptedPiece[])[];
  readonly contextLength: number;
  readonly prefillMs: number;
  readonly delayMs: number;
}

/** An {@link Engine} that says what its script says; pulled, abortable and bounded like the real one. */
export interface ScriptedEngine extends Engine {
  readonly requests: readonly ScriptedRequest[];
}

type EndReason = (EngineEvent & { type: 'end' })['rawReason'];

type RequestRecord = { -readonly [Key in keyof ScriptedRequest]: ScriptedRequest[Key] } & {
  readonly ids: Int32Array;
};

export function createScriptedEngine(script: ScriptedEngineOptions): ScriptedEngine {
  const requests: RequestRecord[] = [];
  let disposed = false;

  async function* generate(request: EngineRequest): AsyncGenerator<EngineEvent, void, undefined> {
    const { options, prompt } = request;
    options.signal?.throwIfAborted();
    if (disposed) throw new RivuletError('DISPOSED', 'The scripted model was disposed; make a new one.');
    checkPrompt(request, script.contextLength);
    const pieces = script.outputs[requests.length];
    if (pieces === undefined) throw usedUp(script.outputs.length, requests.length + 1);
    const kept = requests.filter((earlier) => earlier.options.cache !== false);
    const cacheRead = options.cache === false ? 0 : longestSharedPrefix(kept, prompt);
    const record: RequestRecord = {
      prompt: script.tokenizer.decode(prompt, { special: true }),
      promptTokens: prompt.length,
      options,
      pieces: 0,
      state: 'running',
      ids: prompt,
    };
    requests.push(record);
    const leave = (): void => {
      if (record.state === 'running') record.state = 'left';
    };
    // As in the real engine an abort frees a parked request, too.
    options.signal?.addEventListener('abort', leave);
    try {
      const rawReason = yield* speak(request, pieces, record, cacheRead);
      record.state = 'finished';
      yield { type: 'end', rawReason };
    } catch (error) {
      if (options.signal?.aborted !== true) record.state = 'failed';
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', leave);
      leave();
    }
  }

  async function* speak(
    { options, prompt }: EngineRequest,
    pieces: readonly ScriptedPiece[],
    record: RequestRecord,
    cacheRead: number,
  ): AsyncGenerator<EngineEvent, EndReason, undefined> {
    const started = performance.now();
    await pause(script.prefillMs, options.signal);
    yield { type: 'prefilled', cacheRead, queueMs: 0, prefillMs: performance.now() - started };
    for (const piece of pieces) {
      if (record.pieces >= (options.maxTokens ?? Number.POSITIVE_INFINITY)) return 'max-tokens';
      if (prompt.length + record.pieces >= script.contextLength) return 'context-full';
      await pause(script.delayMs, options.signal);
      if (disposed) throw new RivuletError('DISPOSED', 'The scripted model was disposed while it spoke.');
      record.pieces += 1;
      if (piece instanceof Error) throw piece;
      const id = script.tokenizer.pieceId(piece);
      yield options.logprobs === undefined
        ? { type: 'token', id }
        : // A script leaves no choice: its next token is certain.
          { type: 'token', id, logprob: 0, top: options.logprobs === 0 ? [] : [{ id, logprob: 0 }] };
    }
    return 'eos';
  }

  return {
    requests,
    generate,
    dispose: async () => {
      disposed = true;
    },
  };
}

function checkPrompt(request: EngineRequest, contextLength: number): void {
  const promptTokens = request.prompt.length;
  if (request.promptLogprobs !== undefined) {
    throw new RivuletError(
      'UNSUPPORTED',
      'A scripted model has no weights to score a prompt with; leave promptLogprobs away or load a real model.',
    );
  }
  if (promptTokens < contextLength) return;
  throw new RivuletError(
    'CONTEXT_OVERFLOW',
    `The prompt has ${promptTokens} tokens and the context holds ${contextLength}; shorten the prompt or raise contextLength.`,
    { details: { promptTokens, contextLength } },
  );
}

function usedUp(lists: number, request: number): RivuletError {
  return new RivuletError(
    'INVALID_ARGUMENT',
    `The script has ${lists} output lists and this is request ${request}; add a list for it to outputs.`,
    { details: { outputs: lists, request } },
  );
}

/** As in the real engine at least one token is computed anew, so that there is something to sample from. */
function longestSharedPrefix(requests: readonly RequestRecord[], prompt: Int32Array): number {
  let longest = 0;
  for (const { ids } of requests) {
    const limit = Math.min(ids.length, prompt.length - 1);
    let shared = 0;
    while (shared < limit && ids[shared] === prompt[shared]) shared += 1;
    longest = Math.max(longest, shared);
  }
  return longest;
}

/** Waits, but not past an abort. */
async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (delayMs <= 0) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal?.addEventListener('abort', done);
  });
  signal?.throwIfAborted();
}

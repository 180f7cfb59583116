import { RivuletError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { NativeEngine, NativeItem, NativeOutcome, NativeSelection } from './native-addon.ts';
import type {
  Candidates,
  Selection,
  SequenceId,
  Session,
  SessionInfo,
  StepItem,
  StepResult,
} from './session.ts';

const logitsKinds = { last: 1, all: 2 } as const;

/** A session of the native engine: any mix of sequences per step, caches in pages outside of JavaScript. */
export class NativeSession implements Session {
  readonly info: SessionInfo;
  readonly #engine: NativeEngine;
  /** Closed while a step ran; a lock would have to wait for its end. */
  readonly #closing: SequenceId[] = [];
  #stepping: Promise<unknown> | undefined;
  #released = false;

  constructor(engine: NativeEngine, info: SessionInfo) {
    this.#engine = engine;
    this.info = info;
  }

  openSequence(): SequenceId {
    return call(() => this.#engine.openSequence());
  }

  lengthOf(sequence: SequenceId): number {
    return call(() => this.#engine.lengthOf(sequence));
  }

  truncate(sequence: SequenceId, length: number): void {
    call(() => this.#engine.truncate(sequence, length));
  }

  fork(sequence: SequenceId, length: number): SequenceId {
    return call(() => this.#engine.fork(sequence, length));
  }

  closeSequence(sequence: SequenceId): void {
    if (this.#stepping === undefined) call(() => this.#engine.closeSequence(sequence));
    else this.#closing.push(sequence);
  }

  async step(items: readonly StepItem[], signal?: AbortSignal): Promise<readonly StepResult[]> {
    signal?.throwIfAborted();
    if (this.#released) throw new RivuletError('DISPOSED', 'The session was disposed.');
    const cancel = (): void => this.#engine.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    const running = this.#engine.step(items.map(toNative));
    this.#stepping = running;
    try {
      const outcome = await running;
      // An abort that came too late has not undone the step: its results count, or lengths would be a surprise.
      if (outcome.results === undefined) signal?.throwIfAborted();
      if (this.#released) throw new RivuletError('DISPOSED', 'The session was disposed.');
      return resultsOf(outcome);
    } finally {
      this.#stepping = undefined;
      signal?.removeEventListener('abort', cancel);
      for (const sequence of this.#closing.splice(0)) call(() => this.#engine.closeSequence(sequence));
    }
  }

  moreCandidates(sequence: SequenceId, count: number): Candidates {
    return call(() => this.#engine.moreCandidates(sequence, count));
  }

  cacheBytesOf(sequences: readonly SequenceId[]): number {
    return call(() => this.#engine.cacheBytesOf(sequences));
  }

  async dispose(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#engine.cancel();
    await this.#stepping;
    this.#engine.end();
  }
}

/** What went well of an outcome. @throws {RivuletError} with the engine's code */
export function resultsOf(outcome: NativeOutcome): readonly StepResult[] {
  if (outcome.results !== undefined) return outcome.results;
  throw new RivuletError((outcome.code ?? 'ENGINE_FAILED') as ErrorCode, outcome.message ?? '');
}

function toNative({ sequence, tokens, select, score, logits }: StepItem): NativeItem {
  return {
    sequence,
    tokens,
    ...(select === undefined ? {} : { select: toNativeSelection(select) }),
    ...(score === undefined ? {} : { scoreTargets: score.targets, scoreTop: score.top }),
    ...(logits === undefined ? {} : { logits: logitsKinds[logits] }),
  };
}

function toNativeSelection({ count, bias, penalties, mask, rawTop }: Selection): NativeSelection {
  return {
    count,
    ...(bias === undefined
      ? {}
      : { biasIds: Int32Array.from(bias.keys()), biasValues: Float32Array.from(bias.values()) }),
    ...(penalties === undefined ? {} : { penalties }),
    ...(mask === undefined ? {} : { mask }),
    ...(rawTop === undefined ? {} : { rawTop }),
  };
}

/** The addon's errors carry our codes. */
function call<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new RivuletError(error.code as ErrorCode, error.message, { cause: error });
  }
}

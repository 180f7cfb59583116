import { embedInSlices, rerankInSlices } from '../embed/run-in-slices.ts';
import type { SliceResult, TextSlice } from '../embed/text-vectors.ts';
import { errorFromPlain, RivuletError } from '../errors.ts';
import type { GenerateEvent, ProgressListener } from '../events.ts';
import type { Model, ModelInfo } from '../model.ts';
import type { ModelHeader, OpenOptions } from '../open-model.ts';
import { takeMerged } from './merge-deltas.ts';
import type { Channel, StreamCall, ToClient, ToHost } from './protocol.ts';
import { streamCredit } from './protocol.ts';

export interface ConnectRequest {
  readonly reference: string;
  readonly location: string;
  readonly options: Omit<OpenOptions, 'signal' | 'onProgress'>;
  /** Makes what the synchronous methods need, at the first call of one: many programs never call any. */
  readonly textSide: (info: ModelInfo, header: ModelHeader, chatTemplate: string | undefined) => Model;
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

interface ClientStream {
  readonly events: GenerateEvent[];
  ended: boolean;
  error?: unknown;
  wake?: () => void;
}

/** A host that was told to stop opening gets this long to remove its half-written files. */
const cleanUpMs = 10_000;

/**
 * The caller's end of a channel: a {@link Model} whose engine runs on the other side. Tokenizer and template
 * are built here on first use, because their methods are synchronous.
 * @throws what opening throws on the other side; the signal's reason on abort
 */
export async function connectModel(
  channel: Channel<ToHost, ToClient>,
  request: ConnectRequest,
): Promise<Model> {
  const connection = new Connection(channel);
  const opened = await connection.open(request);
  return remoteModel(connection, opened, () =>
    request.textSide(opened.info, opened.header, request.options.chatTemplate),
  );
}

function remoteModel(
  connection: Connection,
  { info }: ToClient & { type: 'opened' },
  create: () => Model,
): Model {
  let local: Model | undefined;
  const textSide = (): Model => (local ??= create());
  const dispose = (): Promise<void> => connection.dispose();
  return {
    info,
    chat: ({ signal, ...request }) => connection.stream({ kind: 'chat', request }, signal),
    complete: ({ signal, ...request }) => connection.stream({ kind: 'complete', request }, signal),
    embed: (request) => embedInSlices(request, (slice, signal) => connection.runTexts(slice, signal)),
    rerank: (request) => rerankInSlices(request, (slice, signal) => connection.runTexts(slice, signal)),
    tokenize: (text, options) => textSide().tokenize(text, options),
    detokenize: (ids, options) => textSide().detokenize(ids, options),
    renderPrompt: (request) => textSide().renderPrompt(request),
    countTokens: (request) => textSide().countTokens(request),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

class Connection {
  readonly #channel: Channel<ToHost, ToClient>;
  readonly #streams = new Map<number, ClientStream>();
  readonly #opened = Promise.withResolvers<ToClient & { type: 'opened' }>();
  readonly #disposed = Promise.withResolvers<void>();
  #onProgress: ProgressListener | undefined;
  readonly #texts = new Map<number, PromiseWithResolvers<SliceResult>>();
  #nextStream = 1;
  #nextTexts = 1;
  #waiting = 0;
  #closed: Error | undefined;

  constructor(channel: Channel<ToHost, ToClient>) {
    this.#channel = channel;
    this.#opened.promise.catch(() => undefined);
    channel.listen((message) => this.#receive(message));
    channel.onClosed((error) => {
      const reason = error === undefined ? '' : `: ${error.message}`;
      this.#end(
        new RivuletError(
          'WORKER_FAILED',
          `The engine's thread ended unexpectedly${reason}. Load the model again.`,
          { cause: error },
        ),
      );
      this.#disposed.resolve();
    });
  }

  async open(request: ConnectRequest): Promise<ToClient & { type: 'opened' }> {
    const { signal } = request;
    signal?.throwIfAborted();
    this.#onProgress = request.onProgress;
    this.#channel.post({
      type: 'open',
      reference: request.reference,
      location: request.location,
      options: request.options,
    });
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#holding(Promise.race([this.#opened.promise, aborted.promise]));
    } catch (error) {
      if (signal?.aborted) void this.#giveUp();
      else await this.#channel.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async *stream(
    call: StreamCall,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    signal?.throwIfAborted();
    if (this.#closed !== undefined) throw this.#closed;
    const id = this.#nextStream++;
    const stream: ClientStream = { events: [], ended: false };
    this.#post({ type: 'start', stream: id, call, credit: streamCredit });
    this.#streams.set(id, stream);
    const onAbort = (): void => stream.wake?.();
    signal?.addEventListener('abort', onAbort, { once: true });
    let read = 0;
    try {
      for (;;) {
        signal?.throwIfAborted();
        const taken = takeMerged(stream.events);
        if (taken !== undefined) {
          yield taken.event;
          read += taken.count;
          if (read >= streamCredit / 2) {
            this.#channel.post({ type: 'grant', stream: id, credit: read });
            read = 0;
          }
        } else if ('error' in stream) {
          throw stream.error;
        } else if (stream.ended) {
          return;
        } else {
          const { promise, resolve } = Promise.withResolvers<void>();
          stream.wake = resolve;
          await this.#holding(promise);
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#streams.delete(id);
      if (!stream.ended && this.#closed === undefined) this.#channel.post({ type: 'cancel', stream: id });
    }
  }

  /** @throws what the engine throws; the signal's reason on abort */
  async runTexts(slice: TextSlice, signal: AbortSignal | undefined): Promise<SliceResult> {
    signal?.throwIfAborted();
    if (this.#closed !== undefined) throw this.#closed;
    const call = this.#nextTexts++;
    const answer = Promise.withResolvers<SliceResult>();
    this.#post({ type: 'texts', call, slice });
    this.#texts.set(call, answer);
    const onAbort = (): void => {
      this.#channel.post({ type: 'cancel-texts', call });
      answer.reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#holding(answer.promise);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#texts.delete(call);
    }
  }

  async dispose(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#end(new RivuletError('DISPOSED', 'The model was disposed; load it again.'));
    this.#channel.post({ type: 'dispose' });
    await this.#holding(this.#disposed.promise);
    await this.#channel.close();
  }

  /** Keeps the process alive while somebody waits; a stream that nobody reads must not. */
  async #holding<T>(promise: Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) this.#channel.hold(true);
    try {
      return await promise;
    } finally {
      if (--this.#waiting === 0) this.#channel.hold(false);
    }
  }

  /** Lets the host clean up after an aborted opening, then ends it. */
  async #giveUp(): Promise<void> {
    this.#channel.post({ type: 'cancel-open' });
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, cleanUpMs);
    await Promise.race([this.#opened.promise.then(() => undefined).catch(() => undefined), promise]);
    clearTimeout(timer);
    await this.#channel.close();
  }

  #post(message: ToHost): void {
    try {
      this.#channel.post(message);
    } catch (error) {
      throw new RivuletError(
        'INVALID_ARGUMENT',
        `Expected a request of plain data; something in it cannot be sent to the engine's thread: ${String(error)}`,
        { cause: error },
      );
    }
  }

  #receive(message: ToClient): void {
    switch (message.type) {
      case 'progress':
        this.#onProgress?.(message.progress);
        break;
      case 'opened':
        this.#opened.resolve(message);
        break;
      case 'open-failed':
        this.#opened.reject(errorFromPlain(message.error));
        break;
      case 'disposed':
        this.#disposed.resolve();
        break;
      case 'texts-done':
        this.#texts.get(message.call)?.resolve(message.result);
        break;
      case 'texts-failed':
        this.#texts.get(message.call)?.reject(errorFromPlain(message.error));
        break;
      case 'several':
        for (const single of message.messages) this.#receive(single);
        break;
      default: {
        const stream = this.#streams.get(message.stream);
        if (stream === undefined) break;
        if (message.type === 'event') stream.events.push(message.event);
        else {
          stream.ended = true;
          if (message.type === 'failed') stream.error = errorFromPlain(message.error);
        }
        stream.wake?.();
      }
    }
  }

  #end(error: RivuletError): void {
    this.#closed ??= error;
    this.#opened.reject(this.#closed);
    for (const answer of this.#texts.values()) answer.reject(this.#closed);
    for (const stream of this.#streams.values()) {
      if (!stream.ended) {
        stream.ended = true;
        stream.error = this.#closed;
      }
      stream.wake?.();
    }
  }
}

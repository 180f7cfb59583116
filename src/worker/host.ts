import type { TextSlice } from '../embed/text-vectors.ts';
import { errorToPlain, RivuletError } from '../errors.ts';
import type { GenerateEvent } from '../events.ts';
import type { Model } from '../model.ts';
import { openModel } from '../open-model.ts';
import type { OpenedModel } from '../open-model.ts';
import type { Platform } from '../platform.ts';
import { collectMessages } from './collect-messages.ts';
import type { Channel, StreamCall, ToClient, ToHost } from './protocol.ts';

interface HostedStream {
  readonly abort: AbortController;
  credit: number;
  wake?: () => void;
}

/** A stream whose reader grants nothing for so long is given up, and its memory freed. */
const defaultParkLimitMs = 60_000;

/** The engine's end of a channel: opens one model and runs its streams, each only as far as it is read. */
export function hostModel(
  channel: Channel<ToClient, ToHost>,
  platform: Platform,
  parkLimitMs: number = defaultParkLimitMs,
): void {
  const streams = new Map<number, HostedStream>();
  const opening = new AbortController();
  const post = collectMessages(channel);
  let opened: OpenedModel | undefined;
  const textCalls = new Map<number, AbortController>();

  const open = async (message: ToHost & { type: 'open' }): Promise<void> => {
    try {
      opened = await openModel(platform, message.reference, message.location, {
        ...message.options,
        signal: opening.signal,
        onProgress: (progress) => post({ type: 'progress', progress }),
      });
      post({ type: 'opened', info: opened.model.info, header: opened.header });
    } catch (error) {
      post({ type: 'open-failed', error: errorToPlain(error) });
    }
  };

  const run = async (id: number, call: StreamCall, credit: number): Promise<void> => {
    const stream: HostedStream = { abort: new AbortController(), credit };
    streams.set(id, stream);
    let iterator: AsyncIterator<GenerateEvent> | undefined;
    try {
      if (opened === undefined) throw new RivuletError('DISPOSED', 'The model is not open.');
      iterator = startCall(opened.model, call, stream.abort.signal)[Symbol.asyncIterator]();
      for (;;) {
        if (stream.credit === 0) await granted(stream, parkLimitMs);
        const next = await iterator.next();
        if (next.done === true) break;
        stream.credit -= 1;
        post({ type: 'event', stream: id, event: next.value });
      }
      post({ type: 'ended', stream: id });
    } catch (error) {
      post({ type: 'failed', stream: id, error: errorToPlain(error) });
    } finally {
      streams.delete(id);
      await iterator?.return?.();
    }
  };

  const runTexts = async (call: number, slice: TextSlice): Promise<void> => {
    const abort = new AbortController();
    textCalls.set(call, abort);
    try {
      if (opened === undefined) throw new RivuletError('DISPOSED', 'The model is not open.');
      post({ type: 'texts-done', call, result: await opened.texts.run(slice, abort.signal) });
    } catch (error) {
      post({ type: 'texts-failed', call, error: errorToPlain(error) });
    } finally {
      textCalls.delete(call);
    }
  };

  channel.listen((message) => {
    switch (message.type) {
      case 'open':
        void open(message);
        break;
      case 'cancel-open':
        opening.abort();
        break;
      case 'start':
        void run(message.stream, message.call, message.credit);
        break;
      case 'grant': {
        const stream = streams.get(message.stream);
        if (stream === undefined) break;
        stream.credit += message.credit;
        stream.wake?.();
        break;
      }
      case 'cancel': {
        const stream = streams.get(message.stream);
        stream?.abort.abort();
        stream?.wake?.();
        break;
      }
      case 'texts':
        void runTexts(message.call, message.slice);
        break;
      case 'cancel-texts':
        textCalls.get(message.call)?.abort();
        break;
      case 'dispose':
        for (const stream of streams.values()) stream.abort.abort();
        void (opened?.model.dispose() ?? Promise.resolve()).then(() => post({ type: 'disposed' }));
        break;
    }
  });
}

function startCall(model: Model, call: StreamCall, signal: AbortSignal): AsyncIterable<GenerateEvent> {
  return call.kind === 'chat'
    ? model.chat({ ...call.request, signal })
    : model.complete({ ...call.request, signal });
}

/** Waits for credit. @throws {RivuletError} `PARKED_TOO_LONG`; the signal's reason on cancel */
async function granted(stream: HostedStream, parkLimitMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () =>
      reject(
        new RivuletError(
          'PARKED_TOO_LONG',
          `Nobody read the stream for ${parkLimitMs} ms, so it was given up. Read streams to their end, or abort them.`,
        ),
      ),
    parkLimitMs,
  );
  stream.wake = resolve;
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    delete stream.wake;
  }
  stream.abort.signal.throwIfAborted();
}

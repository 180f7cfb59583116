import type { SliceResult, TextSlice } from '../embed/text-vectors.ts';
import type { PlainError } from '../errors.ts';
import type { GenerateEvent, Progress } from '../events.ts';
import type { ChatRequest, CompleteRequest, ModelInfo } from '../model.ts';
import type { ModelHeader, OpenOptions } from '../open-model.ts';

/** Messages between two threads, whatever carries them. */
export interface Channel<Out, In> {
  post(message: Out): void;
  listen(listener: (message: In) => void): void;
  /** Called once when the other side is gone, with the error if it failed. */
  onClosed(listener: (error: Error | undefined) => void): void;
  /** Whether the process should wait for this channel. */
  hold(active: boolean): void;
  /** Ends the other side. */
  close(): Promise<void>;
}

/** Requests without what cannot cross: the signal becomes a `cancel` message. */
export type StreamCall =
  | { readonly kind: 'chat'; readonly request: Omit<ChatRequest, 'signal'> }
  | { readonly kind: 'complete'; readonly request: Omit<CompleteRequest, 'signal'> };

export type ToHost =
  | {
      readonly type: 'open';
      readonly reference: string;
      readonly location: string;
      readonly options: Omit<OpenOptions, 'signal' | 'onProgress'>;
    }
  | { readonly type: 'cancel-open' }
  /** `credit` events may be sent before the next `grant`. */
  | { readonly type: 'start'; readonly stream: number; readonly call: StreamCall; readonly credit: number }
  | { readonly type: 'grant'; readonly stream: number; readonly credit: number }
  | { readonly type: 'cancel'; readonly stream: number }
  /** Vectors or scores of some texts, answered by one `texts-done` or `texts-failed`. */
  | { readonly type: 'texts'; readonly call: number; readonly slice: TextSlice }
  | { readonly type: 'cancel-texts'; readonly call: number }
  | { readonly type: 'dispose' };

export type ToClient =
  | { readonly type: 'progress'; readonly progress: Progress }
  | {
      readonly type: 'opened';
      readonly info: ModelInfo;
      readonly header: ModelHeader;
    }
  | { readonly type: 'open-failed'; readonly error: PlainError }
  | { readonly type: 'event'; readonly stream: number; readonly event: GenerateEvent }
  | { readonly type: 'ended'; readonly stream: number }
  | { readonly type: 'failed'; readonly stream: number; readonly error: PlainError }
  | { readonly type: 'texts-done'; readonly call: number; readonly result: SliceResult }
  | { readonly type: 'texts-failed'; readonly call: number; readonly error: PlainError }
  | { readonly type: 'disposed' }
  /** In this order, as if each had come alone. */
  | { readonly type: 'several'; readonly messages: readonly ToClient[] };

/** Unread events that a stream may have: enough to hide a message's way, few enough to stop soon. */
export const streamCredit = 16;

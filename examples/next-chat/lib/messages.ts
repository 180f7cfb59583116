import type { InferUITools, UIMessage } from 'ai';
import type { tools } from './tools';

/** What the page shows while the model is being fetched and opened; never part of the conversation. */
export interface ModelStatus {
  readonly phase: string;
  readonly label: string;
  /** 0–1; absent while it cannot be told. */
  readonly fraction?: number;
  readonly ready: boolean;
}

/** Figures of a finished answer. */
export interface AnswerFigures {
  readonly outputTokens?: number;
  readonly tokensPerSecond?: number;
  readonly cachedTokens?: number;
}

export type ChatMessage = UIMessage<AnswerFigures, { model: ModelStatus }, InferUITools<typeof tools>>;

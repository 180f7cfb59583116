import type { GenerateEvent, TokenLogprob } from '../events.ts';
import { CallContext } from './output/call-context.ts';
import type { OfferedTool } from './output/call-context.ts';
import { EventWriter } from './output/event-writer.ts';
import type { AnswerFormat } from './output/read-answer.ts';
import { readAnswer } from './output/read-answer.ts';
import { TextReader } from './output/text-reader.ts';

export interface StreamParserOptions {
  readonly format: AnswerFormat;
  /** By the name that the model knows. */
  readonly tools?: ReadonlyMap<string, OfferedTool>;
  /** What looks like a further call is text. @default as many as there are */
  readonly mostCalls?: number | undefined;
  /** The prompt has opened a block of reasoning. */
  readonly startsInReasoning: boolean;
  /** Makes an id for each block and call. */
  readonly createId: (kind: 'text' | 'reasoning' | 'tool') => string;
}

/**
 * Turns text deltas into events, the same whatever the deltas are: joined deltas of all blocks are the text without
 * markers and calls. White space around markers belongs to them.
 */
export interface StreamParser {
  /** Whether what comes next is reasoning. */
  readonly inReasoning: boolean;
  /** Complete calls so far. */
  readonly calls: number;
  push(delta: string, tokens?: readonly TokenLogprob[]): GenerateEvent[];
  /** What was held back, and the end of the open block. A call that is cut is none; one that the model broke off is text. */
  end(options?: { readonly isCut?: boolean }): GenerateEvent[];
}

export function createStreamParser(options: StreamParserOptions): StreamParser {
  const reader = new TextReader();
  const writer = new EventWriter(options.createId);
  const offered = options.tools ?? new Map<string, OfferedTool>();
  const context = new CallContext(reader, writer, offered, options.mostCalls);
  const { format, startsInReasoning } = options;
  context.inReasoning = startsInReasoning && format.reasoning !== undefined;
  const reading = readAnswer(context, format, startsInReasoning);

  return {
    get inReasoning() {
      return context.inReasoning;
    },
    get calls() {
      return writer.calls;
    },
    push(delta, tokens) {
      if (tokens !== undefined) writer.addTokens(tokens);
      reader.push(delta);
      reading.next();
      return writer.take();
    },
    end({ isCut = false } = {}) {
      reader.ended = true;
      context.isCut = isCut;
      reading.next();
      writer.end(context.inReasoning ? 'reasoning' : 'text');
      return writer.take();
    },
  };
}

import type { GenerateEvent, TokenLogprob } from '../events.ts';
import type { ReasoningFormat } from './reasoning.ts';
import { TagSplitter } from './tag-splitter.ts';

export interface StreamParserOptions {
  /** Absent = everything is text. */
  readonly reasoning?: ReasoningFormat;
  /** The prompt has opened a block of reasoning. */
  readonly startsInReasoning: boolean;
  /** Makes an id for each block. */
  readonly createId: () => string;
}

/** Turns text deltas into events; joined deltas of all blocks are the text without markers. */
export interface StreamParser {
  /** Whether what comes next is reasoning. */
  readonly inReasoning: boolean;
  push(delta: string, tokens?: readonly TokenLogprob[]): GenerateEvent[];
  /** What was held back, and the end of the open block. */
  end(): GenerateEvent[];
}

type Kind = 'text' | 'reasoning';

/**
 * Splits a block of reasoning from the text behind it. White space around the markers belongs to them. Once the
 * answer has begun a marker is text: the model may be writing about it.
 */
export function createStreamParser(options: StreamParserOptions): StreamParser {
  const { reasoning } = options;
  let kind: Kind = reasoning !== undefined && options.startsInReasoning ? 'reasoning' : 'text';
  /** Looks for the next marker; undefined when none can come any more. */
  let splitter = splitterOf(kind, reasoning);
  let afterMarker = kind === 'reasoning';
  let block: string | undefined;
  /** White space that is part of the block only if more of it follows. */
  let space = '';
  let waiting: TokenLogprob[] = [];

  const emit = (events: GenerateEvent[], text: string): void => {
    const whole = block === undefined && afterMarker ? (space + text).trimStart() : space + text;
    const delta = splitter === undefined ? whole : whole.trimEnd();
    space = whole.slice(delta.length);
    if (delta === '') return;
    if (block === undefined) {
      block = options.createId();
      events.push({ type: `${kind}-start`, id: block });
    }
    const tokens = waiting.length === 0 ? {} : { tokens: waiting };
    events.push({ type: `${kind}-delta`, id: block, delta, ...tokens });
    waiting = [];
  };

  const close = (events: GenerateEvent[]): void => {
    if (block !== undefined) events.push({ type: `${kind}-end`, id: block });
    block = undefined;
    space = '';
  };

  return {
    get inReasoning() {
      return kind === 'reasoning';
    },
    push(delta, tokens) {
      if (tokens !== undefined) waiting.push(...tokens);
      const events: GenerateEvent[] = [];
      let rest = delta;
      while (splitter !== undefined && rest !== '') {
        const { before, found } = splitter.push(rest);
        if (kind === 'text' && before.trim() !== '') {
          rest = splitter.unread();
          splitter = undefined;
          break;
        }
        emit(events, before);
        if (found === undefined) return events;
        rest = splitter.flush();
        close(events);
        kind = found === reasoning?.open ? 'reasoning' : 'text';
        splitter = splitterOf(kind, reasoning);
        afterMarker = true;
      }
      if (rest !== '') emit(events, rest);
      return events;
    },
    end() {
      const events: GenerateEvent[] = [];
      const held = splitter?.flush() ?? '';
      splitter = undefined;
      emit(events, held);
      close(events);
      return events;
    },
  };
}

function splitterOf(kind: Kind, reasoning: ReasoningFormat | undefined): TagSplitter | undefined {
  if (reasoning === undefined) return undefined;
  // Some models close a block that they did not open before they answer without a thought (MiniMax M3).
  return new TagSplitter(kind === 'text' ? [reasoning.open, reasoning.close] : [reasoning.close]);
}

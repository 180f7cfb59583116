import { nextTurn } from '../generate/next-turn.ts';
import type { Channel, ToClient, ToHost } from './protocol.ts';

/** What a reader does with a delta of one stream takes about half a millisecond; all in one turn would stall its loop. */
const fewStreams = 4;
/** Of many streams each has its deltas in one of so many turns at least, so that text still flows. */
const turnsOfAll = 4;
/** For a step that takes long: a text that grows 25 times a second looks as if it flowed. */
const waitLimitMs = 40;

type StreamMessage = ToClient & { readonly stream: number };

/**
 * Posts what comes up in one turn as one message: with many streams a step gives many events, and each message wakes
 * the other thread. The turn ends once the engine has begun its next step, so that posting takes none of its time.
 * Of more streams than a few, only the ones that waited longest get their deltas in a turn; the others' grow meanwhile,
 * and are read as one. The order of a stream's messages is kept.
 */
export function collectMessages(channel: Channel<ToClient, ToHost>): (message: ToClient) => void {
  const others: ToClient[] = [];
  const waiting = new Map<number, StreamMessage[]>();
  const urgent = new Set<number>();
  let isTurnAwaited = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const post = (mayWait: boolean): void => {
    const messages = others.splice(0);
    let share = mayWait ? Math.max(fewStreams, Math.ceil(waiting.size / turnsOfAll)) : waiting.size;
    for (const [stream, own] of waiting) {
      if (share-- <= 0 && !urgent.has(stream)) continue;
      messages.push(...own);
      waiting.delete(stream);
    }
    urgent.clear();
    clearTimeout(timer);
    timer = waiting.size === 0 ? undefined : setTimeout(post, waitLimitMs, false);
    const [first] = messages;
    if (first !== undefined) channel.post(messages.length === 1 ? first : { type: 'several', messages });
  };

  const postAfterTurn = async (): Promise<void> => {
    isTurnAwaited = true;
    await nextTurn();
    isTurnAwaited = false;
    post(true);
  };

  return (message) => {
    if ('stream' in message) {
      const own = waiting.get(message.stream);
      if (own === undefined) waiting.set(message.stream, [message]);
      else own.push(message);
      if (!canWait(message)) urgent.add(message.stream);
    } else {
      others.push(message);
    }
    if (!isTurnAwaited) void postAfterTurn();
  };
}

/** Starts and ends are what somebody waits for, and few. */
function canWait(message: StreamMessage): boolean {
  return message.type === 'event' && message.event.type.endsWith('-delta');
}

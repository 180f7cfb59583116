import type { State, StateValue } from '@langchain/core/decisions';
import { BaseMessage } from '@langchain/core/messages';
import { sortContent } from './content-text.ts';

/** @throws {RivuletError} `UNSUPPORTED` for messages with content other than text */
export function describeState(state: State): string {
  if (typeof state === 'string') return state;
  if (BaseMessage.isInstance(state)) return describeMessage(state);
  if (Array.isArray(state) && state.length > 0 && state.every((value) => BaseMessage.isInstance(value))) {
    return state.map(describeMessage).join('\n');
  }
  return JSON.stringify(withoutMessages(state), undefined, 1);
}

function describeMessage(message: BaseMessage): string {
  return `${message.type}: ${sortContent(message.content).texts.join('')}`;
}

function withoutMessages(value: StateValue): unknown {
  if (BaseMessage.isInstance(value)) return describeMessage(value);
  if (Array.isArray(value)) return value.map(withoutMessages);
  if (typeof value !== 'object' || value === null) return value;
  // Blocks of media are objects like any other; their bytes would only fill the prompt.
  if ('type' in value && ('data' in value || 'source_type' in value || 'image_url' in value)) {
    sortContent([{ ...value, type: String(value['type']) }]);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutMessages(inner)]));
}

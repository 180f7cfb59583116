import type { ChatMessage, ToolCall } from './messages.ts';
import type { ToolFormat } from './tool-format.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const idLength = 9;

/** A new id in the form that the strictest templates demand: nine letters or digits. */
export function createCallId(): string {
  const bytes = crypto.getRandomValues(new Uint32Array(idLength));
  return Array.from(bytes, (value) => alphabet[value % alphabet.length]).join('');
}

/** Ids of calls as a template accepts them; a result keeps the id of its call. */
export function fitCallIds(
  messages: readonly ChatMessage[],
  rule: ToolFormat['ids'],
): readonly ChatMessage[] {
  if (rule === undefined || rule === 'any') return messages;
  const fitted = new Map<string, string>();
  const taken = new Set<string>();
  const fit = (call: Pick<ToolCall, 'id' | 'name'>): string => {
    const known = fitted.get(call.id);
    if (known !== undefined) return known;
    let id =
      rule === 'function-index' ? `functions.${call.name}:${fitted.size}` : nineAlphanumeric(call.id, 0);
    for (let count = 1; taken.has(id); count += 1) id = nineAlphanumeric(call.id, count);
    taken.add(id);
    fitted.set(call.id, id);
    return id;
  };
  return messages.map((message) => ({
    ...message,
    ...(message.toolCalls === undefined
      ? {}
      : { toolCalls: message.toolCalls.map((call) => Object.assign({}, call, { id: fit(call) })) }),
    ...(message.toolCallId === undefined
      ? {}
      : { toolCallId: fit({ id: message.toolCallId, name: message.toolName ?? 'tool' }) }),
  }));
}

/** The same text gives the same id: prompts of later turns begin like those before. */
function nineAlphanumeric(text: string, salt: number): string {
  if (salt === 0 && /^[A-Za-z0-9]{9}$/.test(text)) return text;
  let id = '';
  // FNV-1a, once for each character.
  for (let place = 0; place < idLength; place += 1) {
    let hash = 0x81_1c_9d_c5 ^ (place + salt * idLength);
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
    }
    id += alphabet[(((hash >>> 8) ^ hash) >>> 0) % alphabet.length] ?? '';
  }
  return id;
}

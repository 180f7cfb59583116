import { BaseCache } from '@langchain/core/caches';
import type { BaseMessage } from '@langchain/core/messages';
import type { Generation } from '@langchain/core/outputs';

/** What core's text of a conversation, the key of a cached answer, can tell apart. */
const textTypes: ReadonlySet<string> = new Set([
  'text',
  'text-plain',
  'reasoning',
  'thinking',
  'tool_use',
  'tool_call',
  'tool_call_chunk',
  'invalid_tool_call',
]);
const roleTypes: ReadonlySet<string> = new Set(['system', 'developer', 'human', 'ai', 'tool', 'generic']);

/** Every image is the same word in the key: conversations with images would share one answer. */
export function mayCache(messages: readonly BaseMessage[]): boolean {
  return messages.every(
    ({ type, content }) =>
      roleTypes.has(type) &&
      (typeof content === 'string' || content.every((block) => textTypes.has(block.type))),
  );
}

/** Another cache, but its hits are copies: core writes into what it finds, which is also the first caller's. */
export class CopyingCache extends BaseCache {
  readonly #cache: BaseCache;

  constructor(cache: BaseCache) {
    super();
    this.#cache = cache;
  }

  override async lookup(prompt: string, key: string): Promise<Generation[] | null> {
    const found = await this.#cache.lookup(prompt, key);
    return found?.map(copyGeneration) ?? null;
  }

  override async update(prompt: string, key: string, value: Generation[]): Promise<void> {
    await this.#cache.update(prompt, key, value);
  }
}

function copyGeneration(generation: Generation): Generation {
  const copy = shallowCopy(generation);
  if ('message' in copy) copy.message = shallowCopy(copy.message as object);
  return copy;
}

function shallowCopy<T extends object>(value: T): T {
  return Object.assign(Object.create(Object.getPrototypeOf(value) as object) as T, value);
}

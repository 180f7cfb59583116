import type { AIMessage, ContentBlock } from '@langchain/core/messages';
import { modelProvider } from './response-metadata.ts';

interface ContentTranslator {
  translateContent(message: AIMessage): ContentBlock[];
  translateContentChunk(message: AIMessage): ContentBlock[];
}

declare global {
  // Where core looks up how to read the messages of a provider (messages/block_translators); it exports no
  // function to add one.
  var lc_block_translators_registry: Map<string, ContentTranslator> | undefined;
}

/** Makes the thoughts of our v0 messages, kept in `additional_kwargs`, part of their `contentBlocks`. */
export function registerContentTranslator(): void {
  const registry = globalThis.lc_block_translators_registry;
  if (registry === undefined || registry.has(modelProvider)) return;
  registry.set(modelProvider, { translateContent, translateContentChunk: translateContent });
}

function translateContent(message: AIMessage): ContentBlock[] {
  const { reasoning_content: reasoning } = message.additional_kwargs as { reasoning_content?: unknown };
  const content: readonly ContentBlock[] =
    typeof message.content === 'string' ? textBlocks(message.content) : message.content;
  const calls = (message.tool_calls ?? []).filter(
    (call) => !content.some((block) => block.type === 'tool_call' && block.id === call.id),
  );
  return [
    ...(typeof reasoning === 'string' && reasoning !== '' ? [{ type: 'reasoning', reasoning }] : []),
    ...content,
    ...calls.map(({ id = '', name, args }) => ({ type: 'tool_call', id, name, args })),
  ];
}

function textBlocks(text: string): ContentBlock[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

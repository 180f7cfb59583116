import type { MessageContent } from '@langchain/core/messages';
import { RivuletError } from '../../src/errors.ts';

/** The content of one message, sorted by what it is for. */
export interface SortedContent {
  readonly texts: readonly string[];
  readonly reasoning: string;
  /** Blocks of tool calls in the forms that providers write into `content`. */
  readonly calls: readonly CallBlock[];
}

export interface CallBlock {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly arguments: unknown;
}

/** Signatures, encrypted thoughts and provider-specific data: no model of another provider can read them. */
const foreignTypes: ReadonlySet<string> = new Set([
  'redacted_thinking',
  'non_standard',
  'input_json_delta',
  'server_tool_call',
  'server_tool_call_chunk',
  'server_tool_call_result',
]);

/**
 * Strings, v0 blocks and v1 blocks alike.
 *
 * @throws {RivuletError} `UNSUPPORTED` for images, audio, video, files and unknown blocks
 */
export function sortContent(content: MessageContent): SortedContent {
  if (typeof content === 'string') return { texts: [content], reasoning: '', calls: [] };
  const texts: string[] = [];
  const calls: CallBlock[] = [];
  let reasoning = '';
  for (const entry of content as readonly (MessageContent[number] | string)[]) {
    if (typeof entry === 'string') {
      texts.push(entry);
      continue;
    }
    const block: Readonly<Record<string, unknown>> = { ...entry };
    const { type } = entry;
    if (type === 'text' || type === 'text-plain') texts.push(stringOf(block['text']));
    else if (type === 'file' && block['source_type'] === 'text') texts.push(stringOf(block['text']));
    else if (type === 'refusal') texts.push(stringOf(block['refusal']));
    else if (type === 'reasoning') reasoning += stringOf(block['reasoning']);
    else if (type === 'thinking') reasoning += stringOf(block['thinking']);
    else if (type === 'tool_use') calls.push(callOf(block, block['input']));
    else if (type === 'tool_call' || type === 'tool_call_chunk' || type === 'invalid_tool_call') {
      calls.push(callOf(block, block['args']));
    } else if (!foreignTypes.has(type)) throw unsupportedBlock(type);
  }
  return { texts, reasoning, calls };
}

function callOf(block: Readonly<Record<string, unknown>>, args: unknown): CallBlock {
  const { id, name } = block as { id?: unknown; name?: unknown };
  return {
    id: typeof id === 'string' ? id : undefined,
    name: typeof name === 'string' ? name : undefined,
    arguments: args,
  };
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unsupportedBlock(type: string): RivuletError {
  return new RivuletError(
    'UNSUPPORTED',
    `ChatLocal understands text so far, and a message holds a block of type "${type}"; take it out or put its text into the message.`,
    { details: { block: type } },
  );
}

import { AIMessage, AIMessageChunk } from '@langchain/core/messages';
import type { ContentBlock, MessageOutputVersion } from '@langchain/core/messages';
import { RivuletError } from '../../src/errors.ts';
import type { GenerateEvent, TokenLogprob, Warning } from '../../src/events.ts';
import { createResponseMetadata, modelProvider, usageField } from './response-metadata.ts';
import type { FinishedAnswer } from './response-metadata.ts';

interface TextBlock {
  readonly type: 'text' | 'reasoning';
  text: string;
}

/** A call of a tool; it was cut or is malformed as long as it is not complete. */
export interface CallBlock {
  readonly type: 'call';
  readonly id: string;
  readonly name: string;
  /** Position in the message. */
  readonly index: number;
  input: string;
  isComplete: boolean;
}

type Block = TextBlock | CallBlock;

/** Core's shapes of calls, as types that are content blocks, too. */
type CompleteCall = { type: 'tool_call'; id: string; name: string; args: Record<string, unknown> };
type InvalidCall = { type: 'invalid_tool_call'; id: string; name: string; args: string; error: string };

/** One answer as it comes together; all three ways out of the model are fed from here. */
export class Answer {
  readonly version: MessageOutputVersion;
  readonly #blocks: Block[] = [];
  readonly #tokens: TokenLogprob[] = [];
  readonly #warnings: Warning[] = [];
  #start: (GenerateEvent & { type: 'start' }) | undefined;
  #finish: (GenerateEvent & { type: 'finish' }) | undefined;

  constructor(version: MessageOutputVersion) {
    this.version = version;
  }

  push(event: GenerateEvent): void {
    switch (event.type) {
      case 'start':
        this.#start = event;
        this.#warnings.push(...event.warnings);
        break;
      case 'text-start':
        this.#blocks.push({ type: 'text', text: '' });
        break;
      case 'reasoning-start':
        this.#blocks.push({ type: 'reasoning', text: '' });
        break;
      case 'text-delta':
      case 'reasoning-delta': {
        const block = this.#blocks.at(-1);
        if (block !== undefined && block.type !== 'call') block.text += event.delta;
        this.#tokens.push(...(event.tokens ?? []));
        break;
      }
      case 'finish':
        this.#finish = event;
        this.#warnings.push(...(event.warnings ?? []));
        break;
      case 'text-end':
      case 'reasoning-end':
      case 'prompt-logprobs':
      case 'tool-input-end':
        break;
      case 'tool-input-start': {
        const index = this.#blocks.length;
        const { id, toolName: name } = event;
        this.#blocks.push({ type: 'call', id, name, index, input: '', isComplete: false });
        break;
      }
      case 'tool-input-delta': {
        const call = this.call(event.id);
        if (call !== undefined) call.input += event.delta;
        break;
      }
      case 'tool-call': {
        const call = this.call(event.id);
        if (call !== undefined) call.isComplete = true;
        break;
      }
    }
  }

  warn(warning: Warning): void {
    this.#warnings.push(warning);
  }

  get started(): boolean {
    return this.#start !== undefined;
  }

  /** The id of the message, the same on all of its chunks; empty before the start. */
  get idField(): { id?: string } {
    return this.#start === undefined ? {} : { id: this.#start.id };
  }

  /** Position of the open block in the message. */
  get blockIndex(): number {
    return this.#blocks.length - 1;
  }

  /** Text of the open block. */
  get blockText(): string {
    const block = this.#blocks.at(-1);
    return block === undefined || block.type === 'call' ? '' : block.text;
  }

  call(id: string): CallBlock | undefined {
    return this.#blocks.find((block): block is CallBlock => block.type === 'call' && block.id === id);
  }

  get text(): string {
    return this.#join('text');
  }

  get reasoning(): string {
    return this.#join('reasoning');
  }

  /** @throws {RivuletError} `ENGINE_FAILED` when the events ended without `finish` */
  finished(): FinishedAnswer {
    const finish = this.#finish;
    if (finish === undefined) {
      throw new RivuletError(
        'ENGINE_FAILED',
        'The model ended without saying why; please report this with the request that led here.',
      );
    }
    return { start: this.#start, finish, tokens: this.#tokens, warnings: this.#warnings };
  }

  toMessage(): AIMessage {
    const finished = this.finished();
    return new AIMessage({
      ...this.idField,
      ...this.#content(),
      ...usageField(finished.finish.usage),
      response_metadata: { ...createResponseMetadata(finished), ...this.#outputVersion() },
    });
  }

  /** What there is before the end; nothing when not a word was said. */
  toPartialMessage(): AIMessageChunk | undefined {
    if (this.#blocks.length === 0) return undefined;
    return new AIMessageChunk({
      ...this.idField,
      ...this.#content(),
      response_metadata: { model_provider: modelProvider, ...this.#outputVersion() },
    });
  }

  #content(): {
    content: string | ContentBlock[];
    additional_kwargs?: Record<string, unknown>;
    tool_calls: CompleteCall[];
    invalid_tool_calls: InvalidCall[];
  } {
    const calls = this.#blocks.filter((block) => block.type === 'call');
    const fields = {
      tool_calls: calls.filter((call) => call.isComplete).map(toToolCall),
      invalid_tool_calls: calls.filter((call) => !call.isComplete).map(toInvalidCall),
    };
    if (this.version === 'v1') return { content: this.#blocks.map(toContentBlock), ...fields };
    const { reasoning } = this;
    return {
      content: this.text,
      ...fields,
      ...(reasoning === '' ? {} : { additional_kwargs: { reasoning_content: reasoning } }),
    };
  }

  #outputVersion(): { output_version?: 'v1' } {
    return this.version === 'v1' ? { output_version: 'v1' } : {};
  }

  #join(type: TextBlock['type']): string {
    return this.#blocks.map((block) => (block.type === type ? block.text : '')).join('');
  }
}

export function toToolCall(call: CallBlock): CompleteCall {
  const args = JSON.parse(call.input) as Record<string, unknown>;
  return { type: 'tool_call', id: call.id, name: call.name, args };
}

/** What the model wrote of a call that it did not finish. */
export function toInvalidCall(call: CallBlock): InvalidCall {
  return {
    type: 'invalid_tool_call',
    id: call.id,
    name: call.name,
    args: call.input,
    error: 'The call ends before its arguments do.',
  };
}

function toContentBlock(block: Block): ContentBlock {
  if (block.type === 'text') return { type: 'text', text: block.text };
  if (block.type !== 'call') return { type: 'reasoning', reasoning: block.text };
  return block.isComplete ? toToolCall(block) : toInvalidCall(block);
}

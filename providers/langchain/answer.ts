import { AIMessage, AIMessageChunk } from '@langchain/core/messages';
import type { ContentBlock, MessageOutputVersion } from '@langchain/core/messages';
import { RivuletError } from '../../src/errors.ts';
import type { GenerateEvent, TokenLogprob, Warning } from '../../src/events.ts';
import { createResponseMetadata, modelProvider, usageField } from './response-metadata.ts';
import type { FinishedAnswer } from './response-metadata.ts';

interface Block {
  readonly type: 'text' | 'reasoning';
  text: string;
}

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
        if (block !== undefined) block.text += event.delta;
        this.#tokens.push(...(event.tokens ?? []));
        break;
      }
      case 'finish':
        this.#finish = event;
        break;
      case 'text-end':
      case 'reasoning-end':
      case 'prompt-logprobs':
      case 'tool-input-start':
      case 'tool-input-delta':
      case 'tool-input-end':
      case 'tool-call':
        // Tools are refused before the model is asked, so no calls come.
        break;
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
    return this.#blocks.at(-1)?.text ?? '';
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

  #content(): { content: string | ContentBlock[]; additional_kwargs?: Record<string, unknown> } {
    if (this.version === 'v1') {
      const content = this.#blocks.map(({ type, text }) =>
        type === 'text' ? { type, text } : { type, reasoning: text },
      );
      return { content };
    }
    const { reasoning } = this;
    return {
      content: this.text,
      ...(reasoning === '' ? {} : { additional_kwargs: { reasoning_content: reasoning } }),
    };
  }

  #outputVersion(): { output_version?: 'v1' } {
    return this.version === 'v1' ? { output_version: 'v1' } : {};
  }

  #join(type: Block['type']): string {
    return this.#blocks
      .filter((block) => block.type === type)
      .map((block) => block.text)
      .join('');
  }
}

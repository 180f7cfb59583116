import type { MetadataValue } from '../../src/gguf/metadata.ts';
import { Metadata } from '../../src/gguf/metadata.ts';
import { createChatTemplate } from '../../src/chat/template.ts';
import type { ChatTemplate } from '../../src/chat/template.ts';
import { RivuletError } from '../../src/errors.ts';

/** A template with the given control tokens. */
export function chatTemplate(source: string, controlTexts: readonly string[] = []): ChatTemplate {
  return createChatTemplate({
    source,
    metadata: new Metadata(new Map()),
    tokens: { bos: '<s>', eos: '</s>', controlTexts },
  });
}

/** The template that a file with these metadata gets. */
export function fileTemplate(
  metadata: Readonly<Record<string, MetadataValue>>,
  controlTexts: readonly string[] = [],
): ChatTemplate {
  return createChatTemplate({
    metadata: new Metadata(new Map(Object.entries(metadata))),
    tokens: { bos: '<s>', eos: '</s>', controlTexts },
  });
}

/** The error that `work` throws. @throws when it throws none, or another kind */
export function rivuletError(work: () => unknown): RivuletError {
  try {
    work();
  } catch (error) {
    if (RivuletError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('expected a RivuletError, but nothing was thrown');
}

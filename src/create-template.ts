import { createChatTemplate } from './chat/template.ts';
import type { ChatTemplate } from './chat/template.ts';
import type { Metadata } from './gguf/metadata.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** The template of a file, or the one given instead. @throws {RivuletError} `TEMPLATE_FAILED` */
export function createTemplate(metadata: Metadata, tokenizer: Tokenizer, source?: string): ChatTemplate {
  const text = (id: number): string => (id < 0 ? '' : tokenizer.tokenText(id));
  return createChatTemplate({
    ...(source === undefined ? {} : { source }),
    metadata,
    tokens: {
      bos: text(tokenizer.bosId),
      eos: text(tokenizer.eosId),
      unknown: text(tokenizer.unknownId),
      padding: text(tokenizer.paddingId),
      controlTexts: tokenizer.controlTexts,
    },
  });
}

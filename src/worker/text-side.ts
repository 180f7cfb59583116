import type { ChatTemplate } from '../chat/template.ts';
import { createTemplate } from '../create-template.ts';
import { noTextEngine } from '../embed/text-engine.ts';
import { parseGgufHeader } from '../gguf/parse-header.ts';
import { createModel } from '../model.ts';
import type { Model, ModelInfo } from '../model.ts';
import { createTokenizer } from '../tokenizer/create-tokenizer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** Tokenizer and template of a file's header, without an engine. */
export function createTextSide(
  info: ModelInfo,
  headerBytes: Uint8Array,
  chatTemplate: string | undefined,
): Model {
  const { metadata } = parseGgufHeader(headerBytes, { name: info.id });
  const tokenizer: Tokenizer = createTokenizer(metadata);
  let made: ChatTemplate | undefined;
  const template = (): ChatTemplate => (made ??= createTemplate(metadata, tokenizer, chatTemplate));
  return createModel({ info, tokenizer, template, texts: noTextEngine(info.id) });
}

import type { Metadata } from '../gguf/metadata.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { TextTokens } from './text-tokens.ts';

/** Makes the tokens of a query with one of its documents, at most `limit` of them. */
export type PairTokens = (query: string, document: string, instruction: string | undefined) => TextTokens;

const defaultInstruction = 'Given a web search query, retrieve relevant passages that answer the query';

/** The prompt of Qwen3-Reranker, from its model card. */
const yesNoTemplate =
  '<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n' +
  '<|im_start|>user\n<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}<|im_end|>\n' +
  '<|im_start|>assistant\n<think>\n\n</think>\n\n';

/**
 * How a model wants to see a pair: by its own template (`tokenizer.chat_template.rerank`), by that of models which
 * answer yes or no, else query and document between the marks of the vocabulary.
 */
export function preparePairs(
  tokenizer: Tokenizer,
  metadata: Metadata,
  kind: 'head' | 'yes-no',
  limit: number,
): PairTokens {
  const template =
    metadata.optionalString('tokenizer.chat_template.rerank') ??
    (kind === 'yes-no' ? yesNoTemplate : undefined);
  return template === undefined ? markedPair(tokenizer, limit) : templatePair(tokenizer, template, limit);
}

/** `[CLS] query [SEP] document [SEP]`, or `<s> query </s></s> document </s>`, as sentence pairs are trained. */
function markedPair(tokenizer: Tokenizer, limit: number): PairTokens {
  const begin = tokenizer.addBos ? [tokenizer.bosId] : [];
  const separator = tokenizer.separatorId ?? -1;
  const end = [tokenizer.eosId, separator].find((id) => id !== -1);
  const ends = end === undefined ? [] : [end];
  // Vocabularies with an end mark of their own have both between the two texts.
  const between = tokenizer.addEos ? [...ends, ...(separator === -1 ? ends : [separator])] : ends;
  return (query, document) => {
    const head = [...begin, ...tokenizer.encode(query), ...between];
    const body = tokenizer.encode(document);
    const length = head.length + body.length + ends.length;
    const kept = body.subarray(0, Math.max(0, limit - head.length - ends.length));
    return { ids: Int32Array.from([...head, ...kept, ...ends].slice(0, limit)), length };
  };
}

/** Tokenized as a whole, as in training: a word may take the space before it. */
function templatePair(tokenizer: Tokenizer, template: string, limit: number): PairTokens {
  const parts = template.split(/(\{query\}|\{document\}|\{instruction\})/);

  const encode = (values: Readonly<Record<string, string>>): Int32Array => {
    let text = '';
    const guards: number[] = [];
    for (const part of parts) {
      const value = values[part];
      if (value === undefined) {
        text += part;
        continue;
      }
      // A control token in a caller's words is text.
      for (let offset = 1; offset < value.length; offset += 1) guards.push(text.length + offset);
      text += value;
    }
    return tokenizer.encode(text, { parseSpecial: true, addSpecial: true, guards });
  };

  return (query, document, instruction = defaultInstruction) => {
    const whole = (kept: string): Int32Array =>
      encode({ '{query}': query, '{document}': kept, '{instruction}': instruction });
    const ids = whole(document);
    if (ids.length <= limit) return { ids, length: ids.length };
    // What follows the document must stay, so text is cut instead of tokens.
    let [low, high] = [0, document.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (whole(document.slice(0, middle)).length <= limit) low = middle;
      else high = middle - 1;
    }
    return { ids: whole(document.slice(0, low)).slice(0, limit), length: ids.length };
  };
}

import type { Metadata } from '../gguf/metadata.ts';
import { matchedAttributes, tokenAttributes } from './token-attributes.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Parts of `tokenizer.ggml.pre` and `general.architecture` whose `<mask>` takes the white space before it. */
const maskingPreTokenizers: readonly string[] = ['jina-v2-de', 'jina-v2-es', 'jina-v2-code'];
const maskingArchitectures: readonly string[] = ['nomic-bert-moe', 'jina-bert-v3'];

/** Marks tokens that take neighbouring white space with them: no GGUF key says so, llama.cpp goes by the names of models. */
export function applyStripRules(metadata: Metadata, vocabulary: Vocabulary): void {
  const name = (metadata.optionalString('general.name') ?? '').toLowerCase();
  const preTokenizer = metadata.optionalString('tokenizer.ggml.pre') ?? '';
  const architecture = metadata.optionalString('general.architecture') ?? '';
  const { stripLeft, stripRight } = tokenAttributes;
  if (
    maskingPreTokenizers.some((part) => preTokenizer.includes(part)) ||
    maskingArchitectures.some((part) => architecture.includes(part))
  ) {
    mark(vocabulary, vocabulary.idOf('<mask>'), stripLeft);
  } else if (name.includes('phi-3') || name.includes('phi3')) {
    for (let id = 0; id < vocabulary.size; id++) {
      if (vocabulary.hasAttribute(id, matchedAttributes)) mark(vocabulary, id, stripRight);
    }
    mark(vocabulary, vocabulary.idOf('</s>'), stripRight);
    for (const text of ['<unk>', '<s>', '<|endoftext|>']) {
      const id = vocabulary.idOf(text);
      if (id !== -1) vocabulary.attributes[id] = (vocabulary.attributes[id] ?? 0) & ~stripRight;
    }
  } else if (name.includes('modern-bert')) {
    mark(vocabulary, vocabulary.idOf('[MASK]'), stripLeft);
  }
}

function mark(vocabulary: Vocabulary, id: number, bits: number): void {
  if (id !== -1) vocabulary.attributes[id] = (vocabulary.attributes[id] ?? 0) | bits;
}

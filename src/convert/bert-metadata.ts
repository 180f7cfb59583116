import type { WritableValue } from '../gguf/writable-value.ts';
import type { QuantizedType } from '../quant/quantize.ts';
import type { BertConfig } from './bert-config.ts';
import type { ConvertedVocabulary } from './converted-vocabulary.ts';

/** Numbers of `general.file_type` (`llama_ftype`). */
const fileTypes: Readonly<Record<QuantizedType, number>> = { F32: 0, F16: 1, Q8_0: 7 };

/** `GGML_QNT_VERSION`: the layout of blocks that files have had since 2023. */
const quantizationVersion = 2;

/** The keys of a `bert` file, as llama.cpp's converter writes them. */
export function bertMetadata(
  config: BertConfig,
  vocabulary: ConvertedVocabulary,
  file: { readonly type: QuantizedType; readonly modelName: string },
): ReadonlyMap<string, WritableValue> {
  const { poolingType, labels } = config;
  return new Map<string, WritableValue>([
    ['general.architecture', text('bert')],
    ['general.type', text('model')],
    ['general.name', text(file.modelName)],
    ['bert.block_count', count(config.layerCount)],
    ['bert.context_length', count(config.contextLength)],
    ['bert.embedding_length', count(config.embeddingLength)],
    ['bert.feed_forward_length', count(config.feedForwardLength)],
    ['bert.attention.head_count', count(config.headCount)],
    ['bert.attention.layer_norm_epsilon', { type: 'f32', value: config.normEpsilon }],
    ['general.file_type', count(fileTypes[file.type])],
    ['bert.attention.causal', flag(false)],
    ...entry('bert.pooling_type', poolingType === undefined ? undefined : count(poolingType)),
    ...entry('bert.classifier.output_labels', labels.length === 0 ? undefined : texts(labels)),
    ['general.quantization_version', count(quantizationVersion)],
    ...vocabularyEntries(config, vocabulary),
  ]);
}

function vocabularyEntries(
  { tokenTypeCount }: BertConfig,
  { model, texts: tokens, types, roleIds, doubleSeparator, settings }: ConvertedVocabulary,
): readonly (readonly [string, WritableValue])[] {
  const role = (key: string, id: number | undefined): readonly (readonly [string, WritableValue])[] =>
    entry(`tokenizer.ggml.${key}_token_id`, id === undefined ? undefined : count(id));
  const [cls, separator] = [roleIds.get('cls'), roleIds.get('separator')];
  return [
    ['tokenizer.ggml.token_type_count', count(tokenTypeCount)],
    ['tokenizer.ggml.model', text(model)],
    ['tokenizer.ggml.pre', text('default')],
    ['tokenizer.ggml.tokens', texts(tokens)],
    ['tokenizer.ggml.token_type', { type: 'array', items: 'i32', value: types }],
    ...role('bos', cls),
    ...role('eos', separator),
    ...role('unknown', roleIds.get('unknown')),
    // The key is misspelled in every file.
    ...role('seperator', separator),
    ...role('padding', roleIds.get('padding')),
    ...role('cls', cls),
    ...role('mask', roleIds.get('mask')),
    ['tokenizer.ggml.add_bos_token', flag(cls !== undefined)],
    ['tokenizer.ggml.add_eos_token', flag(separator !== undefined)],
    ['tokenizer.ggml.add_sep_token', flag(doubleSeparator)],
    ...settings,
  ];
}

function entry(key: string, value: WritableValue | undefined): readonly (readonly [string, WritableValue])[] {
  return value === undefined ? [] : [[key, value]];
}

function text(value: string): WritableValue {
  return { type: 'string', value };
}

function texts(value: readonly string[]): WritableValue {
  return { type: 'array', items: 'string', value };
}

function count(value: number): WritableValue {
  return { type: 'u32', value };
}

function flag(value: boolean): WritableValue {
  return { type: 'bool', value };
}

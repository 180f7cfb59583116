import { RivuletError } from '../errors.ts';
import { quoted } from '../gguf/quoted.ts';
import { type JsonFields, readModelJson, readModelList } from './json-fields.ts';
import type { ModelFiles } from './model-files.ts';

/** What the weights of a file of the BERT family are for. */
type Head = 'embedding' | 'classifier';

/** How the token vectors become one: numbers of `llama_pooling_type`. */
const poolingTypes = { none: 0, mean: 1, cls: 2, last: 3, rank: 4 } as const;

/** Dimensions and rules of a BERT encoder. */
export interface BertConfig {
  readonly family: 'bert' | 'distilbert' | 'xlm-roberta';
  readonly head: Head;
  readonly contextLength: number;
  /** Rows of the position table before that of the first token. */
  readonly positionOffset: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly normEpsilon: number;
  readonly tokenTypeCount: number;
  readonly vocabularySize: number;
  readonly poolingType: number | undefined;
  /** Names of the outputs of a classifier. */
  readonly labels: readonly string[];
}

/** `architectures` of config.json. Heads for predicting words are left out, as embeddings do not need them. */
const architectures: ReadonlyMap<string, { readonly family: BertConfig['family']; readonly head: Head }> =
  new Map([
    ['BertModel', { family: 'bert', head: 'embedding' }],
    ['BertForMaskedLM', { family: 'bert', head: 'embedding' }],
    ['BertForPreTraining', { family: 'bert', head: 'embedding' }],
    ['BertForSequenceClassification', { family: 'bert', head: 'classifier' }],
    ['XLMRobertaModel', { family: 'xlm-roberta', head: 'embedding' }],
    ['XLMRobertaForMaskedLM', { family: 'xlm-roberta', head: 'embedding' }],
    ['XLMRobertaForSequenceClassification', { family: 'xlm-roberta', head: 'classifier' }],
    ['DistilBertModel', { family: 'distilbert', head: 'embedding' }],
    ['DistilBertForMaskedLM', { family: 'distilbert', head: 'embedding' }],
  ]);

/** The graph of the architecture has GELU in it, whichever of its two forms a model says. */
const activations: ReadonlySet<string> = new Set([
  'gelu',
  'gelu_new',
  'gelu_fast',
  'gelu_python',
  'gelu_pytorch_tanh',
]);

/** DistilBERT has these as constants of its code. */
const distilBertEpsilon = 1e-12;

const defaultLabels = 2;
/** Classifiers of tokens have thousands, of texts fewer. */
const maximumLabels = 2 ** 16;

/** Enough for anything published; each layer is some twenty tensors to look for. */
const maximumLayers = 1024;

/**
 * Reads `config.json` and the pooling of sentence-transformers.
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`, `METADATA_MISSING`, `METADATA_WRONG_TYPE`,
 * `ARCHITECTURE_UNSUPPORTED`
 */
export async function readBertConfig(files: ModelFiles, signal?: AbortSignal): Promise<BertConfig> {
  const config = await readModelJson(files, 'config.json', signal);
  if (config === undefined) {
    throw new RivuletError(
      'SOURCE_NOT_FOUND',
      `Expected "config.json" in ${files.name}, but it is not there. Give the folder of a model as it is published for transformers.`,
      { details: { path: 'config.json' } },
    );
  }
  const { family, head } = findArchitecture(config);
  const pick = (bert: string, distilBert: string): string => (family === 'distilbert' ? distilBert : bert);
  const activation = config.optionalString(pick('hidden_act', 'activation')) ?? 'gelu';
  if (!activations.has(activation)) throw unsupported(`the activation ${quoted(activation)}`);
  const positions = config.optionalString('position_embedding_type') ?? 'absolute';
  if (positions !== 'absolute') throw unsupported(`positions of the kind ${quoted(positions)}`);
  if (config.optionalBoolean('sinusoidal_pos_embds') === true) throw unsupported('sinusoidal positions');
  const layerCount = config.count(pick('num_hidden_layers', 'n_layers'));
  if (layerCount < 1 || layerCount > maximumLayers) throw unsupported(`${layerCount} layers`);
  const embeddingLength = config.count(pick('hidden_size', 'dim'));
  const headCount = config.count(pick('num_attention_heads', 'n_heads'));
  if (headCount === 0 || embeddingLength % headCount !== 0)
    throw unsupported(`${headCount} heads over ${embeddingLength} dimensions`);
  // RoBERTa counts positions from the id of its padding token on.
  const positionOffset = family === 'xlm-roberta' ? (config.optionalCount('pad_token_id') ?? 1) + 1 : 0;
  const contextLength = config.count('max_position_embeddings') - positionOffset;
  if (contextLength < 1) throw unsupported(`room for ${contextLength} tokens`);
  return {
    family,
    head,
    contextLength,
    positionOffset,
    embeddingLength,
    feedForwardLength: config.count(pick('intermediate_size', 'hidden_dim')),
    layerCount,
    headCount,
    normEpsilon: config.optionalNumber('layer_norm_eps') ?? distilBertEpsilon,
    tokenTypeCount: config.optionalCount('type_vocab_size') ?? 1,
    vocabularySize: config.count('vocab_size'),
    poolingType: head === 'classifier' ? poolingTypes.rank : await readPooling(files, signal),
    labels: head === 'classifier' ? readLabels(config) : [],
  };
}

function findArchitecture(config: JsonFields): NonNullable<ReturnType<typeof architectures.get>> {
  const named = config.optionalList('architectures') ?? [];
  for (const name of named) {
    const found = typeof name === 'string' ? architectures.get(name) : undefined;
    if (found !== undefined) return found;
  }
  throw unsupported(
    named.length === 0
      ? `no "architectures" (model type ${quoted(config.optionalString('model_type') ?? 'unknown')})`
      : named.map((name) => quoted(String(name))).join(', '),
  );
}

/** The pooling that `modules.json` names; undefined for a model without one. */
async function readPooling(files: ModelFiles, signal: AbortSignal | undefined): Promise<number | undefined> {
  const folder = (await poolingFolder(files, signal)) ?? '1_Pooling';
  if (!/^[\w.-]+$/.test(folder)) throw unsupported(`a pooling folder ${quoted(folder)}`);
  const pooling = await readModelJson(files, `${folder}/config.json`, signal);
  if (pooling === undefined) return undefined;
  if (pooling.optionalBoolean('pooling_mode_mean_tokens') === true) return poolingTypes.mean;
  if (pooling.optionalBoolean('pooling_mode_cls_token') === true) return poolingTypes.cls;
  if (pooling.optionalBoolean('pooling_mode_lasttoken') === true) return poolingTypes.last;
  const mode = pooling.optionalString('pooling_mode');
  if (mode === 'mean' || mode === 'cls') return poolingTypes[mode];
  if (mode === 'lasttoken') return poolingTypes.last;
  throw unsupported('a pooling that is not by mean, first or last token');
}

async function poolingFolder(
  files: ModelFiles,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const modules = await readModelList(files, 'modules.json', signal);
  return modules
    ?.find((module) => module.optionalString('type')?.endsWith('Pooling') === true)
    ?.string('path');
}

/** Names of a classifier's outputs; transformers leaves out of the file what is its default, two of them. */
function readLabels(config: JsonFields): readonly string[] {
  const named = config.optionalObject('id2label');
  if (named === undefined) {
    const count = config.optionalCount('num_labels') ?? defaultLabels;
    if (count < 1 || count > maximumLabels) throw unsupported(`${count} labels`);
    return Array.from({ length: count }, (_, id) => `LABEL_${id}`);
  }
  const ids = Array.from(named.names()).toSorted((a, b) => Number(a) - Number(b));
  return ids.map((id) => named.string(id));
}

function unsupported(found: string): RivuletError {
  return new RivuletError(
    'ARCHITECTURE_UNSUPPORTED',
    `Expected a model that can be converted (${Array.from(architectures.keys()).join(', ')}, with GELU and learned positions), found ${found}. Look for a GGUF of the model, or convert it with llama.cpp's converter.`,
    { details: { found } },
  );
}

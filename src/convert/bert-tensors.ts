import { RivuletError } from '../errors.ts';
import { quoted } from '../gguf/quoted.ts';
import type { BertConfig } from './bert-config.ts';
import type { SafeTensor } from './safetensors.ts';

/** A tensor of the model with its name in GGUF files. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: SafeTensor;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  /** Small or sensitive: never quantized, as llama.cpp's converter has it. */
  readonly keepFloat: boolean;
}

interface Expected {
  readonly name: string;
  readonly from: string;
  readonly shape: readonly number[];
  readonly keepFloat?: boolean;
  readonly optional?: boolean;
  /** Rows of the model's table that are left out at its start. */
  readonly skippedRows?: number;
}

/** Tensors that a published file may have besides: positions counted out, and heads that embeddings do not need. */
const leftOut: readonly RegExp[] = [
  /^embeddings\.position_ids$/,
  /^pooler\.dense\.(?:weight|bias)$/,
  /^cls\.(?:predictions|seq_relationship)\./,
  /^lm_head\./,
  /^vocab_(?:transform|layer_norm|projector)\./,
];

/**
 * Finds all tensors of the architecture by their names in transformers.
 * @throws {RivuletError} `TENSOR_MISSING`, `TENSOR_SHAPE_MISMATCH`, `ARCHITECTURE_UNSUPPORTED` for tensors without a place
 */
export function nameBertTensors(
  config: BertConfig,
  tensors: ReadonlyMap<string, SafeTensor>,
): readonly NamedTensor[] {
  const found = new Map(Array.from(tensors, ([name, tensor]) => [currentName(name), tensor]));
  const named = expectedTensors(config).flatMap((expected): readonly NamedTensor[] => {
    const tensor = found.get(expected.from);
    if (tensor === undefined) {
      if (expected.optional === true) return [];
      throw new RivuletError(
        'TENSOR_MISSING',
        `Expected a tensor ${quoted(expected.from)} in the model, but it is not there (${tensors.size} tensors). Weights and config.json do not belong together; download the model again.`,
        { details: { tensor: expected.from } },
      );
    }
    requireShape(tensor, expected);
    found.delete(expected.from);
    const { skippedRows = 0 } = expected;
    return [
      {
        name: expected.name,
        tensor: skippedRows === 0 ? tensor : withoutRows(tensor, skippedRows),
        shape: expected.shape,
        keepFloat: expected.keepFloat ?? expected.shape.length === 1,
      },
    ];
  });
  for (const name of found.keys()) {
    if (leftOut.some((pattern) => pattern.test(name))) continue;
    throw new RivuletError(
      'ARCHITECTURE_UNSUPPORTED',
      `Expected only tensors of the ${config.family} architecture, found ${quoted(name)}, which has no place in it. The model is a variant that cannot be converted.`,
      { details: { tensor: name } },
    );
  }
  return named;
}

/** Names as transformers writes them today, without the prefix of a model inside a model. */
function currentName(name: string): string {
  return name
    .replace(/^(?:bert|distilbert|roberta)\./, '')
    .replace(/\.gamma$/, '.weight')
    .replace(/\.beta$/, '.bias');
}

function requireShape(tensor: SafeTensor, expected: Expected): void {
  const { shape } = tensor;
  const wanted = expected.shape.map((length, at) => length + (at === 0 ? (expected.skippedRows ?? 0) : 0));
  if (shape.length === wanted.length && wanted.every((length, at) => shape[at] === length)) return;
  throw new RivuletError(
    'TENSOR_SHAPE_MISMATCH',
    `Expected the tensor ${quoted(tensor.name)} to have the shape [${wanted.join(', ')}] that config.json implies, found [${shape.join(', ')}]. Download the model again.`,
    { details: { tensor: tensor.name } },
  );
}

function withoutRows(tensor: SafeTensor, rows: number): SafeTensor {
  const [length = 0, ...inner] = tensor.shape;
  const rowElements = inner.reduce((product, each) => product * each, 1);
  const skippedBytes = (tensor.byteLength / length) * rows;
  return {
    ...tensor,
    shape: [length - rows, ...inner],
    elementCount: tensor.elementCount - rows * rowElements,
    byteLength: tensor.byteLength - skippedBytes,
    offset: tensor.offset + skippedBytes,
  };
}

function expectedTensors(config: BertConfig): readonly Expected[] {
  const { embeddingLength, contextLength, positionOffset, tokenTypeCount, vocabularySize, layerCount } =
    config;
  const layers = Array.from({ length: layerCount }, (_, layer) =>
    config.family === 'distilbert' ? distilBertLayer(config, layer) : bertLayer(config, layer),
  );
  return [
    {
      name: 'token_embd.weight',
      from: 'embeddings.word_embeddings.weight',
      shape: [vocabularySize, embeddingLength],
    },
    {
      name: 'position_embd.weight',
      from: 'embeddings.position_embeddings.weight',
      shape: [contextLength, embeddingLength],
      keepFloat: true,
      skippedRows: positionOffset,
    },
    {
      name: 'token_types.weight',
      from: 'embeddings.token_type_embeddings.weight',
      shape: [tokenTypeCount, embeddingLength],
      keepFloat: true,
      optional: config.family === 'distilbert',
    },
    ...both('token_embd_norm', 'embeddings.LayerNorm', [embeddingLength]),
    ...layers.flat(),
    ...(config.head === 'classifier' ? classifier(config) : []),
  ];
}

function bertLayer({ embeddingLength, feedForwardLength }: BertConfig, layer: number): readonly Expected[] {
  const [to, from] = [`blk.${layer}`, `encoder.layer.${layer}`];
  const square = [embeddingLength, embeddingLength];
  return [
    ...both(`${to}.attn_q`, `${from}.attention.self.query`, square),
    ...both(`${to}.attn_k`, `${from}.attention.self.key`, square),
    ...both(`${to}.attn_v`, `${from}.attention.self.value`, square),
    ...both(`${to}.attn_output`, `${from}.attention.output.dense`, square),
    ...both(`${to}.attn_output_norm`, `${from}.attention.output.LayerNorm`, [embeddingLength]),
    ...both(`${to}.ffn_up`, `${from}.intermediate.dense`, [feedForwardLength, embeddingLength]),
    ...both(`${to}.ffn_down`, `${from}.output.dense`, [embeddingLength, feedForwardLength]),
    ...both(`${to}.layer_output_norm`, `${from}.output.LayerNorm`, [embeddingLength]),
  ];
}

function distilBertLayer(
  { embeddingLength, feedForwardLength }: BertConfig,
  layer: number,
): readonly Expected[] {
  const [to, from] = [`blk.${layer}`, `transformer.layer.${layer}`];
  const square = [embeddingLength, embeddingLength];
  return [
    ...both(`${to}.attn_q`, `${from}.attention.q_lin`, square),
    ...both(`${to}.attn_k`, `${from}.attention.k_lin`, square),
    ...both(`${to}.attn_v`, `${from}.attention.v_lin`, square),
    ...both(`${to}.attn_output`, `${from}.attention.out_lin`, square),
    ...both(`${to}.attn_output_norm`, `${from}.sa_layer_norm`, [embeddingLength]),
    ...both(`${to}.ffn_up`, `${from}.ffn.lin1`, [feedForwardLength, embeddingLength]),
    ...both(`${to}.ffn_down`, `${from}.ffn.lin2`, [embeddingLength, feedForwardLength]),
    ...both(`${to}.layer_output_norm`, `${from}.output_layer_norm`, [embeddingLength]),
  ];
}

/** Dense, tanh, then the outputs; BERT's first layer is its pooler. */
function classifier({ family, embeddingLength, labels }: BertConfig): readonly Expected[] {
  const [first, last] =
    family === 'bert' ? ['pooler.dense', 'classifier'] : ['classifier.dense', 'classifier.out_proj'];
  return [
    ...both('cls', first, [embeddingLength, embeddingLength]),
    ...both('cls.output', last, [labels.length, embeddingLength]),
  ];
}

/** Weight and bias of one layer; the bias has the weight's outer dimension. */
function both(name: string, from: string, shape: readonly number[]): readonly Expected[] {
  return [
    { name: `${name}.weight`, from: `${from}.weight`, shape },
    { name: `${name}.bias`, from: `${from}.bias`, shape: shape.slice(0, 1) },
  ];
}

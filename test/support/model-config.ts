import { Metadata } from '../../src/gguf/metadata.ts';
import type { MetadataValue } from '../../src/gguf/metadata.ts';
import { TensorTable } from '../../src/gguf/tensor-table.ts';
import { readModelConfig } from '../../src/graph/config.ts';
import type { ModelConfig } from '../../src/graph/config.ts';

/** Length of the embedding of {@link configOf}. */
export const embedding = 48;

/** The configuration of a model of four layers with four heads, from its metadata and names of tensors. */
export function configOf(
  architecture: string,
  keys: Readonly<Record<string, MetadataValue>> = {},
  tensors: readonly string[] = [],
): ModelConfig {
  const entries = {
    block_count: 4,
    context_length: 256,
    embedding_length: embedding,
    'attention.head_count': 4,
    'attention.head_count_kv': 2,
    'attention.layer_norm_rms_epsilon': 1e-5,
    'attention.layer_norm_epsilon': 1e-6,
    ...keys,
  };
  const metadata = new Metadata(
    new Map<string, MetadataValue>([
      ['general.architecture', architecture],
      ...Object.entries(entries).map(
        ([key, value]) => [key.startsWith('xielu') ? key : `${architecture}.${key}`, value] as const,
      ),
    ]),
  );
  const table = new TensorTable(
    ['token_embd.weight', ...tensors].map((name) => ({
      name,
      type: 'F32' as const,
      shape: [embedding, 320],
      elementCount: embedding * 320,
      byteLength: embedding * 320 * 4,
      shard: 0,
      offset: 0,
    })),
  );
  return readModelConfig(metadata, table, new Map());
}

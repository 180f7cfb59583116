import type { Value } from '../onnx/graph-builder.ts';
import type { ModelConfig } from './config.ts';
import type { Dialect, NormWeight } from './dialect.ts';
import type { LayerConfig } from './layer-config.ts';
import { project } from './projection.ts';
import type { ScaledWeight, WeightLookup } from './weight-lookup.ts';

/** One layer while it is being written: its numbers, its tensors and the dialect they go to. */
export class LayerScope {
  readonly index: number;
  readonly layer: LayerConfig;
  readonly config: ModelConfig;
  readonly weights: WeightLookup;
  readonly dialect: Dialect;

  constructor(
    config: ModelConfig,
    weights: WeightLookup,
    dialect: Dialect,
    index: number,
    layer: LayerConfig,
  ) {
    this.config = config;
    this.weights = weights;
    this.dialect = dialect;
    this.index = index;
    this.layer = layer;
  }

  /** The whole name of a tensor of this layer. */
  name(part: string): string {
    return this.nameIn(this.index, part);
  }

  /** The same of another layer. */
  nameIn(index: number, part: string): string {
    const { stack } = this.config;
    if (stack === undefined) return `blk.${index}.${part}`;
    return `${stack}.blk.${index}.${part.replace(/^attn_output(?=\.|$)/, 'attn_o')}`;
  }

  has(part: string): boolean {
    return this.weights.has(this.name(`${part}.weight`));
  }

  linear(part: string, columns: number, rows: number): ScaledWeight {
    return this.weights.linear(this.name(part), columns, rows);
  }

  /** One product. */
  project(input: Value, part: string, columns: number, rows: number): Value {
    return project(this.dialect, input, [this.linear(part, columns, rows)])[0] ?? '';
  }

  /** The first of the named norms that the file has; undefined when it has none of them. */
  norm(length: number, ...parts: string[]): NormWeight | undefined {
    for (const part of parts) {
      const norm = this.weights.norm(this.name(part), length);
      if (norm !== undefined) return norm;
    }
    return undefined;
  }

  /** @throws {RivuletError} `TENSOR_MISSING`, `TENSOR_SHAPE_MISMATCH` */
  requiredNorm(length: number, part: string): NormWeight {
    return this.weights.requiredNorm(this.name(part), length);
  }

  /** `input` through a norm; as it is, if the norm is undefined. */
  apply(input: Value, norm: NormWeight | undefined): Value {
    return norm === undefined ? input : this.dialect.norm(input, norm);
  }
}

/** A norm that only norms. */
export function unweightedNorm(length: number): NormWeight {
  return { name: `unweighted_norm_${length}`, weight: new Float32Array(length).fill(1) };
}

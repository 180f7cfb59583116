import { RivuletError } from '../errors.ts';
import type { LayerScope } from './layer-scope.ts';

/** Numbers that join the scores by the distance of a position from the row's. */
export interface PositionBias {
  readonly name: string;
  /** (heads, 2 * reach + 1), from `reach` positions before the row to as many after it; farther ones are as the farthest. */
  readonly values: Float32Array;
  readonly reach: number;
}

/** As in T5 and llama.cpp, whatever the file says. */
const maximumDistance = 128;

/**
 * The bias of a layer, from a table (buckets, heads): its own, or that of the first layer; undefined when there is none.
 * @throws {RivuletError} `GGUF_INVALID`, `TENSOR_SHAPE_MISMATCH`
 */
export function readPositionBias(scope: LayerScope): PositionBias | undefined {
  const { config, layer, weights } = scope;
  const buckets = config.relativeBuckets;
  if (buckets === undefined) return undefined;
  const own = scope.name('attn_rel_b.weight');
  const name = weights.has(own) ? own : scope.nameIn(0, 'attn_rel_b.weight');
  const table = weights.vector(name, buckets * layer.heads);
  if (table === undefined) return undefined;
  const width = 2 * maximumDistance + 1;
  const values = new Float32Array(layer.heads * width);
  for (let index = 0; index < width; index++) {
    const bucket = bucketOf(index - maximumDistance, buckets, config.bidirectional);
    for (let head = 0; head < layer.heads; head++) {
      values[head * width + index] = table.values[bucket * layer.heads + head] ?? 0;
    }
  }
  return { name: `${name}.spread`, values, reach: maximumDistance };
}

/**
 * Near distances have a bucket each, farther ones share those of a logarithmic scale (Raffel et al. 2020); rounded to
 * f32 where the reference is.
 */
export function bucketOf(distance: number, buckets: number, bidirectional: boolean): number {
  const side = bidirectional ? Math.floor(buckets / 2) : buckets;
  const first = bidirectional && distance > 0 ? side : 0;
  const length = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(side / 2);
  if (length < exact) return first + length;
  const logarithm = Math.fround(Math.log(Math.fround(length / exact)));
  const scaled = Math.fround(logarithm * (side - exact)) / Math.log(maximumDistance / exact);
  return first + Math.min(side - 1, Math.floor(Math.fround(exact + scaled)));
}

/** How many buckets a file may have: two per side and more, or the scale has no room. */
export function checkBuckets(buckets: number, key: string): number {
  if (Number.isInteger(buckets) && buckets >= 4 && buckets <= maximumDistance) return buckets;
  throw new RivuletError(
    'GGUF_INVALID',
    `Expected ${key} to be a whole number from 4 to ${maximumDistance}, found ${buckets}. The file is damaged or crafted; download it again.`,
    { details: { key } },
  );
}

import { RivuletError } from '../errors.ts';
import type { ArchitectureRow } from './architecture-row.ts';
import type { ArchitectureKeys } from './metadata-keys.ts';
import { createRope } from './rope.ts';
import type { RopeConfig, YarnParameters } from './rope.ts';

/** Vectors that the configuration itself needs, read before: rotary factors by tensor name. */
export type RopeFactors = ReadonlyMap<string, Float32Array>;

/** The two rotations of a model; absent when it does not rotate. */
export interface RopePair {
  /** Of layers that see everything. */
  readonly open?: RopeConfig;
  /** Of layers with a window. */
  readonly windowed?: RopeConfig;
  /** Multiplies the scale of the scores. */
  readonly scoreFactor: number;
}

export interface RopeContext {
  readonly contextLength: number;
  readonly trainedContextLength: number;
  readonly factors: RopeFactors;
  /** Elements that rotate at most: head lengths without and with a window. */
  readonly headDims: { readonly open: number; readonly windowed: number };
}

/** @throws {RivuletError} `GGUF_INVALID`, `TENSOR_SHAPE_MISMATCH` */
export function readRopes(keys: ArchitectureKeys, row: ArchitectureRow, context: RopeContext): RopePair {
  const pairs = usesSections(keys) ? 'halves' : row.ropePairs;
  const off = row.finetunedSwitchesRope && keys.boolean('rope.scaling.finetuned') === false;
  if (pairs === undefined || off) return { scoreFactor: 1 };

  const type = keys.text('rope.scaling.type') ?? 'linear';
  const factor = keys.number('rope.scaling.factor') ?? keys.number('rope.scale_linear') ?? 0;
  const positionScale = type === 'none' || factor === 0 ? 1 : 1 / factor;
  const attentionFactor = keys.number('rope.scaling.attn_factor') ?? 1;
  const told = rotatedLength(keys, 'rope.dimension_count', context.headDims.open);
  const dimensions = row.halvesOpenRotation ? told / 2 : told;
  const windowedDimensions =
    keys.number('rope.dimension_count_swa') === undefined
      ? Math.min(told, context.headDims.windowed)
      : rotatedLength(keys, 'rope.dimension_count_swa', context.headDims.windowed);
  const base = baseOf(keys, context.headDims.open);
  const windowedBase = keys.number('rope.freq_base_swa') ?? row.windows?.ropeBase ?? base;
  const factors = chooseFactors(keys, context, dimensions);
  const yarn = type === 'yarn' ? readYarn(keys, row, context) : undefined;
  const scaled = {
    pairs,
    positionScale,
    attentionFactor,
    ...(factors === undefined ? {} : { factors }),
    ...(yarn === undefined ? {} : { yarn }),
  };
  const open = createRope({ ...scaled, dimensions, base });
  const windowed = row.windows?.ropeUnscaled
    ? createRope({
        pairs,
        dimensions: windowedDimensions,
        base: windowedBase,
        positionScale: 1,
        attentionFactor: 1,
      })
    : windowedBase === base && windowedDimensions === dimensions
      ? open
      : createRope({ ...scaled, dimensions: windowedDimensions, base: windowedBase });
  return { open, windowed, scoreFactor: row.yarnScalesScores ? scoreFactor(keys, open, positionScale) : 1 };
}

/** DeepSeek's `mscale_all_dim`, of which files hold a tenth, on queries and keys alike. */
function scoreFactor(keys: ArchitectureKeys, rope: RopeConfig, positionScale: number): number {
  const multiplier = keys.number('rope.scaling.yarn_log_multiplier') ?? 0;
  return (rope.magnitude * (1 + multiplier * Math.log(1 / positionScale))) ** 2;
}

/** Several positions per token (M-RoPE): text has the same one in all sections, and pairs are always halves. */
function usesSections(keys: ArchitectureKeys): boolean {
  const sections = keys.list('rope.dimension_sections');
  return (sections?.[0] ?? 0) > 0 && (sections?.[1] ?? 0) > 0;
}

function rotatedLength(keys: ArchitectureKeys, suffix: string, headDim: number): number {
  const dimensions = keys.number(suffix) ?? headDim;
  if (Number.isInteger(dimensions / 2) && dimensions > 0 && dimensions <= headDim) return dimensions;
  throw new RivuletError(
    'GGUF_INVALID',
    `Expected ${keys.name(suffix)} to be even and at most the head length ${headDim}, found ${dimensions}.`,
    { details: { key: keys.name(suffix) } },
  );
}

/** NTK scaling by `alpha` (Hunyuan) is a larger base. */
function baseOf(keys: ArchitectureKeys, headDim: number): number {
  const base = keys.number('rope.freq_base') ?? 10000;
  const alpha = keys.number('rope.scaling.alpha') ?? 0;
  return alpha > 0 ? base * alpha ** (headDim / (headDim - 2)) : base;
}

function chooseFactors(
  keys: ArchitectureKeys,
  { factors, contextLength, trainedContextLength, headDims }: RopeContext,
  dimensions: number,
): Float32Array | undefined {
  const original = keys.number('rope.scaling.original_context_length') ?? trainedContextLength;
  const chosen =
    factors.get('rope_freqs.weight') ??
    factors.get(contextLength > original ? 'rope_factors_long.weight' : 'rope_factors_short.weight');
  // Gemma 4 has one per pair of a whole head, of which the first are used.
  if (chosen === undefined || [dimensions / 2, headDims.open / 2].includes(chosen.length)) return chosen;
  throw new RivuletError(
    'TENSOR_SHAPE_MISMATCH',
    `Expected ${dimensions / 2} rotary factors, found ${chosen.length}. Metadata and tensors do not belong together; download the file again.`,
    { details: { key: keys.name('rope.dimension_count') } },
  );
}

function readYarn(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  { trainedContextLength }: RopeContext,
): YarnParameters {
  const ramp = row.yarnRamp;
  const told = (suffix: string): number | undefined => (ramp === undefined ? undefined : keys.number(suffix));
  const logMultiplier = keys.number('rope.scaling.yarn_log_multiplier') ?? 0;
  return {
    originalContextLength: keys.number('rope.scaling.original_context_length') ?? trainedContextLength,
    betaFast: told('rope.scaling.yarn_beta_fast') || (ramp?.fast ?? 32),
    betaSlow: told('rope.scaling.yarn_beta_slow') || (ramp?.slow ?? 1),
    // Where scores are scaled, rotations are not.
    logMultiplier: row.yarnScalesScores && logMultiplier !== 0 ? 1 : logMultiplier,
  };
}

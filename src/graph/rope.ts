/** Rotary position embedding of one kind of layer. */
export interface RopeConfig {
  readonly pairs: 'neighbours' | 'halves';
  /** How many elements of a head rotate; the rest passes through. */
  readonly dimensions: number;
  /** (dimensions / 2,) radians per position, all scaling included. */
  readonly frequencies: Float64Array;
  /** Multiplies sine and cosine. */
  readonly magnitude: number;
}

export interface RopeParameters {
  readonly pairs: 'neighbours' | 'halves';
  readonly dimensions: number;
  readonly base: number;
  /** Positions are multiplied by this (linear scaling, interpolated part of YaRN); 1 = unscaled. */
  readonly positionScale: number;
  /** (dimensions / 2,) divisors of the frequencies (llama 3, longrope). */
  readonly factors?: Float32Array;
  readonly yarn?: YarnParameters;
  /** Factor from the file on sine and cosine (longrope). */
  readonly attentionFactor: number;
}

export interface YarnParameters {
  readonly originalContextLength: number;
  readonly betaFast: number;
  readonly betaSlow: number;
  /** `rope.scaling.yarn_log_multiplier`; 0 = absent. */
  readonly logMultiplier: number;
}

/** Folds scaling into frequencies, as llama.cpp's `rope_yarn` does per angle (Peng et al. 2023 for YaRN). */
export function createRope(parameters: RopeParameters): RopeConfig {
  const { dimensions, base, positionScale, factors, yarn } = parameters;
  const frequencies = new Float64Array(dimensions / 2);
  const ramp = yarn === undefined ? undefined : yarnRamp(yarn, dimensions, base);
  for (let index = 0; index < frequencies.length; index++) {
    const unscaled = base ** ((-2 * index) / dimensions) / (factors?.[index] ?? 1);
    const extrapolated = ramp?.(index) ?? 0;
    frequencies[index] = unscaled * (positionScale * (1 - extrapolated) + extrapolated);
  }
  return {
    pairs: parameters.pairs,
    dimensions,
    frequencies,
    magnitude: parameters.attentionFactor * (yarn === undefined ? 1 : yarnMagnitude(yarn, positionScale)),
  };
}

/** 1 where a frequency keeps its pace, 0 where it is interpolated (`rope_yarn_ramp`). */
function yarnRamp(yarn: YarnParameters, dimensions: number, base: number): (index: number) => number {
  const border = (rotations: number): number =>
    (dimensions * Math.log(yarn.originalContextLength / (rotations * 2 * Math.PI))) / (2 * Math.log(base));
  const low = Math.max(0, Math.floor(border(yarn.betaFast)));
  const high = Math.min(dimensions - 1, Math.ceil(border(yarn.betaSlow)));
  return (index) => 1 - Math.min(1, Math.max(0, (index - low) / Math.max(0.001, high - low)));
}

/** The magnitude correction of `llama_context`, which assumes an `mscale` of 1. */
function yarnMagnitude(yarn: YarnParameters, positionScale: number): number {
  const factor = 1 / positionScale;
  const magnitude = (multiplier: number): number =>
    factor <= 1 ? 1 : 0.1 * multiplier * Math.log(factor) + 1;
  return yarn.logMultiplier === 0 ? magnitude(1) : magnitude(1) / magnitude(yarn.logMultiplier);
}

import { cutAfter, sumOfWeights } from './shortlist.ts';
import type { Shortlist } from './shortlist.ts';

/**
 * What a filter makes of a list: the next list, or what it needs to decide: `more` candidates, or `all` of them.
 */
export type Filtered = Shortlist | 'more' | 'all';
export type Filter = (list: Shortlist) => Filtered;

/** llama.cpp's `llama_sampler_top_k_impl`: the k best; 0 keeps all. */
export function topK(k: number): Filter {
  return (list) => {
    if (k <= 0 || (k >= list.ids.length && list.tail === undefined)) return list;
    return k <= list.ids.length ? cutAfter(list, k) : 'more';
  };
}

/** llama.cpp's `llama_sampler_top_p_apply`: the fewest best whose probabilities add up to at least p. */
export function topP(p: number): Filter {
  return (list) => {
    if (p >= 1) return list;
    const { tail, depths } = list;
    const sum = sumOfWeights(depths);
    if (tail === undefined) return cutAfter(list, countUntil(depths, p * sum) ?? depths.length);
    const fewest = countUntil(depths, p * (sum + tail.low));
    const most = countUntil(depths, p * (sum + tail.high));
    return fewest !== undefined && fewest === most ? cutAfter(list, fewest) : 'more';
  };
}

/** How many entries it takes until their weights reach `target`. */
function countUntil(depths: Float64Array, target: number): number | undefined {
  let sum = 0;
  for (let index = 0; index < depths.length; index += 1) {
    sum += Math.exp(depths[index]!);
    if (sum >= target) return index + 1;
  }
  return undefined;
}

/** llama.cpp's `llama_sampler_min_p_apply`: those at least p times as probable as the best. */
export function minP(p: number): Filter {
  return (list) => {
    if (p <= 0) return list;
    const deepest = Math.log(p);
    const kept = list.depths.findIndex((depth, index) => index > 0 && depth < deepest);
    if (kept > 0) return cutAfter(list, kept);
    return list.tail === undefined ? list : 'more';
  };
}

/**
 * llama.cpp's `llama_sampler_typical_apply` (Meister et al. 2022): in order of how near a token's surprise is to
 * the entropy (ties: the more probable first), the fewest whose probabilities add up to more than p.
 */
export function typical(p: number): Filter {
  return (list) => {
    if (p >= 1) return list;
    // The entropy is a sum over every token.
    if (list.tail !== undefined) return 'all';
    const logarithm = Math.log(sumOfWeights(list.depths));
    const surprises = list.depths.map((depth) => logarithm - depth);
    let entropy = 0;
    for (const surprise of surprises) if (surprise !== Infinity) entropy += Math.exp(-surprise) * surprise;
    // Surprises rise along the list, so the nearest ones are a range that grows on its nearer side.
    const above = surprises.findIndex((surprise) => surprise > entropy);
    let start = above < 0 ? surprises.length : above;
    let end = start;
    let sum = 0;
    while (sum <= p && (start > 0 || end < surprises.length)) {
      const before = start > 0 ? entropy - surprises[start - 1]! : Infinity;
      const after = end < surprises.length ? surprises[end]! - entropy : Infinity;
      const takeBefore = start > 0 && before <= after;
      sum += Math.exp(-surprises[takeBefore ? start - 1 : end]!);
      if (takeBefore) start -= 1;
      else end += 1;
    }
    const best = list.depths[start] ?? 0;
    return {
      ids: list.ids.subarray(start, end),
      depths: list.depths.subarray(start, end).map((depth) => depth - best),
    };
  };
}

/** llama.cpp's `llama_sampler_temp_impl` for temperatures above 0: logits are divided by it. */
export function temperature(value: number): Filter {
  return (list) => {
    if (value === 1) return list;
    const power = 1 / value;
    // Minus infinity stays, also where the power underflows to 0.
    const depths = list.depths.map((depth) => (depth === -Infinity ? depth : depth * power));
    const { tail } = list;
    if (tail === undefined) return { ids: list.ids, depths };
    // A weight w becomes w ** power. For a given sum, that of the powers lies between all weights being equal
    // (Jensen) and all being as large as the last known one or nothing.
    const equal = (sum: number): number => tail.count * (sum / tail.count) ** power;
    const largest = Math.exp((list.depths.at(-1) ?? 0) * (power - 1));
    const uneven = (sum: number): number => (sum === 0 ? 0 : sum * largest);
    return {
      ids: list.ids,
      depths,
      tail:
        power > 1
          ? { count: tail.count, low: equal(tail.low), high: uneven(tail.high) }
          : { count: tail.count, low: uneven(tail.low), high: equal(tail.high) },
    };
  };
}

/**
 * The id at `position` (0 to 1) of the list's weights laid end to end, or `more` when the unknown tail decides.
 */
export function drawAt(list: Shortlist, position: number): number | 'more' {
  const { ids, depths, tail } = list;
  const sum = sumOfWeights(depths);
  const low = position * (sum + (tail?.low ?? 0));
  const high = position * (sum + (tail?.high ?? 0));
  let passed = 0;
  for (let index = 0; index < ids.length; index += 1) {
    passed += Math.exp(depths[index]!);
    if (passed > low) return passed > high ? ids[index]! : 'more';
  }
  if (tail !== undefined) return 'more';
  // Only rounding leads here, as position < 1; the last token with any weight owns the end.
  return ids[
    Math.max(
      0,
      depths.findLastIndex((depth) => Math.exp(depth) > 0),
    )
  ]!;
}

const blockElements = 32;
const scaleBytes = 2;

/** Bytes of one element of cached keys and values in each of their forms; quantized blocks have a scale each. */
export const cacheElementBytes: Readonly<Record<'f32' | 'f16' | 'q8_0' | 'q4_0', number>> = {
  f32: 4,
  f16: 2,
  q8_0: (blockElements + scaleBytes) / blockElements,
  q4_0: (blockElements / 2 + scaleBytes) / blockElements,
};

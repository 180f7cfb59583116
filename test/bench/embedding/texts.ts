/** Common words, most of them one token in any vocabulary. */
const words = (
  'the river runs past old stone houses and a market where people sell bread apples fish and wool every morning ' +
  'while children play near the bridge on warm days in spring a train leaves for the coast at noon with letters ' +
  'news and travellers who read talk or sleep until they see water light and white sails behind green hills'
).split(' ');

/**
 * Texts with lengths spread evenly over a range, shuffled, always the same.
 * @param countTokens of a text, with the marks that the model adds
 */
export function makeTexts(
  count: number,
  range: { readonly least: number; readonly most: number },
  countTokens: (text: string) => number,
): string[] {
  const random = seededRandom(5);
  const texts = Array.from({ length: count }, (_, index) => {
    const wanted = range.least + Math.round((index / Math.max(1, count - 1)) * (range.most - range.least));
    const chosen: string[] = [];
    do chosen.push(words[Math.floor(random() * words.length)] ?? '');
    while (countTokens(chosen.join(' ')) < wanted);
    return chosen.join(' ');
  });
  for (let index = texts.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [texts[index], texts[other]] = [texts[other] ?? '', texts[index] ?? ''];
  }
  return texts;
}

/** From 0 to 1 (Park and Miller 1988). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

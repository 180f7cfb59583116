/** Text without special tokens to ids. */
export interface SubwordEncoder {
  /**
   * Appends the ids of `text`, which has no lone surrogates, to `output`.
   *
   * @param afterSpecial nothing or a special token stands before the text
   */
  encode(text: string, output: number[], afterSpecial: boolean): void;
}

/** What is looked at of a tensor. */
interface Tensor {
  readonly name: string;
  readonly byteLength: number;
}

export interface ExpertCounts {
  /** Experts that a token goes through, and all. */
  readonly used: number;
  readonly all: number;
}

/** Tables of which a token needs one row. */
const rowTables = /^(?:token_embd|per_layer_token_embd|position_embd|token_types)\.weight$/;

/** Matrices of all experts of a layer. */
const expertMatrices = /_exps\.weight$/;

/**
 * Weight bytes that decoding one token has to read: all tensors, embedding tables only where they are the head
 * too, and of mixtures the experts that are used.
 */
export function weightBytesPerToken(tensors: Iterable<Tensor>, experts?: ExpertCounts): number {
  const all = [...tensors];
  const isTied = !all.some(({ name }) => name === 'output.weight');
  return all.reduce((sum, { name, byteLength }) => {
    if (rowTables.test(name)) return isTied && name === 'token_embd.weight' ? sum + byteLength : sum;
    if (experts !== undefined && expertMatrices.test(name)) {
      return sum + (byteLength * experts.used) / experts.all;
    }
    return sum + byteLength;
  }, 0);
}

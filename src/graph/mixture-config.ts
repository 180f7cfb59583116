import { RivuletError } from '../errors.ts';
import type { Activation, GateLimits } from './activation.ts';
import type { ArchitectureRow } from './architecture-row.ts';
import type { ArchitectureKeys } from './metadata-keys.ts';

/** How a mixture chooses among its experts and what they compute. */
export interface MixtureConfig {
  readonly experts: number;
  /** Experts per token. */
  readonly used: number;
  /** From logits to probabilities; `softmax-chosen` runs over the chosen experts' logits only. */
  readonly gate: 'softmax' | 'sigmoid' | 'softmax-chosen';
  /** Only the best groups take part, each scored by the sum of its two best experts; absent = one group. */
  readonly groups?: { readonly count: number; readonly used: number };
  /** The chosen weights are divided by their sum (at least 2 ** -14). */
  readonly normalizes: boolean;
  /** Multiplies the weights. */
  readonly scale: number;
  /** The weights multiply the experts' input instead of their output. */
  readonly weighsInput: boolean;
  readonly activation: Activation;
  readonly limits?: GateLimits;
}

/** More than any known model has; a crafted count must not make the graph explode. */
const maximumExperts = 1024;

/** Names by `LLAMA_EXPERT_GATING_FUNC_TYPE`. */
const gates = new Map<number, MixtureConfig['gate']>([
  [1, 'softmax'],
  [2, 'sigmoid'],
  [3, 'softmax-chosen'],
]);

/** @throws {RivuletError} `GGUF_INVALID`, `METADATA_MISSING`, `UNSUPPORTED` */
export function readMixtureConfig(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  layer: { readonly activation: Activation; readonly limits?: GateLimits },
): MixtureConfig {
  const experts = keys.size('expert_count', maximumExperts);
  const used = keys.size('expert_used_count', experts);
  const groupCount = keys.number('expert_group_count') ?? 0;
  const groups =
    groupCount > 1
      ? {
          count: keys.checked('expert_group_count', groupCount, { maximum: experts / 2 }),
          used: keys.size('expert_group_used_count', groupCount),
        }
      : undefined;
  if (
    groups !== undefined &&
    (experts % groups.count !== 0 || (experts / groups.count) * groups.used < used)
  ) {
    throw new RivuletError(
      'GGUF_INVALID',
      `Expected ${experts} experts in equal groups, of which ${groups.used} hold at least ${used}, found ${groups.count} groups. The file is damaged or crafted; download it again.`,
      { details: { key: keys.name('expert_group_count') } },
    );
  }
  return {
    experts,
    used,
    gate: readGate(keys, row),
    ...(groups === undefined ? {} : { groups }),
    normalizes:
      row.expertWeights === undefined
        ? (keys.boolean('expert_weights_norm') ?? false)
        : row.expertWeights === 'normalized',
    scale: keys.number('expert_weights_scale') || 1,
    weighsInput: row.weighsExpertInput ?? false,
    ...layer,
  };
}

function readGate(keys: ArchitectureKeys, row: ArchitectureRow): MixtureConfig['gate'] {
  const told = keys.number('expert_gating_func') ?? 0;
  const gate = told === 0 ? (row.expertGate ?? 'softmax') : gates.get(told);
  if (gate !== undefined) return gate;
  throw new RivuletError(
    'UNSUPPORTED',
    `Expected ${keys.name('expert_gating_func')} to be one of ${[...gates.keys()].join(', ')}, found ${told}. Look for a newer rivulet.`,
    { details: { key: keys.name('expert_gating_func') } },
  );
}

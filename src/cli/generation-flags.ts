import type { Command } from 'cac';
import type { GenerationOptions } from '../index.ts';
import { numberFlag, textFlags } from './flag-values.ts';
import type { FlagValues, NumberBounds } from './flag-values.ts';

type NumberOption =
  | 'maxTokens'
  | 'temperature'
  | 'topK'
  | 'topP'
  | 'minP'
  | 'typicalP'
  | 'repeatPenalty'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'seed';

interface GenerationFlag {
  readonly option: NumberOption;
  readonly usage: string;
  readonly description: string;
  readonly bounds: NumberBounds;
}

const count: NumberBounds = { minimum: 0, integer: true };
const fraction: NumberBounds = { minimum: 0, maximum: 1 };

const generationFlags: readonly GenerationFlag[] = [
  {
    option: 'maxTokens',
    usage: '--max-tokens <n>',
    description: 'Most tokens to generate',
    bounds: { minimum: 1, integer: true },
  },
  {
    option: 'temperature',
    usage: '--temperature <t>',
    description: '0 = always the most probable token',
    bounds: { minimum: 0 },
  },
  { option: 'topK', usage: '--top-k <k>', description: 'Keep the k best tokens; 0 = all', bounds: count },
  {
    option: 'topP',
    usage: '--top-p <p>',
    description: 'Keep tokens up to this summed probability',
    bounds: fraction,
  },
  {
    option: 'minP',
    usage: '--min-p <p>',
    description: 'Keep tokens at least this fraction as probable as the best',
    bounds: fraction,
  },
  {
    option: 'typicalP',
    usage: '--typical-p <p>',
    description: 'Locally typical sampling; 1 = off',
    bounds: fraction,
  },
  {
    option: 'repeatPenalty',
    usage: '--repeat-penalty <x>',
    description: 'Divides the logits of recent tokens; 1 = off',
    bounds: { minimum: 0 },
  },
  {
    option: 'frequencyPenalty',
    usage: '--frequency-penalty <x>',
    description: 'Subtracted per occurrence',
    bounds: {},
  },
  {
    option: 'presencePenalty',
    usage: '--presence-penalty <x>',
    description: 'Subtracted once per token that occurs',
    bounds: {},
  },
  { option: 'seed', usage: '--seed <n>', description: 'Same seed, same request: same answer', bounds: count },
];

/** Adds the flags that say how tokens are chosen and when the answer ends. */
export function addGenerationFlags(command: Command): Command {
  for (const flag of generationFlags) command.option(flag.usage, flag.description);
  return command
    .option('--json', 'Answer with JSON')
    .option('--json-schema <schema>', 'Answer with JSON that is valid under this schema (JSON, or @file)')
    .option('--grammar <gbnf>', 'Answer with a text of this grammar (GBNF, or @file)')
    .option('--regex <pattern>', 'Answer with a text that this regular expression matches')
    .option('--stop <text>', 'End the answer before this text; may be repeated')
    .option('--system <text>', 'What the model is told before the conversation');
}

/** The given flags as options of a request. @throws {UsageError} */
export function readGenerationFlags(flags: FlagValues): GenerationOptions {
  const options: { -readonly [K in NumberOption]?: number } = {};
  for (const { option, bounds } of generationFlags) {
    const value = numberFlag(flags, option, bounds);
    if (value !== undefined) options[option] = value;
  }
  const stop = textFlags(flags, 'stop');
  return { ...options, ...(stop.length === 0 ? {} : { stop }) };
}

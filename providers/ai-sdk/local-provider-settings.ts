import { InvalidArgumentError } from '@ai-sdk/provider';
import { z } from 'zod/v4';
import type { FetchOptions, SharedLoadOptions } from '#rivulet';
import { defined } from '../defined.ts';
import { describeIssues } from './describe-issues.ts';

/** Time as a number of milliseconds, or with its unit; `forever` and Infinity are the same. */
export type KeepAlive = number | 'forever' | `${number}${'ms' | 's' | 'm' | 'h'}`;

/** How the models of a provider are found and loaded. Of two names of one setting only one may be given. */
export interface LocalProviderSettings extends Omit<SharedLoadOptions & FetchOptions, 'signal'> {
  /** Another name of `cache`: the folder of fetched models. @default RIVULET_CACHE, else the platform's cache folder */
  readonly cacheDirectory?: string;
  /**
   * How long an idle engine stays in memory: milliseconds, `'30s'`, `'5m'`, `'1h'` or `'forever'`; 0 = it goes at once.
   * Another name of `keepAliveMs`. @default '5m'
   */
  readonly keepAlive?: KeepAlive;
  /** Most streams that compute at once on one engine; more wait. Another name of `maxStreams`. @default 32 */
  readonly maxConcurrency?: number;
}

/** Settings under one name each. All but the listener is JSON: time without end has a name, as Infinity is none. */
export interface HandleSettings extends Omit<SharedLoadOptions & FetchOptions, 'signal' | 'keepAliveMs'> {
  readonly keepAlive?: number | 'forever';
}

const timePattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h)|forever)$/;

function isTime(value: unknown): boolean {
  return typeof value === 'string' ? timePattern.test(value) : typeof value === 'number' && value >= 0;
}

const count = z.int().positive();
const folder = z.string().min(1);

const settingsSchema = z.strictObject({
  modelDirectory: folder.optional(),
  cache: folder.optional(),
  cacheDirectory: folder.optional(),
  contextLength: z.union([count, z.literal('auto')]).optional(),
  threads: count.optional(),
  dialect: z.enum(['native', 'portable']).optional(),
  device: z.enum(['auto', 'cpu', 'cuda', 'webgpu']).optional(),
  cacheType: z.enum(['f32', 'f16', 'q8_0', 'q4_0']).optional(),
  keepAlive: z
    .custom(isTime, "expected milliseconds, or a time such as '30s', '5m', '1h', 'forever'")
    .optional(),
  keepAliveMs: z.union([z.number().nonnegative(), z.literal(Infinity)]).optional(),
  maxConcurrency: count.optional(),
  maxStreams: count.optional(),
  chatTemplate: z.string().optional(),
  vocabularyOnly: z.boolean().optional(),
  onProgress: z.custom((value) => typeof value === 'function', 'expected a function').optional(),
});

const pairs = [
  ['cacheDirectory', 'cache'],
  ['keepAlive', 'keepAliveMs'],
  ['maxConcurrency', 'maxStreams'],
] as const satisfies readonly (readonly (keyof LocalProviderSettings)[])[];

/** @throws {InvalidArgumentError} for unknown settings, wrong values, and one setting under two names */
export function readSettings(settings: LocalProviderSettings): HandleSettings {
  const given = defined(settings);
  const { error } = settingsSchema.safeParse(given);
  if (error !== undefined) {
    const [issue] = error.issues;
    const name = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path[0];
    throw new InvalidArgumentError({
      argument: String(name ?? 'settings'),
      message: `The settings of a local model are wrong: ${describeIssues(error.issues)}.`,
      cause: error,
    });
  }
  for (const [name, other] of pairs) {
    if (given[name] === undefined || given[other] === undefined) continue;
    throw new InvalidArgumentError({
      argument: name,
      message: `The settings ${name} and ${other} are two names of the same; give one of them.`,
    });
  }
  const { cacheDirectory, keepAlive, keepAliveMs, maxConcurrency, ...rest } = given;
  const time = keepAlive ?? keepAliveMs;
  return {
    ...rest,
    ...defined({
      cache: cacheDirectory ?? rest.cache,
      maxStreams: maxConcurrency ?? rest.maxStreams,
      keepAlive: time === undefined ? undefined : readTime(time),
    }),
  };
}

/** The options of `loadModel`. */
export function toLoadOptions({ keepAlive, ...rest }: HandleSettings): SharedLoadOptions & FetchOptions {
  if (keepAlive === undefined) return rest;
  return { ...rest, keepAliveMs: keepAlive === 'forever' ? Infinity : keepAlive };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function readTime(time: KeepAlive): number | 'forever' {
  if (time === 'forever' || time === Infinity) return 'forever';
  if (typeof time === 'number') return time;
  const unit = /[a-z]+$/.exec(time)?.[0] ?? 'ms';
  return Number.parseFloat(time) * (unitMs[unit] ?? 1);
}

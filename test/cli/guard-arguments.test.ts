import { describe, expect, it } from 'vitest';
import { booleanFlag, numberFlag, textFlag, textFlags } from '../../src/cli/flag-values.ts';
import { readGenerationFlags } from '../../src/cli/generation-flags.ts';
import { guardArguments, unguard } from '../../src/cli/guard-arguments.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { cac } from 'cac';

/** What a command sees of its words after guard and parser. */
function parse(...words: string[]): { words: string[]; flags: Record<string, unknown> } {
  const cli = cac('test');
  let seen: { words: string[]; flags: Record<string, unknown> } | undefined;
  cli
    .command('run <reference> [...prompt]')
    .option('--seed <n>', '')
    .option('--stop <text>', '')
    .option('--system <text>', '')
    .option('--presence-penalty <x>', '')
    .option('--stats', '')
    .action((reference: string, prompt: string[], flags: Record<string, unknown>) => {
      seen = { words: [reference, ...prompt].map(unguard), flags };
    });
  const valueFlags = new Set(['--seed', '--stop', '--system', '--presence-penalty']);
  cli.parse(['node', 'test', ...guardArguments(words, valueFlags)]);
  if (seen === undefined) throw new Error('The command was not matched.');
  return seen;
}

describe('guardArguments', () => {
  it('keeps words that look like numbers, flags or booleans', () => {
    const { words, flags } = parse('run', '007', '1e3', '--stats', '5', '--', '-x', '--seed');
    expect(words).toEqual(['007', '1e3', '5', '-x', '--seed']);
    expect(booleanFlag(flags, 'stats')).toBe(true);
    expect(booleanFlag(flags, 'ids')).toBe(false);
  });

  it('keeps values as they were written', () => {
    const { flags } = parse(
      'run',
      'm',
      '--system',
      '007',
      '--stop',
      '1.0',
      '--stop=--',
      '--stop',
      '',
      '--presence-penalty',
      '-0.5',
    );
    expect(textFlag(flags, 'system')).toBe('007');
    expect(textFlags(flags, 'stop')).toEqual(['1.0', '--', '']);
    expect(numberFlag(flags, 'presencePenalty')).toBe(-0.5);
    expect(readGenerationFlags(flags)).toEqual({ presencePenalty: -0.5, stop: ['1.0', '--', ''] });
  });

  it('takes the last of repeated values', () => {
    expect(numberFlag(parse('run', 'm', '--seed', '1', '--seed=2').flags, 'seed')).toBe(2);
  });

  it('says when a value is missing', () => {
    expect(() => parse('run', 'm', '--seed')).toThrow(UsageError);
  });

  it.each(['abc', '', ' ', '1.5', '-1', '1e400', 'Infinity', '0x', '--stats'])(
    'refuses %j as a seed',
    (text) => {
      const { flags } = parse('run', 'm', `--seed=${text}`);
      expect(() => readGenerationFlags(flags)).toThrow(
        expect.objectContaining({ name: 'UsageError', message: expect.stringContaining('--seed') }),
      );
    },
  );
});

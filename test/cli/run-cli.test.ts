import { describe, expect, it } from 'vitest';
import { spawnCli } from './spawn-cli.ts';

const commands = ['run', 'chat', 'info', 'tokenize', 'pull', 'embed', 'rerank'];

describe('rivulet', () => {
  it('shows its commands without one, and its version', async () => {
    const [bare, version] = await Promise.all([spawnCli([]), spawnCli(['--version'])]);
    expect(bare).toMatchObject({ exitCode: 0, stderr: '' });
    for (const command of commands) expect(bare.stdout).toContain(`rivulet ${command} --help`);
    expect(version).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^rivulet\/\d+\.\d+\.\d+/) });
  });

  it('has help for every command', async () => {
    const results = await Promise.all(commands.map((command) => spawnCli([command, '--help'])));
    for (const [index, result] of results.entries()) {
      expect(result).toMatchObject({ exitCode: 0, stderr: '' });
      expect(result.stdout).toContain(`$ rivulet ${commands[index]} <reference>`);
    }
    for (const flag of ['temperature', 'top-k', 'top-p', 'min-p', 'typical-p', 'repeat-penalty'].concat([
      'frequency-penalty',
      'presence-penalty',
      'max-tokens',
      'seed',
      'stop',
      'system',
      'context',
      'threads',
      'template-file',
      'cache',
    ])) {
      expect(results[0]?.stdout).toContain(`--${flag} <`);
      expect(results[1]?.stdout).toContain(`--${flag} <`);
    }
  });

  it.each([
    [['rum', 'x'], 'Did you mean "run"?'],
    [['frobnicate'], 'Known are: run, chat, info, tokenize, embed, rerank, pull, convert.'],
    [['run'], 'missing required args'],
    [['run', 'm', 'hi', '--temprature', '1'], 'Unknown option `--temprature`'],
    [['run', 'm', 'hi', '--temperature', 'hot'], '--temperature needs a number from 0, found "hot"'],
    [['run', 'm', 'hi', '--seed'], '--seed needs a value'],
    [['run', 'm'], 'Expected a prompt'],
    [['run', 'm', 'hi', '--template-file', '/no/such/file'], '--template-file needs a file'],
    [['pull', 'a', 'b'], 'Unused args'],
    [['embed', 'm', 'x', '--kind', 'both'], '--kind'],
    [['embed', 'm', 'x', '--dimensions', '0'], '--dimensions needs a whole number'],
    [['embed', 'm', 'x', '--file', 'y'], 'found both'],
    [['rerank', 'm', 'x'], 'Expected the flag --query'],
    [['--stats'], 'Expected a command'],
  ])('answers %j with exit code 2 and a hint', async (words, hint) => {
    const result = await spawnCli(words);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(hint);
    expect(result.stderr).toContain('--help');
    expect(result.stderr).not.toContain('    at ');
  });
});

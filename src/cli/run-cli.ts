import { createRequire } from 'node:module';
import { cac } from 'cac';
import type { CAC } from 'cac';
import { addChatCommand } from './chat-command.ts';
import { addConvertCommand } from './convert-command.ts';
import { describeError } from './describe-error.ts';
import { addEmbedCommand } from './embed-command.ts';
import { textFlag } from './flag-values.ts';
import { guardArguments } from './guard-arguments.ts';
import { addInfoCommand } from './info-command.ts';
import { Interrupt, isOutputClosed } from './interrupt.ts';
import { addPullCommand } from './pull-command.ts';
import { addRerankCommand } from './rerank-command.ts';
import { addRunCommand } from './run-command.ts';
import { suggest } from './suggest.ts';
import { addTokenizeCommand } from './tokenize-command.ts';
import { UsageError } from './usage-error.ts';

/** Runs the command that the arguments name (as in `process.argv`) and returns the exit code: 0, 1, 2 or 130. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const cli = createCli();
  try {
    const words = guardArguments(argv.slice(2), valueFlagsOf(cli));
    cli.parse(['node', 'rivulet', ...words], { run: false });
    const { options } = cli;
    if (options['help'] === true || (options['version'] === true && cli.matchedCommandName === undefined)) {
      return 0;
    }
    if (cli.matchedCommand === undefined) return runNothing(cli);
    const cache = textFlag(options, 'cache');
    // Everything that keeps files asks for this variable, in worker threads too.
    if (cache !== undefined) process.env['RIVULET_CACHE'] = cache;
    await cli.runMatchedCommand();
    return 0;
  } catch (error) {
    return report(error, cli.matchedCommandName);
  }
}

function createCli(): CAC {
  const cli = cac('rivulet');
  addRunCommand(cli);
  addChatCommand(cli);
  addInfoCommand(cli);
  addTokenizeCommand(cli);
  addEmbedCommand(cli);
  addRerankCommand(cli);
  addPullCommand(cli);
  addConvertCommand(cli);
  cli.help();
  cli.version(readVersion());
  return cli;
}

/** Without a command there is nothing to do but to say what there is. */
function runNothing(cli: CAC): number {
  const [name] = cli.args;
  if (name === undefined) {
    const flag = Object.keys(cli.options).find((option) => option !== '--');
    if (flag !== undefined) throw new UsageError(`Expected a command before the flag "${flag}".`);
    cli.outputHelp();
    return 0;
  }
  const meant = suggest(
    name,
    cli.commands.map((command) => command.name),
  );
  throw new UsageError(
    `Unknown command "${name}".${meant === undefined ? '' : ` Did you mean "${meant}"?`} Known are: ${cli.commands
      .map((command) => command.name)
      .join(', ')}.`,
  );
}

async function report(error: unknown, command: string | undefined): Promise<number> {
  if (error instanceof Interrupt) return 130;
  if (isOutputClosed(error)) return 0;
  // cac's own class is not exported.
  if (error instanceof UsageError || (error instanceof Error && error.name === 'CACError')) {
    const help = command === undefined ? 'rivulet --help' : `rivulet ${command} --help`;
    process.stderr.write(`${error.message}\nSee: ${help}\n`);
    return 2;
  }
  process.stderr.write(`${await describeError(error)}\n`);
  return 1;
}

function valueFlagsOf(cli: CAC): ReadonlySet<string> {
  const options = cli.commands.flatMap((command) => command.options);
  return new Set(
    options
      .filter((option) => option.required === true)
      .map((option) => option.rawName.split(' ')[0] ?? option.rawName),
  );
}

function readVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('rivulet/package.json');
  return String((manifest as { version?: unknown }).version);
}

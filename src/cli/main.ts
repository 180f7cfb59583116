#!/usr/bin/env node
import { runCli } from './run-cli.ts';

// A reader such as `head` may leave early; commands notice it themselves and end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// Not process.exit: what is still in the pipe of standard output would be lost.
process.exitCode = await runCli(process.argv);

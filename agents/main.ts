#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT_CODES, exitCodeOf, MeteringError } from '@nephometer/core';
import { createProgram } from './program.ts';

// A reader that went away (`nephometer-agent poll --once | head`) is no error.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  process.exit(cause.code === 'EPIPE' ? EXIT_CODES.ok.code : EXIT_CODES.failed.code);
});

try {
  await createProgram().parseAsync();
} catch (cause) {
  process.exitCode = report(cause);
}

/** Says what went wrong, for a person; gives the exit code. */
function report(cause: unknown): number {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
  const isOurs = cause instanceof MeteringError;
  const text = cause instanceof Error ? (isOurs ? cause.message : (cause.stack ?? cause.message)) : String(cause);
  process.stderr.write(`${text}\n`);
  return exitCodeOf(cause);
}

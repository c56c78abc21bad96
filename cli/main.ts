#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT_CODES, exitCodeOf, MeteringError } from '@nephometer/core';
import { ApiError } from './client.ts';
import { createProgram } from './program.ts';

const program = createProgram();
for (const command of [program, ...descendants(program)]) command.exitOverride();

// A reader that went away (`nephometer samples | head`) is no error.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  process.exit(cause.code === 'EPIPE' ? EXIT_CODES.ok.code : EXIT_CODES.failed.code);
});

try {
  await program.parseAsync();
} catch (cause) {
  const code = report(cause);
  // Once all is written; whatever a command has left open must not keep it.
  process.stderr.write('', () => process.exit(code));
}

/** Says what went wrong, for a person; gives the exit code. */
function report(cause: unknown): number {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
  if (cause instanceof ApiError) {
    process.stderr.write(`${cause.message}\n`);
    return cause.exitCode;
  }
  if (cause instanceof MeteringError) {
    process.stderr.write(`${cause.message}\n`);
    return exitCodeOf(cause);
  }
  process.stderr.write(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
  return EXIT_CODES.failed.code;
}

function descendants(command: typeof program): (typeof program)[] {
  return command.commands.flatMap((below) => [below, ...descendants(below)]);
}

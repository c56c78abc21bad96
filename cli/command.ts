import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { FORMATS } from './format.ts';
import type { Format } from './format.ts';

/** Options of the commands that ask the API. */
export function asClient(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'address of the API').env('NEPHOMETER_URL'))
    .addOption(
      new Option('--token-file <file>', 'file with the token; default DATA_DIR/admin-token').env(
        'NEPHOMETER_TOKEN_FILE',
      ),
    )
    .addOption(
      new Option('--data-dir <folder>', 'where a local `up` keeps its admin token').env('NEPHOMETER_DATA_DIR'),
    );
}

export function withFormat(command: Command): Command {
  return command.addOption(
    new Option('--format <format>', 'how rows are shown').choices([...FORMATS]).default('table'),
  );
}

/** Options of the commands that read the configuration. */
export function withConfig(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', 'configuration file (YAML)').env('NEPHOMETER_CONFIG'))
    .addOption(new Option('--data-dir <folder>', 'where state is kept').env('NEPHOMETER_DATA_DIR'));
}

export function wholeNumber(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text)) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('It must be a whole number above zero.');
}

export function repeated(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

export interface FormatFlag {
  readonly format: Format;
}

/** Resolves when it is written, for who goes on only then. @throws Error when it cannot be */
export function printed(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (cause) => (cause ? reject(cause) : resolve()));
  });
}

/** The answer to a program: all pages in one. */
export function jsonText(answer: unknown): string {
  return `${JSON.stringify(answer, null, 2)}\n`;
}

/** Writes an answer; a reader that went away (`| head`) is no error. */
export function print(text: string): void {
  process.stdout.write(text);
}

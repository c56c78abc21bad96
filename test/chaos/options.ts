import { parseDuration } from '@nephometer/core';
import type { StoreKind } from './side.ts';

export interface Options {
  readonly only: readonly number[] | null;
  readonly store: StoreKind;
  readonly long: boolean;
  readonly quick: boolean;
  readonly verbose: boolean;
  readonly json: string | null;
  /** Milliseconds. */
  readonly soak: number | null;
  /** Write the tables of the runs in these JSON files into docs/reliability.md, and do nothing else. */
  readonly doc: readonly string[] | null;
}

export const USAGE = `npm run chaos -- [options]
  --only N[,N]              these faults of the list only
  --store duckdb|influxdb   the store (duckdb)
  --long                    as the list has it: 200 kills, 30 minutes without store
  --quick                   the short forms that belong to npm test
  --json FILE               writes what was found
  --soak DURATION           a random fault every 20 s, such as 30m
  --doc FILE[,FILE]         writes the tables of these JSON files into docs/reliability.md; of a case that was
                            run again the last file counts
  --verbose                 says what goes on
`;

/** @throws Error that says what is wrong with the command line */
export function readOptions(args: readonly string[]): Options {
  const flags = new Map<string, string>();
  for (let i = 0; i < args.length; i += 1) {
    const [name = '', inline] = (args[i] ?? '').split('=', 2);
    if (['--long', '--quick', '--verbose'].includes(name)) flags.set(name, 'true');
    else if (['--only', '--store', '--json', '--soak', '--doc'].includes(name)) {
      const value = inline ?? args[(i += 1)];
      if (value === undefined) throw new Error(`${name} wants a value.\n\n${USAGE}`);
      flags.set(name, value);
    } else throw new Error(`Unknown option ${name}.\n\n${USAGE}`);
  }
  const store = flags.get('--store') ?? 'duckdb';
  if (store !== 'duckdb' && store !== 'influxdb') throw new Error(`--store is duckdb or influxdb; found ${store}.`);
  const soak = flags.get('--soak');
  return {
    only: numbers(flags.get('--only')),
    store,
    long: flags.has('--long'),
    quick: flags.has('--quick'),
    verbose: flags.has('--verbose'),
    json: flags.get('--json') ?? null,
    soak: soak === undefined ? null : parseDuration(soak) / 1000,
    doc: flags.get('--doc')?.split(',') ?? null,
  };
}

function numbers(text: string | undefined): number[] | null {
  if (text === undefined) return null;
  const found = text.split(',').map(Number);
  if (found.some((number) => !Number.isInteger(number) || number < 1)) {
    throw new Error(`--only wants numbers of faults, such as 1,2,9; found ${text}.`);
  }
  return found;
}

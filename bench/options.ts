import type { Bounds } from './measure.ts';

export interface Options extends Bounds {
  /** Names of benches; none means all. */
  readonly names: readonly string[];
  /** Where the results go as JSON. */
  readonly json: string | null;
}

export const USAGE = `npm run bench [-- NAME...] [options]
  --json FILE     writes what was seen
  --rounds N      rounds of each bench (11)
  --scale X       size of the data, 1 is usual
  --seconds N     no bench goes on for longer, once it has three rounds (60)
`;

const VALUES = ['--json', '--rounds', '--scale', '--seconds'];

/** @throws Error that says what is wrong with the command line */
export function readOptions(args: readonly string[], known: readonly string[]): Options {
  const names: string[] = [];
  const values = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const [name = '', inline] = (args[i] ?? '').split('=', 2);
    if (VALUES.includes(name)) {
      const value = inline ?? args[(i += 1)];
      if (value === undefined) throw new Error(`${name} wants a value.\n\n${USAGE}`);
      values.set(name, value);
    } else if (known.includes(name)) names.push(name);
    else throw new Error(`Found ${name}; benches here are ${known.join(', ')}.\n\n${USAGE}`);
  }
  return {
    names,
    json: values.get('--json') ?? null,
    rounds: positive('--rounds', values.get('--rounds') ?? '11'),
    scale: positive('--scale', values.get('--scale') ?? '1'),
    seconds: positive('--seconds', values.get('--seconds') ?? '60'),
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`${name} wants a number above 0; found ${text}.`);
}

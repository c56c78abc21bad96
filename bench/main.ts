/** The command `npm run bench [-- NAME...]`: see options.ts. Loopback only; what it starts ends with it. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { BENCHES } from './benches.ts';
import { measure } from './measure.ts';
import type { Result } from './measure.ts';
import { readOptions } from './options.ts';
import { tableOf } from './table.ts';

async function main(): Promise<void> {
  const options = readOptions(
    process.argv.slice(2),
    BENCHES.map(({ name }) => name),
  );
  const asked = BENCHES.filter(({ name }) => options.names.length === 0 || options.names.includes(name));
  const results: Result[] = [];
  for (const bench of asked) {
    const result = await measure(bench, options);
    results.push(result);
    process.stdout.write(`${tableOf(result)}\n`);
  }
  const machine = {
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    cpus: availableParallelism(),
  };
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
}

process.exitCode = await main().then(
  () => 0,
  (cause: unknown) => {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    return 1;
  },
);

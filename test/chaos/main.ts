/**
 * The judge: `npm run chaos -- [options]`. Starts real processes, breaks something, mends it, and judges from outside what
 * the store holds. Ends what it started, also when interrupted. The exit status is 0 only when every case passed.
 */
import { writeFileSync } from 'node:fs';
import { ensureTools, startInflux, startRabbit } from '../servers/index.ts';
import { ALL_NUMBERS, CASES } from './matrix.ts';
import { readOptions } from './options.ts';
import type { Options } from './options.ts';
import { runCase } from './run-case.ts';
import type { Outcome, Surroundings } from './run-case.ts';
import { writeDoc } from './doc.ts';
import { soakOf } from './soak.ts';
import { detailsOf, lineOf } from './table.ts';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runMatrix(options: Options, around: Surroundings): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const soak = options.soak === null ? null : soakOf(options.soak);
  const asked = soak === null ? (options.only ?? ALL_NUMBERS) : [soak.number];
  for (const number of asked) {
    const one = soak ?? CASES.find((candidate) => candidate.number === number);
    const missing = {
      title: 'not in this judge',
      findings: [],
      also: [],
      figures: null,
      seconds: 0,
      reason: 'no case of this number',
    };
    const outcome: Outcome =
      one === undefined
        ? { number, store: options.store, state: 'not injected', ...missing }
        : await runCase(one, around);
    outcomes.push(outcome);
    print(lineOf(outcome));
    for (const line of detailsOf(outcome, options.verbose)) print(line);
    if (options.json !== null) writeFileSync(options.json, JSON.stringify({ store: options.store, outcomes }, null, 2));
  }
  return outcomes;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.doc !== null) {
    writeDoc(options.doc);
    return 0;
  }
  const say = (line: string): void => (options.verbose ? print(`        ${line}`) : undefined);
  await ensureTools('rabbitmq', 'epmd', ...(options.store === 'influxdb' ? (['influxdb'] as const) : []));
  const rabbit = await startRabbit();
  const influx = options.store === 'influxdb' ? await startInflux() : null;
  try {
    const around = { ...options, broker: rabbit.url, influx: influx?.url ?? '', say };
    const outcomes = await runMatrix(options, around);
    const passed = outcomes.filter(({ state }) => state === 'passed').length;
    const failed = outcomes.filter(({ state }) => state === 'failed').length;
    const others = outcomes.length - passed - failed;
    print(`\n${passed} passed, ${failed} failed, ${others} not injected (${options.store})`);
    return failed === 0 && passed > 0 && (options.only === null || others === 0) ? 0 : 1;
  } finally {
    await Promise.all([rabbit.stop(), influx?.stop()]);
  }
}

// What the harness started ends with this process, however it ends; see test/servers/process.ts.
process.exitCode = await main().catch((cause: unknown) => {
  process.stderr.write(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
  return 1;
});
process.exit();

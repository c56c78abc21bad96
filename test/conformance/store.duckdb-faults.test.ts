import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ManualClock, MetricRegistry, silentLogger } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import t from 'tap';
import type { Test } from 'tap';
import { ledgerOf, makeBatch, samplesOf } from './fixtures.ts';

// Processes are started, killed and waited for here.
t.setTimeout(180_000);

const folder = await mkdtemp(join(tmpdir(), 'nephometer-duckdb-faults-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

const pathOf = (name: string): string => join(folder, name, 'metering.duckdb');
const openAt = (path: string, clock = new ManualClock()): Promise<Store> =>
  openDuckDbStore({ path, log: silentLogger, metrics: new MetricRegistry(), clock });

interface Child {
  readonly process: ChildProcess;
  readonly closed: Promise<unknown>;
  /** Sequence numbers that were recorded, and codes of errors, as they are told. */
  readonly recorded: number[];
  readonly failed: string[];
}

/** The recording child; `command` may wrap it, with the child's own command line behind. */
function startChild(path: string, first: number, count: number, wrapper: readonly string[] = []): Child {
  const script = fileURLToPath(new URL('store.duckdb-child.js', import.meta.url));
  const [command, ...args] = [...wrapper, process.execPath, script, path, String(first), String(count)];
  const started = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const child: Child = { process: started, closed: once(started, 'close'), recorded: [], failed: [] };
  t.teardown(() => child.process.kill('SIGKILL'));
  if (child.process.stdout === null) throw new Error('The child has no output.');
  createInterface(child.process.stdout).on('line', (line) => {
    const [word, value = ''] = line.split(' ');
    if (word === 'recorded') child.recorded.push(Number(value));
    else child.failed.push(value);
  });
  return child;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5);
}

/** Every batch in the ledger is there whole, and no sample without its ledger row. */
async function assertWhole(t: Test, store: Store, acknowledged: readonly number[]): Promise<void> {
  const ledger = await ledgerOf(store);
  const bySeq = new Map(ledger.map((row) => [row.seq, row]));
  t.ok(
    acknowledged.every((seq) => bySeq.has(seq)),
    'every batch whose outcome was returned is in the ledger',
  );
  t.equal(bySeq.size, ledger.length, 'no batch is there twice');
  const counts = new Map<string, number>();
  for (const { batchDigest } of await samplesOf(store)) counts.set(batchDigest, (counts.get(batchDigest) ?? 0) + 1);
  t.ok(
    ledger.every(({ digest, samples }) => samples === 500 && counts.get(digest) === 500),
    'every batch has all its samples',
  );
  t.equal(counts.size, ledger.length, 'no sample is there without its batch');
}

t.test('a kill -9 in the middle of recording leaves whole batches only', async (t) => {
  const path = pathOf('killed');
  const acknowledged: number[] = [];
  for (let round = 0; round < 4; round++) {
    const child = startChild(path, round * 1000 + 1, 1000);
    await until(() => child.recorded.length >= 3 + round);
    await sleep(Math.random() * 30);
    child.process.kill('SIGKILL');
    await child.closed;
    acknowledged.push(...child.recorded);
    const store = await openAt(path);
    await assertWhole(t, store, acknowledged);
    await store.close();
  }
});

t.test('a file that another process uses is refused with what to do', async (t) => {
  const path = pathOf('locked');
  const child = startChild(path, 1, 10_000);
  await until(() => child.recorded.length > 0);
  await t.rejects(openAt(path), {
    code: 'MTR_STORE_LOCKED',
    message: new RegExp(`in use by .*PID ${child.process.pid}.*stop that one`),
  });
  child.process.kill('SIGKILL');
  await child.closed;
  await (await openAt(path)).close();
});

t.test('a full disk is an error to try again; when there is room again, recording goes on', async (t) => {
  const path = pathOf('full');
  // A limit on the size of files: what is written beyond it fails as on a full disk. Node ignores the signal that goes
  // with it.
  const child = startChild(path, 1, 40, ['sh', '-c', 'ulimit -S -f 2000; exec "$@"', 'sh']);
  await until(() => child.failed.length > 0 || child.process.exitCode !== null || child.process.signalCode !== null);
  t.equal(child.process.signalCode, null, 'no signal ended it');
  t.ok(child.recorded.length < 40, 'the limit was reached');
  t.ok(
    child.failed.every((code) => code === 'MTR_STORE_UNAVAILABLE'),
    child.failed[0] ?? 'nothing failed',
  );
  await promisify(execFile)('prlimit', ['--pid', String(child.process.pid), '--fsize=unlimited:']);
  await child.closed;
  t.equal(child.process.exitCode, 0);
  t.equal(child.recorded.length, 40);
  const store = await openAt(path);
  await assertWhole(t, store, child.recorded);
  t.equal((await ledgerOf(store)).length, 40);
  await store.close();
});

for (const [name, open] of Object.entries({
  memory: async (clock: ManualClock) => createMemoryStore({ clock }),
  duckdb: (clock: ManualClock) => openAt(pathOf('clock'), clock),
})) {
  t.test(`${name}: recorded_at grows when the clock stands still or is set back`, async (t) => {
    const clock = new ManualClock();
    const store = await open(clock);
    t.teardown(() => store.close());
    const times: number[] = [];
    const record = async () => {
      for (const { recordedAt } of await store.record([makeBatch([{}])])) times.push(recordedAt);
    };
    await record();
    await record();
    times.push((await store.appendEntry({ kind: 'key', id: 'a', body: '{}' })).recordedAt);
    clock.jump(-1_000_000);
    await record();
    t.strictSame(
      times,
      [0, 1, 2, 3].map((step) => (times[0] ?? 0) + step),
    );
  });

  t.test(`${name}: what was answered as of now stays so, though the clock stands still`, async (t) => {
    const clock = new ManualClock(new ManualClock().now() + 60_000_000);
    const store = await open(clock);
    t.teardown(() => store.close());
    const asOf = clock.now();
    const before = await samplesOf(store, { asOf });
    const [outcome] = await store.record([makeBatch([{ resource: 'later' }])]);
    t.ok((outcome?.recordedAt ?? 0) > asOf);
    t.strictSame(await samplesOf(store, { asOf }), before);
  });
}

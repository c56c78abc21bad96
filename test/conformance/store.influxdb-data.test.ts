import { DAY, ManualClock, MINUTE, systemClock } from '@nephometer/core';
import type { BatchRecord, Store } from '@nephometer/core';
import t from 'tap';
import type { Test } from 'tap';
import { influxUrl, uniqueName } from '../servers/index.ts';
import { collect, ledgerOf, literals, makeBatch, makeHeaderless, makeSample, NOON, samplesOf } from './fixtures.ts';
import type { Reading } from './fixtures.ts';
import { openInflux, rawInflux } from './influxdb-open.ts';
import { startInfluxProxy } from './influxdb-proxy.ts';
import { polled } from './store/origins.ts';

async function fresh(t: Test, writer?: string, database = uniqueName('data')) {
  const target = { url: await influxUrl(), database, ...(writer === undefined ? {} : { writer }) };
  const store = await openInflux(target);
  t.teardown(() => store.close());
  const raw = rawInflux(target);
  t.teardown(() => raw.close());
  return { store, raw, target };
}

const NASTY = [
  'a\\', '\\', 'a\nb', 'a\r\n', '\t', '\u0001', '"', "'", "it's -- ; DROP MEASUREMENT sample", ' ', ' a ', 'a,b', 'a=b',
  '%', '%0A', '', 'ü😀\ufeff', '$1', '/re/', '\u2028', '<&>',
]; // prettier-ignore

t.test('texts that line protocol and InfluxQL trip over come back, and are found', async (t) => {
  const { store } = await fresh(t);
  const batch = makeBatch(
    NASTY.map((text, i) => ({
      id: `id-${text}`,
      meter: `m${text}`,
      unit: text,
      resource: `r${text}`,
      project: text,
      user: text,
      source: `s${text}`,
      metadata: { [`key${text}`]: text },
      at: NOON + i,
    })),
  );
  await store.record([batch]);
  const stored = await samplesOf(store, { order: 'oldest' });
  t.equal(stored.length, NASTY.length);
  stored.forEach((sample, i) => t.match(sample, batch.samples[i] ?? {}, encodeURIComponent(NASTY[i] ?? '')));
  for (const [i, text] of NASTY.entries()) {
    const id = { messageId: `id-${text}` };
    for (const filter of [
      { meter: `m${text}` },
      { resourceId: `r${text}` },
      { userId: text },
      { projectIds: [text] },
      id,
    ]) {
      const found = await samplesOf(store, filter);
      t.strictSame(
        found.map(({ timestamp }) => timestamp),
        [NOON + i],
        encodeURIComponent(JSON.stringify(filter)),
      );
    }
  }
  t.equal((await store.resources({})).length, NASTY.length);
  t.equal((await store.retain([{ meters: ['*'], keepFrom: NOON + DAY }])).horizons.size, NASTY.length);
  t.strictSame(await samplesOf(store), []);
});

t.test('null and empty owners are told apart', async (t) => {
  const { store } = await fresh(t);
  await store.record([
    makeBatch([
      { id: 'a', project: null, user: null, unit: null },
      { id: 'b', project: '', user: '', unit: '' },
    ]),
  ]);
  t.match(await samplesOf(store), [
    { messageId: 'a', projectId: null, userId: null, unit: null },
    { messageId: 'b', projectId: '', userId: '', unit: '' },
  ]);
  t.equal((await samplesOf(store, { userId: '' })).length, 1);
  t.equal((await store.meters({})).length, 2);
});

t.test('messages and headers beyond the size of one string', async (t) => {
  const { store } = await fresh(t);
  const long = { text: '😀x"\\'.repeat(60_000) };
  const cycles = Array.from({ length: 400 }, (_, i) => ({
    source: `${i}-${'y'.repeat(300)}`, interval: null, scheduled: NOON, started: NOON, finished: NOON, outcome: 'ran' as const,
    meters: [], discovery_complete: true, pollsters: [], dropped: [],
  })); // prettier-ignore
  const batch = makeBatch(
    [{ id: 'long', metadata: long }, { id: 'short' }, { id: 'long-2', metadata: { ...long, n: 2 } }],
    { cycles },
  );
  t.ok((batch.headerText?.length ?? 0) > 130_000);
  await store.record([batch]);
  t.strictSame(
    (await samplesOf(store)).map(({ text }) => text),
    [0, 2, 1].map((i) => batch.samples[i]?.text),
  );
  t.strictSame(
    (await ledgerOf(store)).map(({ headerText }) => headerText),
    [batch.headerText],
  );
  const body = '"\\😀'.repeat(70_000);
  await store.appendEntry({ kind: 'quarantine', id: 'x', body });
  t.equal((await store.entries({ kind: 'quarantine' }))[0]?.body, body);
  t.equal((await store.entries({ kind: 'quarantine', id: 'x' }))[0]?.body, body);
});

t.test('more samples of one series at one microsecond than nanoseconds tell apart', async (t) => {
  const { store } = await fresh(t);
  const of = (from: number, n: number) =>
    Array.from({ length: n }, (_, i) => ({ id: `id-${from + i}`, volume: String(from + i) }));
  await store.record([makeBatch(of(0, 700)), makeBatch(of(700, 800))]);
  await store.record([makeBatch(of(1500, 700))]);
  const volumes = new Set(literals(await samplesOf(store)));
  t.equal(volumes.size, 2200);
});

t.test('samples older than the retention policy are refused, the others recorded', async (t) => {
  const { raw, target } = await fresh(t);
  const [now] = [systemClock.now()];
  await raw.query([`CREATE DATABASE "${target.database}_rp" WITH DURATION 30d`]);
  const { store } = await fresh(t, 'collector-1', `${target.database}_rp`);
  const old = makeBatch([
    { id: 'old-1', at: now - 200 * DAY },
    { id: 'old-2', at: now },
  ]);
  const young = makeBatch([{ id: 'young', at: now }]);
  await t.rejects(store.record([old, young]), { code: 'MTR_STORE_REFUSED', message: new RegExp(old.digest) });
  t.match(await store.record([young]), [{ outcome: 'duplicate' }]);
  t.strictSame(
    (await samplesOf(store)).map(({ messageId }) => messageId),
    ['young'],
  );
  t.equal((await ledgerOf(store)).length, 1);
  await t.rejects(store.record([old]), { code: 'MTR_STORE_REFUSED', message: /retention/ });
});

t.test('a type conflict refuses the batch that has it, not its neighbours', async (t) => {
  const { store, raw } = await fresh(t);
  await raw.write([`sample,meter=taken volume="text" ${NOON}000`]);
  const bad = makeBatch([{ id: 'bad', at: NOON }]);
  const good = makeBatch([{ id: 'good', at: NOON - 30 * DAY }]);
  await t.rejects(store.record([bad, good]), { code: 'MTR_STORE_REFUSED', message: /type conflict/ });
  t.strictSame(
    (await samplesOf(store)).map(({ messageId }) => messageId),
    ['good'],
  );
});

t.test('collectors that record at once overwrite nothing, whatever their names', async (t) => {
  for (const names of [
    ['a', 'b', 'c'],
    ['same', 'same', 'same'],
  ]) {
    const database = uniqueName('race');
    const stores: Store[] = [];
    for (const name of names) stores.push((await fresh(t, name, database)).store);
    const rounds = Array.from({ length: 12 }, (_, i) => i);
    await Promise.all(
      stores.map(async (store, w) => {
        for (const i of rounds) {
          const own = makeBatch([{ id: `own-${w}-${i}` }, { id: `more-${w}-${i}` }], { seq: 1000 * w + i + 1 });
          const shared = makeBatch([{ id: `shared-${i}`, volume: '7' }], { agentId: 'shared', seq: i + 1 });
          // The same message_id from each with another time: a conflict that no single read of a span shows.
          const forged = makeBatch([{ id: `forged-${i}`, at: NOON + w * DAY }], { agentId: `f-${w}`, seq: i + 1 });
          const copy = makeHeaderless(makeSample({ id: `copy-${i}`, monotonic: w }));
          // One polls it, the others forge it; and what each polls stands at one instant of one resource.
          const of = polled({ volume: String(w), resource: `polled-${i}` }, 'agent-p', NOON + i);
          const polledOne = makeBatch([of], { agentId: w === 0 ? 'agent-p' : `m-${w}`, seq: i + 1, slot: NOON + i });
          const mine = polled({ volume: '1', resource: 'crowded' }, `w-${w}`, NOON + i);
          const crowd = makeBatch([mine], { agentId: `w-${w}`, seq: i + 1, slot: NOON + i });
          const all = [own, shared, forged, copy, polledOne, crowd];
          await store.record(i % 2 === 0 ? all : all.toReversed());
        }
      }),
    );
    for (const store of stores) {
      const samples = await samplesOf(store);
      const crowd = samples.filter(({ resourceId }) => resourceId === 'crowded');
      t.equal(crowd.length, 3 * rounds.length, names.join());
      const ids = samples.filter((one) => !crowd.includes(one)).map(({ messageId }) => messageId);
      const expected = rounds.flatMap((i) => [
        ...stores.flatMap((_, w) => [`own-${w}-${i}`, `more-${w}-${i}`]),
        `shared-${i}`,
        `copy-${i}`,
      ]);
      t.strictSame(ids.sort(), expected.sort(), names.join());
      t.equal((await collect(store.conflicts({}))).length, 2 * 3 * rounds.length);
      t.equal((await ledgerOf(store)).length, rounds.length * (3 + 1 + 3 + 3 + 3 + 3));
      const times = (await ledgerOf(store)).map(({ recordedAt }) => recordedAt);
      t.strictSame(
        times,
        times.toSorted((a, b) => a - b),
      );
    }
  }
});

t.test('what another process placed under a name before is not overwritten by the next one', async (t) => {
  const database = uniqueName('next');
  for (const [i, agentId] of ['a', 'b', 'c'].entries()) {
    const { store } = await fresh(t, 'same', database);
    // At the instant of the one before, and at one that nobody had yet.
    const at = [NOON, NOON + 1, NOON + i + 2];
    const readings = at.map((one) => polled({ volume: '1', resource: 'r', at: one, meter: `m${one}` }, agentId));
    await store.record([makeBatch(readings, { agentId })]);
    t.equal((await samplesOf(store)).length, 3 * (i + 1));
    await store.close();
  }
});

const readingsOf = (slot: number, from = 0): Reading[] =>
  Array.from({ length: 50 }, (_, i) => polled({ resource: `r${from + i}`, at: slot }, 'agent-1', slot));
const batchOf = (slot: number): BatchRecord => makeBatch(readingsOf(slot), { slot });

/** A store, and how many statements it takes to record some batches. */
async function counted(t: Test, database: string) {
  const proxy = await startInfluxProxy(await influxUrl());
  t.teardown(() => proxy.close());
  const store = await openInflux({ url: proxy.url, database });
  t.teardown(() => store.close());
  let statements = 0;
  proxy.onRequest = async ({ path, body }) => {
    if (path.startsWith('/query')) statements += new URLSearchParams(body).get('q')?.split(';').length ?? 0;
    return false;
  };
  const cost = async (batches: BatchRecord[]): Promise<number> => {
    statements = 0;
    t.ok((await store.record(batches)).every(({ outcome }) => outcome === 'recorded'));
    return statements;
  };
  return { store, cost };
}

t.test('polled batches of new ticks cost no question a sample, those of a known tick one', async (t) => {
  const { cost } = await counted(t, uniqueName('cost'));
  const now = systemClock.now();
  await cost([batchOf(now)]);
  const usual = await cost(Array.from({ length: 10 }, (_, i) => batchOf(now + i + 1)));
  t.ok(usual < 30, `${usual} statements for ten batches of fifty`);
  const again = await cost([makeBatch(readingsOf(now, 50), { slot: now })]);
  t.ok(again >= 50, `${again} statements for the rest of a tick`);
});

t.test('a process that has not read all odd ids yet asks for every id', async (t) => {
  const { store, raw, target } = await fresh(t);
  const now = systemClock.now();
  await store.record([makeBatch([{ ...readingsOf(now + 9)[0], volume: '7' }], { agentId: 'mallory' })]);
  const others = Array.from({ length: 250 }, (_, i) => `odd_id,writer=collector-1 ids="0000000a" ${now - 1000 + i}000`);
  await raw.write(others);
  const { store: next, cost } = await counted(t, target.database);
  const costs = [];
  for (let i = 0; i < 4; i++) costs.push(await cost([batchOf(now + i)]));
  t.ok(costs.slice(0, 2).every((one) => one >= 50) && (costs[3] ?? 50) < 30, `statements: ${costs.join(', ')}`);
  t.match(await next.record([batchOf(now + 9)]), [{ conflicts: { length: 1 } }], 'the one that counts is found');
});

t.test('a writer that was silent for long gives way to the one that took its name', async (t) => {
  const target = { url: await influxUrl(), database: uniqueName('silent'), writer: 'same', clock: new ManualClock() };
  const [first, second] = [await openInflux(target), await openInflux(target)];
  const { raw } = await fresh(t, undefined, target.database);
  t.teardown(() => first.close());
  t.teardown(() => second.close());
  await first.record([makeBatch([{ id: 'a' }])]);
  await target.clock.advance(6 * MINUTE);
  await second.record([makeBatch([{ id: 'b' }])]);
  await first.record([makeBatch([{ id: 'c' }])]);
  await second.record([makeBatch([{ id: 'd' }])]);
  t.equal((await samplesOf(first)).length, 4);
  const [series = []] = await raw.query(['SHOW TAG VALUES FROM "ledger" WITH KEY = "writer"']);
  t.strictSame(
    series.flatMap(({ values }) => values.map(([, name]) => name)),
    ['same', 'same~2'],
  );
});

t.test('ten thousand samples', async (t) => {
  const { store } = await fresh(t);
  const batches = Array.from({ length: 100 }, (_, b) =>
    makeBatch(
      Array.from({ length: 100 }, (_, i) => ({
        meter: `meter.${i % 20}`,
        resource: `instance-${b % 50}-${i % 5}`,
        volume: String(b * 100 + i),
        at: NOON + b * 1_000_000 + i,
        metadata: { host: 'node-1', flavor: { name: 'm1.small', vcpus: 2 } },
      })),
    ),
  );
  const started = performance.now();
  for (let i = 0; i < batches.length; i += 10) await store.record(batches.slice(i, i + 10));
  const writeMs = performance.now() - started;
  const newest = await samplesOf(store, { limit: 100 });
  const newestMs = performance.now() - started - writeMs;
  t.equal(newest[0]?.volume.literal, '9999');
  t.equal(newest.length, 100);
  const [row] = await store.statistics({ meter: 'meter.3', period: null, groupBy: [] });
  t.equal(row?.count, 500);
  t.equal((await samplesOf(store)).length, 10_000);
  t.comment(`written ${Math.round(10_000_000 / writeMs)} samples/s; newest 100 in ${Math.round(newestMs)} ms`);
});

t.test('a database that another version laid out is refused, and stays as it is', async (t) => {
  const { store, raw, target } = await fresh(t);
  await store.record([makeBatch([{ at: NOON }])]);
  await store.close();
  const again = await openInflux(target);
  t.equal((await samplesOf(again)).length, 1, 'its own is opened again');
  await again.close();
  await raw.write(['layout version="3" 7258118400000000001']);
  await t.rejects(openInflux(target), {
    code: 'MTR_STORE_REFUSED',
    message: /has layout 3; this version .* layout 2\./,
  });
  await raw.query(['DROP MEASUREMENT layout']);
  await t.rejects(openInflux(target), { message: /has layout 1;/ }, 'the first one bore no mark');
});

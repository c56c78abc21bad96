import { randomBytes } from 'node:crypto';
import t from 'tap';
import type { Test } from 'tap';
import { startInflux } from '../servers/index.ts';
import { collect, ledgerOf, makeBatch, NOON, samplesOf } from './fixtures.ts';
import { openInflux } from './influxdb-open.ts';
import { startInfluxProxy } from './influxdb-proxy.ts';

const server = await startInflux();
t.teardown(() => server.stop());

async function throughProxy(t: Test, timeoutMs = 5000) {
  const proxy = await startInfluxProxy(server.url);
  t.teardown(() => proxy.close());
  const database = `faults_${randomBytes(4).toString('hex')}`;
  const store = await openInflux({ url: proxy.url, database, timeoutMs });
  t.teardown(() => store.close());
  return { proxy, store, database };
}

/** The writes of one batch, by how their first line begins, in order. */
const STEPS = ['writer,', 'sample,', 'ledger_log,', 'ledger,'];

for (const step of STEPS) {
  t.test(
    `the server is killed before it gets ${step}: nothing half visible, and once after the next try`,
    async (t) => {
      const { proxy, store, database } = await throughProxy(t);
      await store.record([makeBatch([{ id: 'before' }])]);
      const batch = makeBatch([{ id: 'a' }, { id: 'b', at: NOON + 1 }, { id: 'before', volume: '9', at: NOON + 5 }]);
      proxy.onRequest = async ({ path, body }) => {
        if (!path.startsWith('/write') || !body.startsWith(step)) return false;
        proxy.onRequest = null;
        await server.kill();
        return true;
      };
      await t.rejects(store.record([batch]), { code: 'MTR_STORE_UNAVAILABLE' });
      t.equal(proxy.onRequest, null, 'the step was met');
      await t.rejects(store.check(), { code: 'MTR_STORE_UNAVAILABLE' });
      await server.restart();
      const other = await openInflux({ url: server.url, database, writer: 'reader' });
      t.teardown(() => other.close());
      t.strictSame(
        (await samplesOf(other)).map(({ messageId }) => messageId),
        ['before'],
      );
      t.equal((await ledgerOf(other)).length, 1);
      t.strictSame(await collect(other.conflicts({})), []);
      // First by another collector, as the broker may have it, then by the same.
      const outcomes = [await other.record([batch]), await store.record([batch])].flat();
      t.match(outcomes, [{ outcome: 'recorded', conflicts: ['before'] }, { outcome: 'duplicate' }]);
      t.strictSame(
        (await samplesOf(store)).map(({ messageId }) => messageId),
        ['b', 'a'],
      );
      t.equal((await collect(store.conflicts({}))).length, 2);
      t.equal((await ledgerOf(store)).length, 2);
    },
  );

  t.test(`the answer to ${step} is lost: the next try finds or makes one of everything`, async (t) => {
    const { proxy, store } = await throughProxy(t);
    const batch = makeBatch([{ id: 'a' }, { id: 'b' }]);
    proxy.onAnswer = ({ path, body }) => {
      if (!path.startsWith('/write') || !body.startsWith(step)) return false;
      proxy.onAnswer = null;
      return true;
    };
    await t.rejects(store.record([batch]), { code: 'MTR_STORE_UNAVAILABLE' });
    const [outcome] = await store.record([batch]);
    t.equal(outcome?.outcome, step === 'ledger,' ? 'duplicate' : 'recorded');
    t.equal((await samplesOf(store)).length, 2);
    const rows = await ledgerOf(store);
    t.match(rows, [{ samples: 2, duplicates: 0 }]);
    t.equal(rows[0]?.recordedAt, outcome?.recordedAt);
  });
}

t.test('a server that stands still is given up in time, and the batch is there once after it goes on', async (t) => {
  const { store } = await throughProxy(t, 1000);
  await store.record([makeBatch([{ id: 'before' }])]);
  const batch = makeBatch([{ id: 'a' }, { id: 'b' }]);
  server.pause();
  const started = performance.now();
  try {
    await t.rejects(store.record([batch]), { code: 'MTR_STORE_UNAVAILABLE', message: /did not answer within 1000 ms/ });
    await t.rejects(samplesOf(store), { code: 'MTR_STORE_UNAVAILABLE' });
    t.ok(performance.now() - started < 4000);
  } finally {
    server.resume();
  }
  const outcomes = [...(await store.record([batch])), ...(await store.record([batch]))];
  t.match(outcomes, [{ outcome: 'recorded' }, { outcome: 'duplicate' }]);
  t.equal((await samplesOf(store)).length, 3);
  t.equal((await ledgerOf(store)).length, 2);
});

t.test('the server is killed and comes back: what was recorded is there', async (t) => {
  const { store } = await throughProxy(t);
  const batches = Array.from({ length: 20 }, (_, i) => makeBatch([{ id: `id-${i}`, at: NOON + i }]));
  await store.record(batches);
  await server.kill();
  await t.rejects(store.check(), { code: 'MTR_STORE_UNAVAILABLE' });
  await server.restart();
  await store.check();
  t.equal((await samplesOf(store)).length, 20);
  t.ok((await store.record(batches)).every(({ outcome }) => outcome === 'duplicate'));
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricRegistry, silentLogger } from '@nephometer/core';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import t from 'tap';
import { runStoreSuite } from './store.suite.ts';

t.setTimeout(180_000);
const folder = await mkdtemp(join(tmpdir(), 'nephometer-duckdb-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
let files = 0;

runStoreSuite(t, 'duckdb', async () => {
  const path = join(folder, `store-${++files}`, 'metering.duckdb');
  const open = () => openDuckDbStore({ path, log: silentLogger, metrics: new MetricRegistry() });
  const store = await open();
  const reopen = async () => {
    await store.close();
    return open();
  };
  return { store, reopen, second: null };
});

import { MetricRegistry, silentLogger } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import { openInfluxStore } from '@nephometer/store-influxdb';
import t from 'tap';
import { influxUrl, uniqueName } from '../servers/index.ts';
import { runStoreSuite } from './store.suite.ts';

async function openDatabase(database: string, writer: string): Promise<Store> {
  const url = `${(await influxUrl()).replace(/^http:/, 'influxdb:')}/${database}`;
  const log = silentLogger;
  return openInfluxStore({ url, secret: null, writer, timeoutMs: 10_000, log, metrics: new MetricRegistry() });
}

runStoreSuite(t, 'influxdb', async () => {
  const database = uniqueName('store');
  const store = await openDatabase(database, 'collector-1');
  return {
    store,
    reopen: async () => {
      await store.close();
      return openDatabase(database, 'collector-1');
    },
    second: () => openDatabase(database, 'collector-2'),
  };
});

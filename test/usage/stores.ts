import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricRegistry, silentLogger } from '@nephometer/core';
import type { ManualClock, Store } from '@nephometer/core';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { openInflux } from '../conformance/influxdb-open.ts';
import { influxUrl, uniqueName } from '../servers/index.ts';

const folder = await mkdtemp(join(tmpdir(), 'nephometer-usage-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

export interface Data {
  readonly open: (clock: ManualClock) => Promise<Store>;
  /** Whether the data outlive the store that is open on them. */
  readonly persists: boolean;
}

let files = 0;
/** Data of their own in every kind of store. */
export const STORES: Readonly<Record<'memory' | 'duckdb' | 'influxdb', () => Promise<Data>>> = {
  memory: async () => {
    let store: Store | null = null;
    return { open: async (clock) => (store ??= createMemoryStore({ clock })), persists: false };
  },
  duckdb: async () => {
    const path = join(folder, `${++files}`, 'metering.duckdb');
    const rest = { log: silentLogger, metrics: new MetricRegistry() };
    return { open: (clock) => openDuckDbStore({ path, clock, ...rest }), persists: true };
  },
  influxdb: async () => {
    const target = { url: await influxUrl(), database: uniqueName('usage') };
    return { open: (clock) => openInflux({ ...target, clock }), persists: true };
  },
};

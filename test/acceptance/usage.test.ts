import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOUR, ManualClock, MetricRegistry, MINUTE, parseTimestamp, silentLogger } from '@nephometer/core';
import type { Micros, Store } from '@nephometer/core';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import type { Test } from 'tap';
import { openInflux } from '../conformance/influxdb-open.ts';
import type { Reading } from '../conformance/fixtures.ts';
import { influxUrl, uniqueName } from '../servers/index.ts';
import { startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import type { Arrival, CloudPlan } from '../usage/cloud.ts';

t.setTimeout(300_000);
const folder = await mkdtemp(join(tmpdir(), 'nephometer-usage-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

interface Data {
  readonly open: (clock: ManualClock) => Promise<Store>;
  /** Whether the data outlive the store that is open on them. */
  readonly persists: boolean;
}

let files = 0;
const STORES: Readonly<Record<string, () => Promise<Data>>> = {
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

const at = (text: string): Micros => parseTimestamp(text.length === 10 ? `${text}T00:00:00` : text);

/** Two instances of p1 and one that moves to p2 and is resized, a volume that grows, a counter that starts again. */
function readingsAt(slot: Micros): Reading[] {
  const hours = Math.floor((slot - at('2026-02-27')) / HOUR);
  const moved = slot >= at('2026-03-12T10:30:00');
  const small = slot < at('2026-03-20T05:20:00');
  const restarted = slot >= at('2026-03-08T03:00:00');
  const bytes = restarted ? slot - at('2026-03-08T03:00:00') : slot - at('2026-02-27');
  return [
    {
      meter: 'vcpus',
      type: 'gauge',
      unit: 'vcpu',
      volume: '2',
      resource: 'i1',
      project: 'p1',
      metadata: { flavor_name: 'm1.small' },
    },
    {
      meter: 'vcpus',
      type: 'gauge',
      unit: 'vcpu',
      volume: small ? '1' : '4',
      resource: 'i2',
      project: moved ? 'p2' : 'p1',
      metadata: { flavor_name: small ? 'm1.tiny' : 'm1.large' },
    },
    {
      meter: 'volume.size',
      type: 'gauge',
      unit: 'GiB',
      volume: `${10 + Math.floor(hours / 100)}`,
      resource: 'v1',
      project: 'p1',
    },
    {
      meter: 'network.outgoing.bytes',
      type: 'cumulative',
      unit: 'B',
      volume: `${Math.floor(bytes / 1000)}`,
      resource: 'port1',
      project: 'p1',
    },
  ];
}

const METERS = ['vcpus', 'volume.size', 'network.outgoing.bytes'];

/** A month around its edges, every 20 minutes; the agent was down and failed for a while. */
const MONTH: CloudPlan = {
  from: at('2026-02-27'),
  to: at('2026-04-02'),
  interval: 20 * MINUTE,
  batchEvery: 4 * HOUR,
  agents: [
    {
      id: 'node-1',
      meters: METERS,
      readings: readingsAt,
      down: [[at('2026-03-15T08:00:00'), at('2026-03-15T14:00:00')]],
      failing: [[at('2026-03-17T00:00:00'), at('2026-03-17T03:00:00')]],
    },
  ],
};

const ARRIVALS = arrivalsOf(MONTH);
const MARCH = 'from=2026-03-01&to=2026-04-01&tz=Europe/Berlin';

interface Line {
  readonly quantity: string | null;
  readonly lower: string | null;
  readonly upper: string | null;
  readonly group: Record<string, string | null>;
  readonly coverage: string | null;
  readonly resets: number;
  readonly gaps?: readonly { from: string; to: string; reason: string; resource_id?: string }[];
  readonly evidence?: string;
}

interface Usage {
  readonly lines: readonly Line[];
  readonly next: string | null;
  readonly as_of: string;
  readonly settled: boolean;
}

async function usage(api: Asking, query: string): Promise<Usage> {
  const answer = await api.get(`/v1/usage?${query}`);
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${answer.text}`);
  return answer.json as Usage;
}

interface Cloud {
  readonly api: Asking;
  readonly clock: ManualClock;
  readonly store: Store;
  /** A new store over the same data, and a new API. */
  readonly restart: () => Promise<Cloud>;
}

async function startCloud(
  t: Test,
  data: Data,
  arrivals: readonly Arrival[],
  clock = new ManualClock(at('2026-02-27')),
): Promise<Cloud> {
  const store = await data.open(clock);
  await recordArrivals(store, clock, arrivals);
  const api = await startApi(store, clock, { expected_agents: ['node-1', 'node-9'] });
  let isOpen = true;
  const stop = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await api.stop();
    if (data.persists) await store.close();
  };
  t.teardown(stop);
  const restart = async (): Promise<Cloud> => {
    await stop();
    return startCloud(t, data, [], clock);
  };
  return { api, clock, store, restart };
}

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(name, async (t) => {
    const cloud = await startCloud(t, await prepare(), ARRIVALS);
    const { api } = cloud;

    await t.test('a month', async (t) => {
      const started = Date.now();
      const all = await usage(api, `meter=vcpus&kind=duration&${MARCH}`);
      t.comment(`${Date.now() - started} ms`, all.lines);
    });
  });
}

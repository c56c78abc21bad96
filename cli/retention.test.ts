import t from 'tap';
import {
  BehindRetention,
  DAY,
  defaultConfig,
  ManualClock,
  parseConfig,
  parseVolume,
  sha256,
  signSample,
  silentLogger,
} from '@nephometer/core';
import type { Store } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import { checkRetention, createRetention } from './retention.ts';

async function questionBehind(store: Store, at: number): Promise<string> {
  try {
    for await (const _sample of store.samples({ meter: 'cpu', from: { at, inclusive: true } })) break;
    return 'answered';
  } catch (cause) {
    return cause instanceof BehindRetention ? 'behind retention' : String(cause);
  }
}

/** Records one sample of `cpu`, so that the store knows the meter. */
async function recordOne(store: Store, timestamp: number): Promise<void> {
  const counter = {
    meter: 'cpu',
    type: 'gauge' as const,
    unit: 'ns',
    volume: parseVolume('1'),
    resourceId: 'r',
    projectId: null,
    userId: null,
    timestamp,
    metadata: new Map(),
    monotonicTime: null,
  };
  const { sample, text } = signSample(counter, { messageId: 'id-1', source: 's' }, 'a secret');
  const samples = [{ ...sample, text, slot: null }];
  await store.record([
    { digest: sha256(text), header: null, headerText: null, keyId: null, transport: 'api', samples },
  ]);
}

const rules = (schedule: string) =>
  defaultConfig({ store: { retention: [{ meters: ['cpu'], keep: '2d' }], retention_schedule: schedule } });

void t.test('what the rules let go is gone behind whole days, and a question there is told so', async (t) => {
  const clock = new ManualClock();
  const store = createMemoryStore({ clock });
  await recordOne(store, clock.now() - 5 * DAY);
  const options = { config: rules('0 3 * * *'), store, clock, log: silentLogger };
  t.equal(await questionBehind(store, clock.now() - 5 * DAY), 'answered');
  await createRetention(options).runNow();
  t.equal(await questionBehind(store, clock.now() - 5 * DAY), 'behind retention');
  t.equal(await questionBehind(store, clock.now() - DAY), 'answered');
});

void t.test('the schedule runs it, until it is stopped', async (t) => {
  let runs = 0;
  const store = {
    retain: () => {
      runs += 1;
      return Promise.resolve({ horizons: new Map<string, number>() });
    },
    shedQuarantine: () => Promise.resolve(0),
  };
  const retention = createRetention({
    config: rules('* * * * * *'),
    store: store as unknown as Store,
    clock: new ManualClock(),
    log: silentLogger,
  });
  await retention.start();
  const deadline = Date.now() + 10_000;
  while (runs < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  t.ok(runs >= 2, 'every second, as the expression says');
  await retention.stop();
  const before = runs;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  t.equal(runs, before);
  await retention.stop();
});

void t.test('without rules no sample is ever removed; quarantined bytes go all the same', async (t) => {
  let asked = 0;
  const shed: number[] = [];
  const store = {
    retain: () => Promise.reject(new Error(`asked ${(asked += 1)} times`)),
    shedQuarantine: (before: number) => Promise.resolve(shed.push(before)),
  } as unknown as Store;
  const config = defaultConfig({ store: { retention_schedule: '* * * * * *' } });
  const retention = createRetention({ config, store, clock: new ManualClock(), log: silentLogger });
  await retention.start();
  const deadline = Date.now() + 10_000;
  while (shed.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  await retention.stop();
  t.equal(asked, 0);
  t.equal(shed[0], new ManualClock().now() - 90 * DAY);
});

void t.test('a schedule that is none is a mistake of the configuration, with its line', (t) => {
  const wrong = parseConfig('store:\n  retention_schedule: at night\n', 'test.yaml');
  t.throws(() => checkRetention(wrong), {
    code: 'MTR_CONFIG',
    message: /^test\.yaml:2: store\.retention_schedule: is not a cron expression: .*Write for example/,
  });
  checkRetention(parseConfig('store: { retention_schedule: "17 3 * * *" }', 'test.yaml'));
  t.end();
});

import { createMemoryStore } from '@nephometer/store-memory';
import {
  AgentBook,
  createLogger,
  DAY,
  headerDigest,
  ManualClock,
  MetricRegistry,
  SECOND,
  StoreUnavailable,
} from '@nephometer/core';
import type { BatchRecord, CycleReport, Store } from '@nephometer/core';
import t from 'tap';
import { createAgentWatch } from './agent-watch.ts';
import { batchOf, counter, START } from './fixture.ts';
import type { BatchOf } from './fixture.ts';

const MARGIN = 5 * SECOND;

function cycle(at: number): CycleReport {
  const times = { scheduled: at, started: at, finished: at };
  const found = { outcome: 'ran' as const, meters: ['memory'], discovery_complete: true, pollsters: [], dropped: [] };
  return { source: 'default', interval: 10 * SECOND, ...times, ...found };
}

function recordOf(of: BatchOf & { volume?: number }): BatchRecord {
  const created = of.created ?? START;
  const made = batchOf([counter('memory', of.volume ?? 1)], {
    ...of,
    header: { cycles: [cycle(created)], ...of.header },
  });
  const samples = made.texts.map((text, i) => {
    return {
      ...counter('memory', of.volume ?? 1),
      source: 'test',
      messageId: made.ids[i] ?? '',
      signature: '',
      text,
      slot: START,
    };
  });
  const { header } = made;
  const names = { headerText: JSON.stringify(header), keyId: header.key_id, transport: 'bus' as const };
  return { digest: headerDigest(header), header, ...names, samples };
}

async function watched(test: Pick<typeof t, 'teardown'>, expected: readonly string[] = []) {
  const clock = new ManualClock(START);
  const inner = createMemoryStore({ clock });
  let isAway = false;
  async function* ledger(query: Parameters<Store['ledger']>[0]) {
    if (isAway) throw new StoreUnavailable('away');
    yield* inner.ledger(query);
  }
  const store: Store = { ...inner, ledger };
  const lines: { level: string; message: string; agent?: string; state?: string }[] = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    write: (line) => void lines.push(JSON.parse(line) as never),
  });
  const metrics = new MetricRegistry();
  const book = new AgentBook({ store, clock, expected, margin: MARGIN, lookback: 7 * DAY });
  const config = { watch: { every: 5 * SECOND, margin: MARGIN, lookback: 7 * DAY } };
  const watch = createAgentWatch({ config, book, store, clock, log, metrics });
  await watch.start();
  test.teardown(() => watch.stop());
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i += 5) {
      await clock.advance(5 * SECOND);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const away = (to: boolean): void => void (isAway = to);
  const said = (): string[] => lines.map(({ agent, state, message }) => `${agent ?? ''} ${state ?? message}`);
  return { clock, store, book, metrics, pass, away, said };
}

t.test('an agent that falls silent is told once, and again when it is heard', async (t) => {
  const { clock, store, metrics, pass, said } = await watched(t);
  await store.record([recordOf({ seq: 1 })]);
  await pass(50);
  t.same(said(), [], 'late is no line');
  await pass(40);
  t.same(said(), ['agent-1 silent']);
  t.match(metrics.expose(), 'nephometer_watch_agents{state="silent"} 1');
  t.match(metrics.expose(), 'nephometer_watch_changes_total{state="silent"} 1');
  await store.record([recordOf({ seq: 2, created: clock.now(), slot: clock.now() })]);
  await pass(10);
  t.same(said(), ['agent-1 silent', 'agent-1 ok']);
});

t.test('an expected agent that was never heard is told', async (t) => {
  const { pass, said, book } = await watched(t, ['node-9']);
  await pass(10);
  t.same(said(), ['node-9 never-seen']);
  t.match(await book.list(), [{ agentId: 'node-9', state: 'never-seen', isExpected: true, history: null }]);
});

t.test('while the store is away nobody is called silent, nor at once when it comes back', async (t) => {
  const { clock, store, pass, away, said } = await watched(t);
  await store.record([recordOf({ seq: 1 })]);
  await pass(10);
  away(true);
  await pass(300);
  t.same(said(), [' The ledger cannot be read to watch the agents.']);
  away(false);
  await pass(20);
  await store.record([recordOf({ seq: 2, created: clock.now(), slot: clock.now() })]);
  await pass(40);
  t.equal(said().length, 1, 'it was heard again before it could be called silent');
});

t.test('open conflicts are told with their number', async (t) => {
  const { store, metrics, pass, said } = await watched(t);
  await store.record([recordOf({ seq: 1 }), recordOf({ seq: 2, volume: 2 })]);
  await pass(65);
  t.match(said(), [/^ Samples are in conflict/]);
  t.match(metrics.expose(), 'nephometer_watch_open_conflicts 1');
});

t.test('what was recorded at the edge of what was read is neither lost nor counted twice', async (t) => {
  const { store, book, pass } = await watched(t);
  for (let seq = 1; seq <= 6; seq++) {
    await store.record([recordOf({ seq, slot: START + seq })]);
    await pass(5);
  }
  const [agent] = await book.list();
  t.match(agent?.history, { batches: 6, samples: 6 });
  t.same(agent?.history?.epochs()[0]?.missing, []);
});

t.test('who was not heard for the lookback is forgotten, unless expected; processes of ours go sooner', async (t) => {
  const { clock, store, book, metrics, pass } = await watched(t, ['agent-2']);
  const ours = { cycles: [] };
  await store.record([
    recordOf({ seq: 1 }),
    recordOf({ seq: 1, agent: 'agent-2' }),
    recordOf({ seq: 1, agent: 'collector.host.a', header: ours }),
    recordOf({ seq: 3, agent: 'collector.host.b', header: ours }),
  ]);
  await pass(10);
  const ids = async (): Promise<string[]> => (await book.list()).map(({ agentId }) => agentId);
  t.same(await ids(), ['agent-1', 'agent-2', 'collector.host.a', 'collector.host.b']);
  t.match(metrics.expose(), 'missing_batches{agent="collector.host.a"} 0');
  clock.jump(2 * DAY);
  await pass(10);
  t.same(await ids(), ['agent-1', 'agent-2', 'collector.host.b'], 'one that has a gap stays as long as any');
  t.notMatch(metrics.expose(), 'collector.host.a');
  clock.jump(6 * DAY);
  await pass(10);
  t.same(await ids(), ['agent-2']);
  t.notMatch(metrics.expose(), /"agent-1"|collector\.host/);
  const now = clock.now();
  await store.record([
    recordOf({ seq: 5, agent: 'collector.host.a', created: now, header: { ...ours, previous: 'x' } }),
  ]);
  await pass(10);
  const again = (await book.list()).find(({ agentId }) => agentId === 'collector.host.a');
  t.equal(again?.history?.missing, 0, 'what comes later of one forgotten is no gap');
});

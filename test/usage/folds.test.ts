import {
  AgentBook,
  DAY,
  defaultConfig,
  HOUR,
  KeyBook,
  ManualClock,
  MetricRegistry,
  ProcessStatus,
  SECOND,
  SharedSecretKeyring,
  silentLogger,
  TokenBook,
} from '@nephometer/core';
import type { ConfigInput, Micros, Store } from '@nephometer/core';
import { UsageDesk, usageSchemas } from '@nephometer/api';
import t from 'tap';
import { Dice, WORLD_FROM, WORLD_METERS, worldOf } from './fold-world.ts';
import type { WorldEvent } from './fold-world.ts';
import { STORES } from './stores.ts';

/** Each world is made from a seed, which the test's name tells: `NEPHOMETER_SEED=7` runs that one alone. */
const fixed = process.env['NEPHOMETER_SEED'];
const seedsOf = (...seeds: number[]): number[] =>
  fixed === undefined ? [...seeds, Date.now() % 1_000_000] : [Number(fixed)];

const ADMIN = { name: 'admin', role: 'admin', projects: null, userId: null } as const;

interface Desk {
  readonly desk: UsageDesk;
  readonly metrics: MetricRegistry;
}

function deskOver(store: Store, clock: ManualClock, config: ConfigInput): Desk {
  const metrics = new MetricRegistry();
  const desk = new UsageDesk({
    config: defaultConfig({ store: { url: 'memory:' }, ...config }),
    store,
    tokens: new TokenBook([], store),
    status: new ProcessStatus(metrics, { version: 'test' }),
    keyring: new KeyBook(new SharedSecretKeyring(Buffer.from('not-a-secret-at-all')), store),
    agents: new AgentBook({ store, clock, expected: [], margin: 15 * SECOND, lookback: 7 * DAY }),
    clock,
    log: silentLogger,
    metrics,
    bus: null,
    ingest: null,
  });
  return { desk, metrics };
}

async function ask({ desk }: Desk, asked: Record<string, unknown>, asOf: Micros): Promise<string> {
  const fields = usageSchemas.UsageFields.parse(asked);
  const question = await desk.question(fields, ADMIN, asOf);
  return JSON.stringify(await desk.answer(question, { asOf, settled: false }));
}

const KINDS = {
  vcpus: ['duration', 'integral', 'max', 'min', 'avg', 'last', 'count', 'distinct', 'increase'],
  'bytes.out': ['increase', 'duration', 'last', 'count'],
  calls: ['sum', 'duration', 'count', 'avg'],
} as const;

function anyQuestion(dice: Dice, now: Micros): Record<string, unknown> {
  const meter = dice.pick(WORLD_METERS);
  const days = Math.max(2, Math.floor((now - WORLD_FROM) / DAY));
  const from = WORLD_FROM + dice.below(days - 1) * DAY + (dice.chance(0.5) ? dice.below(24) * HOUR : 0);
  const to = Math.min(from + (1 + dice.below(days)) * DAY + dice.below(24) * HOUR, WORLD_FROM + (days + 2) * DAY);
  const group = dice.pick([
    [],
    ['project_id'],
    ['resource_id'],
    ['metadata.flavor_name'],
    ['project_id', 'resource_id'],
  ]);
  return {
    meter,
    kind: dice.pick(KINDS[meter]),
    from: iso(from),
    to: iso(to),
    tz: dice.pick(['UTC', 'Europe/Berlin', 'Asia/Kathmandu']),
    window: dice.pick(['none', 'day', 'month']),
    ...(group.length === 0 ? {} : { group_by: group.join() }),
    gaps: String(dice.chance(0.7)),
    ...(dice.chance(0.2) ? { project_id: 'p' } : {}),
    ...(dice.chance(0.2) ? { resource_id: dice.pick(['r1', 'r2']) } : {}),
    ...(dice.chance(0.2) ? { estimate: 'previous' } : {}),
    ...(dice.chance(0.1) ? { max_hold: '20m' } : {}),
  };
}

const iso = (at: Micros): string => new Date(at / 1000).toISOString();

async function happen(store: Store, clock: ManualClock, event: WorldEvent): Promise<void> {
  clock.jump(Math.max(1, event.at - clock.now()));
  if ('batch' in event) await store.record([event.batch]);
  else await store.appendEntry(event.entry(clock.now()));
}

function keeperOf({ desk }: Desk): NonNullable<UsageDesk['folds']>['keeper'] {
  if (desk.folds === null) throw new TypeError('Fold lines are switched off.');
  return desk.folds.keeper;
}

/** How often each source of answers was used. */
function sources({ metrics }: Desk): Record<string, number> {
  const lines = metrics.expose().split('\n');
  const found = lines.flatMap((line) => /^nephometer_fold_answers_total\{source="(\w+)"\} (\d+)/.exec(line) ?? []);
  const counts: Record<string, number> = { folds: 0, both: 0, samples: 0 };
  for (let i = 0; i < found.length; i += 3) counts[found[i + 1] ?? ''] = Number(found[i + 2]);
  return counts;
}

/** Fold lines are cut by flavors where a definition groups by them. */
const CONFIG: ConfigInput = {
  folds: { backfill: '300d' },
  usage: { definitions: [{ name: 'flavors', meter: 'vcpus', kind: 'duration', group_by: ['metadata.flavor_name'] }] },
};

for (const [kind, seeds, days, asks] of [
  ['memory', seedsOf(1, 2, 3), 24, 60],
  ['duckdb', seedsOf(4), 10, 20],
] as const) {
  for (const seed of seeds) {
    t.test(`${kind}: whatever comes when, fold lines answer what samples answer, seed ${seed}`, async (t) => {
      const dice = new Dice(seed * 7919);
      const clock = new ManualClock(WORLD_FROM);
      const data = await STORES[kind]();
      const store = await data.open(clock);
      t.teardown(() => store.close());
      const bySamples = deskOver(store, clock, { ...CONFIG, folds: { enabled: false } });
      const keepers = [1, 2].map(() => deskOver(store, clock, CONFIG));
      const events = worldOf(seed, { days, interval: 30 * 60 * SECOND });
      const moments: Micros[] = [];
      let refolded = 0;
      let next = WORLD_FROM + dice.below(60) * HOUR;
      const compare = async (asked: Record<string, unknown>, asOf: Micros): Promise<void> => {
        const expected = await ask(bySamples, asked, asOf);
        const found = await ask(dice.pick(keepers), asked, asOf);
        if (found !== expected) {
          t.fail(`${JSON.stringify(asked)} as of ${iso(asOf)}`, {
            expected: JSON.parse(expected),
            found: JSON.parse(found),
          });
        }
      };
      for (const event of events) {
        await happen(store, clock, event);
        if (clock.now() < next) continue;
        next = clock.now() + dice.below(30) * HOUR;
        moments.push(clock.now() - dice.below(3 * 3600) * SECOND);
        refolded += (await keeperOf(dice.pick(keepers)).run()).refolded;
        if (dice.chance(0.5)) await compare(anyQuestion(dice, clock.now()), clock.now());
      }
      // At rest: all that settled is folded, and nothing came since.
      for (const one of keepers) while ((await keeperOf(one).run()).waiting > 0);
      for (const meter of WORLD_METERS) {
        const asked = { meter, kind: 'duration', from: iso(WORLD_FROM + 2 * DAY), to: iso(WORLD_FROM + 8 * DAY) };
        await compare({ ...asked, window: 'day', group_by: 'project_id,resource_id', gaps: 'true' }, clock.now());
      }
      const atRest = keepers.map(sources).reduce((sum, { folds = 0 }) => sum + folds, 0);
      t.ok(atRest >= WORLD_METERS.length, 'answered from fold lines alone');
      clock.jump(HOUR);
      for (let i = 0; i < asks; i++) {
        const asOf = dice.chance(0.4) ? clock.now() : dice.pick(moments) + dice.below(5 * 3600) * SECOND;
        await compare(anyQuestion(dice, clock.now()), asOf);
      }
      const used = keepers.map(sources);
      t.ok(
        used.some(({ both = 0 }) => both > 0),
        `from both: ${JSON.stringify(used)}`,
      );
      t.ok(refolded > 0, `${refolded} lines were folded anew`);
      t.equal(sources(bySamples)['folds'], 0);
    });
  }
}

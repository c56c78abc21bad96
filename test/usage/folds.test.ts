import { DAY, HOUR, ManualClock, SECOND } from '@nephometer/core';
import type { ConfigInput, FoldRow, Micros, Store } from '@nephometer/core';
import t from 'tap';
import { deskOver, keeperOf } from './desks.ts';
import type { Desk } from './desks.ts';
import { anyQuestion, happen, iso } from './fold-questions.ts';
import { Dice, WORLD_FROM, WORLD_METERS, worldOf } from './fold-world.ts';
import { STORES } from './stores.ts';

/** Each world is made from a seed, which the test's name tells: `NEPHOMETER_SEED=7` runs that one alone. */
const fixed = process.env['NEPHOMETER_SEED'];
const seedsOf = (...seeds: number[]): number[] =>
  fixed === undefined ? [...seeds, Date.now() % 1_000_000] : [Number(fixed)];

async function ask(one: Desk, asked: Record<string, unknown>, asOf: Micros): Promise<string> {
  return JSON.stringify(await one.ask(asked, asOf));
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

for (const [kind, seeds, days, interval, asks, longest] of [
  ['memory', seedsOf(1), 16, HOUR / 2, 25, undefined],
  // Silences of weeks.
  ['memory', [Number(fixed ?? 31)], 50, 3 * HOUR, 40, 25 * DAY],
  ['duckdb', [Number(fixed ?? 4)], 9, HOUR, 10, undefined],
  // Each batch is a request of its own there, so the world is small.
  ['influxdb', [Number(fixed ?? 6)], 9, 2 * HOUR, 8, undefined],
] as const) {
  for (const seed of seeds) {
    t.test(
      `${kind}: whatever comes when, fold lines answer what samples answer, ${longest === undefined ? '' : 'after long silences, '}seed ${seed}`,
      async (t) => {
        const dice = new Dice(seed * 7919);
        const clock = new ManualClock(WORLD_FROM);
        const data = await STORES[kind]();
        const store = await data.open(clock);
        t.teardown(() => store.close());
        const bySamples = deskOver(store, clock, { ...CONFIG, folds: { enabled: false } });
        const keepers = [1, 2].map(() => deskOver(store, clock, CONFIG));
        const events = worldOf(seed, { days, interval, ...(longest === undefined ? {} : { longest }) });
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
        if (longest === undefined) t.ok(atRest >= WORLD_METERS.length, 'answered from fold lines alone');
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
      },
    );
  }
}

t.test('a fold line that is damaged is noticed, and its samples answer', async (t) => {
  const clock = new ManualClock(WORLD_FROM);
  const store = await (await STORES.memory()).open(clock);
  t.teardown(() => store.close());
  for (const event of worldOf(8, { days: 6, interval: HOUR })) await happen(store, clock, event);
  clock.jump(DAY);
  const damages: Record<string, (row: FoldRow) => FoldRow | null> = {
    'a figure': (row) => ({ ...row, body: row.body.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)) }),
    'what it stands on': (row) =>
      row.series === '' ? row : { ...row, head: row.head.replace(/\d+(\]\],\w+\])$/, '9$1') },
    'its end': (row) => ({ ...row, body: row.body.slice(0, -1) }),
    'a whole line': (row) => (row.resourceId === 'r1' ? null : row),
  };
  const asked = {
    meter: 'vcpus',
    kind: 'duration',
    from: iso(WORLD_FROM),
    to: iso(WORLD_FROM + 5 * DAY),
    window: 'day',
  };
  const expected = await ask(deskOver(store, clock, { folds: { enabled: false } }), asked, clock.now());
  for (const [what, damage] of Object.entries(damages)) {
    const one = deskOver(damaged(store, damage), clock, CONFIG);
    await keeperOf(one).run();
    t.equal(await ask(one, asked, clock.now()), expected, what);
    t.match(one.metrics.expose(), /nephometer_fold_damaged_total [1-9]/, what);
  }
});

/** A store that gives fold lines back as they should not be. */
function damaged(store: Store, damage: (row: FoldRow) => FoldRow | null): Store {
  return {
    ...store,
    async *folds(query) {
      for await (const rows of store.folds(query)) {
        yield query.meter === '' ? rows : rows.flatMap((row) => damage(row) ?? []);
      }
    },
  };
}

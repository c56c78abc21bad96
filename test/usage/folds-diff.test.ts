import { DAY, HOUR, ManualClock } from '@nephometer/core';
import type { Micros, Store } from '@nephometer/core';
import t from 'tap';
import type { Test } from 'tap';
import { startApi } from './api.ts';
import type { Asking } from './api.ts';
import { deskOver, keeperOf } from './desks.ts';
import { Dice, WORLD_FROM, WORLD_METERS, worldOf } from './fold-world.ts';
import { STORES } from './stores.ts';

t.setTimeout(300_000);

const DAYS = 9;
const SEED = Number(process.env['NEPHOMETER_SEED'] ?? 9);
const iso = (at: Micros): string => new Date(at / 1000).toISOString();

interface Change {
  readonly id: string;
  readonly causes: readonly string[];
}

/** Plays the world, and folds what has settled now and then. @returns moments from its course */
async function play(store: Store, clock: ManualClock, dice: Dice): Promise<Micros[]> {
  const keeper = keeperOf(deskOver(store, clock, { folds: { backfill: '300d' } }));
  const moments: Micros[] = [];
  let next = WORLD_FROM + 2 * DAY;
  for (const event of worldOf(SEED, { days: DAYS, interval: HOUR })) {
    clock.jump(Math.max(1, event.at - clock.now()));
    if ('batch' in event) await store.record([event.batch]);
    else await store.appendEntry(event.entry(clock.now()));
    if (clock.now() < next) continue;
    next = clock.now() + (6 + dice.below(40)) * HOUR;
    moments.push(clock.now());
    await keeper.run();
  }
  clock.jump(2 * DAY);
  while ((await keeper.run()).waiting > 0);
  return [...moments, clock.now()];
}

async function changesOf(api: Asking, path: string): Promise<Change[]> {
  const { status, text } = await api.get(path);
  if (status !== 200) throw new Error(`${path}: ${text}`);
  return (JSON.parse(text) as { readonly changes: Change[] }).changes;
}

const dice = new Dice(SEED);
const clock = new ManualClock(WORLD_FROM);
const store = await (await STORES.memory()).open(clock);
const moments = await play(store, clock, dice);
const byFolds = await startApi(store, clock, { folds: { backfill: '300d' } });
const bySamples = await startApi(store, clock, { folds: { enabled: false } });
t.teardown(async () => {
  await byFolds.stop();
  await bySamples.stop();
  await store.close();
});

const PERIOD = { from: WORLD_FROM, to: WORLD_FROM + DAYS * DAY };
const askedOf = (meter: string, { from, to } = PERIOD): string =>
  `meter=${meter}&kind=duration&window=day&group_by=project_id,resource_id&gaps=true&limit=1000&from=${iso(from)}&to=${iso(to)}`;

/** Two moments of the course, the earlier first. */
function anyPair(): [Micros, Micros] {
  const [a, b] = [dice.pick(moments), dice.pick(moments)].sort((x, y) => x - y);
  return [a ?? 0, b ?? 0];
}

async function sameEitherWay(t: Test, path: string): Promise<Change[]> {
  const [found, expected] = [await byFolds.get(path), await bySamples.get(path)];
  t.equal(found.text, expected.text, path);
  return (JSON.parse(found.text) as { readonly changes: Change[] }).changes;
}

t.test(`what changed between two moments is the same from fold lines and from samples, seed ${SEED}`, async (t) => {
  const seen = new Set<string>();
  for (let i = 0; i < 12; i++) {
    const [from, to] = anyPair();
    const asked = askedOf(dice.pick(WORLD_METERS));
    const changes = await sameEitherWay(t, `/v1/usage/diff?${asked}&from_as_of=${iso(from)}&to_as_of=${iso(to)}`);
    for (const { causes } of changes) for (const cause of causes) seen.add(cause);
  }
  t.ok(seen.size > 1, [...seen].join());
  await sameEitherWay(t, `/v1/changes?${askedOf('vcpus')}`);
});

t.test('a change has the causes that it has when its day alone is asked for', async (t) => {
  const [first, last] = [moments[1] ?? 0, moments.at(-1) ?? 0];
  for (const meter of WORLD_METERS) {
    const asOf = `from_as_of=${iso(first)}&to_as_of=${iso(last)}`;
    const whole = await changesOf(byFolds, `/v1/usage/diff?${askedOf(meter)}&${asOf}`);
    const days: Change[] = [];
    for (let from = PERIOD.from; from < PERIOD.to; from += DAY) {
      days.push(...(await changesOf(byFolds, `/v1/usage/diff?${askedOf(meter, { from, to: from + DAY })}&${asOf}`)));
    }
    const byId = (a: Change, b: Change): number => (a.id < b.id ? -1 : 1);
    t.ok(whole.length > 0, meter);
    t.strictSame(whole.sort(byId), days.sort(byId));
  }
});

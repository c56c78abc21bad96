import { usageSchemas } from '@nephometer/api';
import { DAY, foldUsage, HOUR, ManualClock } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import t from 'tap';
import { ADMIN, deskOver } from './desks.ts';
import { Dice, WORLD_FROM, worldOf } from './fold-world.ts';
import { anyQuestion, happen, iso } from './fold-questions.ts';
import { STORES } from './stores.ts';

const fixed = process.env['NEPHOMETER_SEED'];
const seedsOf = (...seeds: number[]): number[] =>
  fixed === undefined ? [...seeds, Date.now() % 1_000_000] : [Number(fixed)];

/** Series in silences of weeks that the answers met. */
let silent = 0;

/** Silences of weeks: what is asked of a few days must be what all that was ever recorded says of them. */
for (const [kind, seeds, days, asks] of [
  ['memory', seedsOf(1), 60, 60],
  ['duckdb', [Number(fixed ?? 5)], 45, 15],
] as const) {
  for (const seed of seeds) {
    t.test(
      `${kind}: an answer is the same from what is gathered for it as from everything, seed ${seed}`,
      async (t) => {
        const dice = new Dice(seed * 7907);
        const clock = new ManualClock(WORLD_FROM);
        const data = await STORES[kind]();
        const store = await data.open(clock);
        t.teardown(() => store.close());
        const { desk } = deskOver(store, clock, { folds: { enabled: false } });
        for (const event of worldOf(seed, { days, interval: 2 * HOUR, longest: 30 * DAY }))
          await happen(store, clock, event);
        clock.jump(HOUR);
        const end = clock.now();
        const question = (asked: Record<string, unknown>, asOf: Micros) =>
          desk.question(usageSchemas.UsageFields.parse(asked), ADMIN, asOf);
        let differing = 0;
        for (let i = 0; i < asks; i++) {
          const asOf = dice.chance(0.6) ? end : WORLD_FROM + dice.below(end - WORLD_FROM);
          const from = WORLD_FROM + dice.below(days) * DAY;
          const to = Math.min(from + (1 + dice.below(9)) * DAY, WORLD_FROM + (days + 10) * DAY);
          const asked = { ...anyQuestion(dice, end), from: iso(from), to: iso(to) };
          const one = await question(asked, asOf);
          const everything = await question(
            { ...asked, from: iso(WORLD_FROM - DAY), to: iso(WORLD_FROM + (days + 30) * DAY), window: 'none' },
            asOf,
          );
          const facts = await desk.facts(one, asOf);
          silent += facts.silent.size;
          const found = JSON.stringify(foldUsage(facts, one.query).lines);
          const expected = JSON.stringify(foldUsage(await desk.facts(everything, asOf), one.query).lines);
          if (found !== expected) {
            differing += 1;
            t.fail(`${JSON.stringify(asked)} as of ${iso(asOf)}`, {
              expected: JSON.parse(expected),
              found: JSON.parse(found),
            });
          }
        }
        t.equal(differing, 0, `of ${asks} answers`);
      },
    );
  }
}

// One seed alone may meet none.
if (fixed === undefined) {
  t.test('there were silences of weeks', async (t) => {
    t.ok(silent > 0, `${silent} series`);
  });
}

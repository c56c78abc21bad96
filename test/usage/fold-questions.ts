import { DAY, HOUR } from '@nephometer/core';
import type { ManualClock, Micros, Store } from '@nephometer/core';
import { WORLD_FROM, WORLD_METERS } from './fold-world.ts';
import type { Dice, WorldEvent } from './fold-world.ts';

const KINDS = {
  vcpus: ['duration', 'integral', 'max', 'min', 'avg', 'last', 'count', 'distinct', 'increase'],
  'bytes.out': ['increase', 'duration', 'last', 'count'],
  calls: ['sum', 'duration', 'count', 'avg'],
} as const;

/** About a stretch of a world of `worldOf`. */
export function anyQuestion(dice: Dice, now: Micros): Record<string, unknown> {
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
    ...(dice.chance(0.4) ? { floor: dice.pick(['-1', '0', '2']), ceiling: '9' } : {}),
  };
}

export const iso = (at: Micros): string => new Date(at / 1000).toISOString();

export async function happen(store: Store, clock: ManualClock, event: WorldEvent): Promise<void> {
  clock.jump(Math.max(1, event.at - clock.now()));
  if ('batch' in event) await store.record([event.batch]);
  else await store.appendEntry(event.entry(clock.now()));
}

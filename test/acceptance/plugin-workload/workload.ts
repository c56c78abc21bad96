/**
 * What four resources really do, measured or not. Their lives differ in what befalls them at one moment, `changedAt`:
 *
 * | resource  | at that moment                                         |
 * |-----------|--------------------------------------------------------|
 * | `steady`  | nothing; its counter names its run                     |
 * | `resized` | grows from 2 to 7 GiB, and its counter starts at zero  |
 * | `gone`    | is deleted                                             |
 * | `new`     | is made                                                |
 *
 * Times are milliseconds since the epoch.
 */
export const RESOURCES = ['steady', 'resized', 'gone', 'new'] as const;
export type ResourceName = (typeof RESOURCES)[number];

/** Null while nobody knows of the change. */
export interface Plan {
  readonly changedAt: number | null;
}

/** CPUs that each keeps busy. */
const BUSY = 0.5;
const NS_PER_MS = 1_000_000;
/** When the counters of those that are there from the start began. */
const BEGAN = Date.UTC(2026, 0, 1);

/** From when to when it is there. */
function life(name: ResourceName, { changedAt }: Plan): readonly [number, number] {
  const change = changedAt ?? Infinity;
  return [name === 'new' ? change : BEGAN, name === 'gone' ? change : Infinity];
}

export function isThere(name: ResourceName, at: number, plan: Plan): boolean {
  const [from, to] = life(name, plan);
  return at >= from && at < to;
}

/** GiB. */
export function levelAt(name: ResourceName, at: number, { changedAt }: Plan): number {
  return name === 'resized' ? (at < (changedAt ?? Infinity) ? 2 : 7) : 4;
}

/** What its counter shows, in ns. */
export function counterAt(name: ResourceName, at: number, { changedAt }: Plan): bigint {
  const restarts = (name === 'resized' || name === 'new') && changedAt !== null && at >= changedAt;
  return BigInt(Math.round((at - (restarts ? changedAt : BEGAN)) * NS_PER_MS * BUSY));
}

/** What a perfect meter would find in [from, to): milliseconds of presence, GiB x ms, milliseconds of CPU time. */
export function truth(name: ResourceName, from: number, to: number, plan: Plan): Record<Quantity, number> {
  const [start, end] = life(name, plan);
  const [first, last] = [Math.max(from, start), Math.min(to, end)];
  const presence = Math.max(0, last - first);
  const change = Math.min(Math.max(plan.changedAt ?? Infinity, first), last);
  const level = levelAt(name, first, plan) * (change - first) + levelAt(name, last, plan) * (last - change);
  return { presence, level: presence === 0 ? 0 : level, work: presence * BUSY };
}

export type Quantity = 'presence' | 'level' | 'work';

/**
 * CPU time per user that only grows, though processes end.
 *
 * Between two polls a user's total grows by
 *
 *   1. what each process that is still there used meanwhile;
 *   2. all that a process used which was not there before;
 *   3. what processes used that ended meanwhile, after the last look or without ever being seen. Their parents, having
 *      waited for them, carry it: the growth of a parent's reaped time, less what was counted of the ended processes
 *      below it already.
 *
 * Part 3 is kept at or below what the whole machine's reaped time grew by: a process that lost its parent and ended
 * between two polls may else be counted at its new parent and at its old one. So a total may miss time of processes that
 * nobody waits for, and is never more than was used.
 */
import type { ProcessSnapshot } from './processes.ts';

/** What is remembered of a process. */
export type Known = Pick<ProcessSnapshot, 'key' | 'pid' | 'parent' | 'uid' | 'own' | 'reaped'>;

export interface AccountState {
  /** Ticks by uid. */
  readonly totals: readonly (readonly [uid: number, ticks: number])[];
  readonly processes: readonly Known[];
}

export class CpuAccounts {
  readonly #totals: Map<number, number>;
  #known: ReadonlyMap<string, Known>;

  constructor(state: AccountState = { totals: [], processes: [] }) {
    this.#totals = new Map(state.totals);
    this.#known = new Map(state.processes.map((one) => [one.key, one]));
  }

  /** Takes in a look at all processes. @returns ticks by uid, of all users ever seen */
  update(processes: readonly ProcessSnapshot[]): ReadonlyMap<number, number> {
    const isFirst = this.#totals.size === 0;
    for (const { key, uid, own } of processes) this.#add(uid, Math.max(0, own - (this.#known.get(key)?.own ?? 0)));
    if (!isFirst) for (const [uid, ticks] of this.#ended(processes)) this.#add(uid, ticks);
    this.#known = new Map(
      processes.map(({ key, pid, parent, uid, own, reaped }) => [key, { key, pid, parent, uid, own, reaped }]),
    );
    return this.#totals;
  }

  state(): AccountState {
    return { totals: [...this.#totals], processes: [...this.#known.values()] };
  }

  #add(uid: number, ticks: number): void {
    this.#totals.set(uid, (this.#totals.get(uid) ?? 0) + ticks);
  }

  /** Part 3: ticks by uid of processes that ended since the last look. */
  #ended(processes: readonly ProcessSnapshot[]): [uid: number, ticks: number][] {
    const living = new Map(processes.map((one) => [one.pid, one]));
    const goneBelow = this.#goneByLivingAncestor(living);
    let wholeGrowth = -sum([...goneBelow.values()].flat());
    const shares: [number, number][] = [];
    for (const parent of processes) {
      const growth = Math.max(0, parent.reaped - (this.#known.get(parent.key)?.reaped ?? 0));
      const gone = goneBelow.get(parent.pid) ?? [];
      wholeGrowth += growth;
      const unseen = growth - sum(gone);
      if (unseen > 0) shares.push([userOf(gone) ?? parent.uid, unseen]);
    }
    const claimed = shares.reduce((total, [, ticks]) => total + ticks, 0);
    const scale = claimed > wholeGrowth ? Math.max(0, wholeGrowth) / claimed : 1;
    return shares.map(([uid, ticks]) => [uid, Math.floor(ticks * scale)]);
  }

  /** Processes that ended, by the pid of the nearest ancestor that is still there; 0 for those without one. */
  #goneByLivingAncestor(living: ReadonlyMap<number, ProcessSnapshot>): Map<number, Known[]> {
    const isLiving = ({ pid, key }: Known): boolean => living.get(pid)?.key === key;
    const knownByPid = new Map([...this.#known.values()].map((one) => [one.pid, one]));
    const gone = new Map<number, Known[]>();
    for (const one of this.#known.values()) {
      if (isLiving(one)) continue;
      let ancestor = knownByPid.get(one.parent);
      for (let steps = 0; ancestor !== undefined && !isLiving(ancestor) && steps < 1000; steps++) {
        ancestor = knownByPid.get(ancestor.parent);
      }
      const pid = ancestor === undefined || !isLiving(ancestor) ? 0 : ancestor.pid;
      gone.set(pid, [...(gone.get(pid) ?? []), one]);
    }
    return gone;
  }
}

/** What was counted of processes already. */
function sum(processes: readonly Known[]): number {
  return processes.reduce((total, { own, reaped }) => total + own + reaped, 0);
}

/** The user of all of them; undefined when there are several or none. */
function userOf(processes: readonly Known[]): number | undefined {
  const uids = new Set(processes.map(({ uid }) => uid));
  return uids.size === 1 ? [...uids][0] : undefined;
}

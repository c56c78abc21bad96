import { DAY, decodeFoldHead, isLate, isTouched } from '@nephometer/core';
import type { FoldLineHead, FoldRow, FoldsQuery, Micros, Store, Touch, UsageField } from '@nephometer/core';
import { z } from 'zod';

/** The series under which the word of a whole day of a meter stands; no series of samples is spelled like it. */
export const DAY_SERIES = '';

/** What the keeper says of a day of a meter. */
const DayWord = z.strictObject({
  version: z.literal(2),
  /** Stale: too much has changed; the day is folded anew when its turn comes. */
  state: z.enum(['folded', 'stale']),
  attributes: z.array(z.string()),
  /** Who wrote it. */
  keeper: z.string(),
  /** Lines that the day was folded into. */
  lines: z.int(),
});
export interface DayWord extends Omit<z.infer<typeof DayWord>, 'attributes'> {
  readonly attributes: readonly UsageField[];
}

/** Where marks stand: no meter has an empty name. */
const MARK = { meter: '', day: 0, resourceId: '' } as const;

/** The newest marks as of a moment. */
export interface Marks {
  readonly newest: Micros | null;
  /** By keeper. */
  readonly by: ReadonlyMap<string, Micros>;
}

/** A line of a day, with what it stands on. */
export interface KeptLine {
  readonly row: FoldRow;
  readonly head: FoldLineHead;
}

/** What is kept of one day of a meter, as of a moment. */
export interface KeptDay {
  readonly day: Micros;
  readonly asOf: Micros;
  readonly attributes: readonly UsageField[];
  /** By series. */
  readonly lines: ReadonlyMap<string, KeptLine>;
  /** Lines that are damaged, or missing. */
  readonly damaged: number;
}

/**
 * Fold lines as they stand in the store. Of a day there is a row for each series and a word on the whole, which is written
 * last: rows older than it do not count, and rows that are newer replace those that it was written with. A mark is a
 * moment up to which everything recorded was looked at: what it touched has newer rows, or its day is called stale.
 *
 * Several keepers may work at once. One that folds a day while another sets a mark was not looked at by that one: such a
 * word counts only when its own keeper has set a later mark, for which it looks at all since its mark before.
 */
export class FoldBook {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async marks(asOf: Micros): Promise<Marks> {
    const by = new Map<string, Micros>();
    for await (const rows of this.#store.folds({ meter: MARK.meter, from: MARK.day, to: DAY, asOf, headsOnly: true })) {
      for (const row of rows) by.set(row.series, row.asOf);
    }
    return { newest: by.size === 0 ? null : Math.max(...by.values()), by };
  }

  async setMark(keeper: string, asOf: Micros): Promise<void> {
    await this.#store.appendFolds([{ ...MARK, series: keeper, asOf, head: '', body: '' }]);
  }

  /** Days that are folded, as of a moment; in order. Those that are stale, or of another version, are left out. */
  async *days(query: FoldsQuery, marks: Marks): AsyncGenerator<KeptDay> {
    const isWhole = query.resourceIds === undefined && query.projectIds === undefined;
    for await (const rows of this.#store.folds(query)) {
      for (const ofDay of byDay(rows)) {
        const kept = keptDay(ofDay, isWhole, marks);
        if (kept !== null) yield kept;
      }
    }
  }
}

export function dayRow(meter: string, day: Micros, asOf: Micros, word: Omit<DayWord, 'version'>): FoldRow {
  const head = JSON.stringify({ version: 2, ...word });
  return { meter, day, series: DAY_SERIES, resourceId: '', asOf, head, body: '' };
}

/** Rows of a day come on one page. */
function byDay(rows: readonly FoldRow[]): FoldRow[][] {
  const days = new Map<Micros, FoldRow[]>();
  for (const row of rows) {
    const known = days.get(row.day);
    if (known === undefined) days.set(row.day, [row]);
    else known.push(row);
  }
  return [...days.values()];
}

function keptDay(rows: readonly FoldRow[], isWhole: boolean, { newest, by }: Marks): KeptDay | null {
  const word = rows.find(({ series }) => series === DAY_SERIES);
  if (word === undefined) return null;
  const read = DayWord.safeParse(parsed(word.head));
  if (!read.success || read.data.state !== 'folded') return null;
  const isLookedAt = word.asOf >= (newest ?? Infinity) || (by.get(read.data.keeper) ?? -Infinity) > word.asOf;
  if (!isLookedAt) return null;
  const own = rows.filter(({ series, asOf }) => series !== DAY_SERIES && asOf >= word.asOf);
  const lines = new Map<string, KeptLine>();
  let damaged = isWhole ? Math.max(0, read.data.lines - own.length) : 0;
  for (const row of own) {
    const head = decodeFoldHead(row.head);
    if (head === null) damaged += 1;
    else lines.set(row.series, { row, head });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the keeper from its fields
  const attributes = read.data.attributes as UsageField[];
  return { day: word.day, asOf: word.asOf, attributes, lines, damaged };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What of a day is not as it was folded any more. */
export interface TouchedDay {
  /** Nothing of it counts. */
  readonly isWhole: boolean;
  readonly resourceIds: ReadonlySet<string>;
}

/** Touches sorted so that each series meets those that may concern it. */
export class TouchIndex {
  readonly #bySeries = new Map<string, Touch[]>();
  readonly #byAgent = new Map<string | null, Touch[]>();
  readonly #broad: Touch[] = [];
  /** Of a time long before they were recorded. */
  readonly #late: Touch[] = [];

  constructor(meter: string, touches: readonly Touch[]) {
    for (const touch of touches) {
      if ((touch.meter ?? meter) !== meter) continue;
      if (isLate(touch, { from: touch.recordedAt, to: touch.recordedAt })) this.#late.push(touch);
      if (touch.kind === 'watch' || touch.kind === 'refused') push(this.#byAgent, touch.agentId, touch);
      else if (touch.series !== null) push(this.#bySeries, touch.series, touch);
      else this.#broad.push(touch);
    }
  }

  of({ day, asOf, lines }: KeptDay): TouchedDay {
    const period = { from: day, to: day + DAY };
    const resourceIds = new Set<string>();
    const late = this.#late.filter((touch) => touch.recordedAt > asOf && isLate(touch, period));
    const isAny = this.#broad.some((touch) => touch.kind === 'any' && touch.recordedAt > asOf);
    // Which series a late tick, or a late void of many, brings back from a silence, or puts into one, no line tells.
    if (isAny || late.some(({ resourceId }) => resourceId === null)) return { isWhole: true, resourceIds };
    for (const { resourceId } of late) if (resourceId !== null) resourceIds.add(resourceId);
    for (const [key, { row, head }] of lines) {
      const { closures } = head;
      const resourceId = head.series.resourceId;
      const touches = [
        ...(this.#bySeries.get(key) ?? []),
        ...closures.flatMap(({ agentId }) => this.#byAgent.get(agentId) ?? []),
        ...this.#broad.filter((touch) => (touch.resourceId ?? resourceId) === resourceId),
      ];
      if (touches.some((touch) => touch.recordedAt > row.asOf && isTouched(touch, period, closures))) {
        resourceIds.add(resourceId);
      }
    }
    for (const [key, touches] of this.#bySeries) {
      if (lines.has(key)) continue;
      for (const touch of touches) {
        if (touch.recordedAt > asOf && touch.resourceId !== null && isTouched(touch, period, null)) {
          resourceIds.add(touch.resourceId);
        }
      }
    }
    return { isWhole: false, resourceIds };
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

import { setImmediate } from 'node:timers/promises';
import { DAY, HOUR, isLate, isNear, messageOf, MINUTE, SECOND } from '@nephometer/core';
import type { Micros, Service, Timer, Touch, UsageField } from '@nephometer/core';
import { wantedAttributes } from './attributes.ts';
import { dayRow, FoldBook, TouchIndex } from './book.ts';
import type { KeptDay } from './book.ts';
import { foldDay } from './fold-day.ts';
import type { KeeperParts } from './fold-day.ts';

/** A day is folded when it has been over for so long: what is a little late would have it folded twice. */
const SETTLED_AFTER: Micros = 15 * MINUTE;
/** A day of which more resources are touched waits for its turn. */
const MOST_REFOLDED = 500;
/** Touches are looked at in runs that take no longer than about this; what is left is called stale. */
const LONGEST_REFOLD: Micros = 20 * SECOND;

/** What one run did. */
export interface KeeperRun {
  readonly asOf: Micros;
  readonly folded: number;
  readonly refolded: number;
  /** Days of meters that are settled and not folded yet. */
  readonly waiting: number;
}

/**
 * Folds the days of every meter when they have settled, the newest first, and folds anew what late data touch. All it knows
 * it reads from the store, so that it may run in any number of processes at once: what two of them write of one moment is
 * the same.
 */
export class FoldKeeper implements Service {
  readonly name = 'fold keeper';
  readonly #parts: KeeperParts;
  readonly #book: FoldBook;
  /** Days that could not be folded, or are not shown: until when they are left alone. */
  readonly #resting = new Map<string, Micros>();
  #meters: { readonly at: Micros; readonly first: ReadonlyMap<string, Micros> } | null = null;
  #timer: Timer | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #isStopped = false;
  /** The mark that this keeper has set last. */
  #last: Micros = Infinity;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#book = new FoldBook(parts.store);
  }

  start(): Promise<void> {
    if (this.#parts.config.folds.enabled) this.#wait(Math.random() * 0.2);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Servers side by side should not all run at once. */
  #wait(share: number): void {
    if (this.#isStopped) return;
    const { clock, config } = this.#parts;
    this.#timer = clock.after(share * config.folds.every, () => {
      this.#running = this.#turn();
    });
  }

  async #turn(): Promise<void> {
    const { log, metrics, clock, config } = this.#parts;
    let waiting = 0;
    try {
      const { newest } = await this.#book.marks(clock.now());
      const isDone = newest !== null && newest !== this.#last && clock.now() - newest < config.folds.every / 2;
      if (!isDone) waiting = (await this.run()).waiting;
    } catch (cause) {
      metrics.ran('failed', null, waiting);
      log.warn({ cause: messageOf(cause) }, 'Fold lines could not be brought up to date; tried again at the next run.');
    }
    this.#wait(waiting > 0 ? 0.05 : 0.9 + Math.random() * 0.2);
  }

  /** One run, of bounded work. @throws StoreUnavailable */
  async run(): Promise<KeeperRun> {
    const { clock, horizon, metrics, config } = this.#parts;
    const asOf = clock.now() - horizon;
    const marks = await this.#book.marks(asOf);
    // Another keeper that has set a mark since has not seen what this one wrote behind its own.
    const before = marks.newest === null ? null : Math.min(marks.newest, this.#last);
    const touches = before === null ? [] : await this.#parts.touches.between(before, asOf);
    const meters = await this.#knownMeters(touches, asOf);
    let refolded = 0;
    if (asOf > (before ?? -Infinity)) {
      const until = clock.monotonic() + LONGEST_REFOLD;
      for (const meter of meters.keys()) refolded += await this.#refold(meter, touches, asOf, until);
      await this.#book.setMark(this.#parts.keeper, asOf);
      this.#last = asOf;
    }
    const waiting = await this.#waiting(meters, asOf);
    let folded = 0;
    const until = clock.monotonic() + config.folds.busy;
    for (const { meter, day } of waiting) {
      if (this.#isStopped || (folded > 0 && clock.monotonic() >= until)) break;
      await this.#fold(meter, day, asOf);
      folded += 1;
    }
    const left = waiting.length - folded;
    metrics.ran('done', clock.now() - asOf, left);
    return { asOf, folded, refolded, waiting: left };
  }

  /** Meters and the day of their first sample. Looked for anew once an hour, and when a new one comes. */
  async #knownMeters(touches: readonly Touch[], asOf: Micros): Promise<ReadonlyMap<string, Micros>> {
    const { store } = this.#parts;
    const known = this.#meters;
    const isNew = touches.some(
      ({ kind, meter }) => kind === 'sample' && meter !== null && known?.first.has(meter) !== true,
    );
    const isLate = touches.some(
      ({ kind, meter, from }) => kind === 'sample' && from < (known?.first.get(meter ?? '') ?? from),
    );
    if (known !== null && !isNew && !isLate && asOf - known.at < HOUR) return known.first;
    const names = new Set((await store.meters({})).map(({ meter }) => meter));
    const first = new Map<string, Micros>();
    for (const meter of [...names].sort()) {
      for await (const { timestamp } of store.samples({ meter, order: 'oldest', limit: 1 }))
        first.set(meter, timestamp);
    }
    this.#meters = { at: asOf, first };
    return first;
  }

  /** Of days that are folded what was touched since the last mark. */
  async #refold(meter: string, touches: readonly Touch[], asOf: Micros, until: Micros): Promise<number> {
    const { clock, metrics } = this.#parts;
    const index = new TouchIndex(meter, touches);
    const marks = await this.#book.marks(asOf);
    let refolded = 0;
    for (const { from, to } of this.#nearSpans(touches, asOf)) {
      for await (const kept of this.#book.days({ meter, from, to, asOf, headsOnly: true }, marks)) {
        const touched = index.of(kept);
        if (touched.resourceIds.size === 0 && !touched.isWhole) continue;
        const isMuch = touched.isWhole || touched.resourceIds.size > MOST_REFOLDED || clock.monotonic() > until;
        if (isMuch) await this.#callStale(meter, kept, asOf);
        else refolded += await this.#refoldDay(meter, kept, asOf, [...touched.resourceIds]);
        await setImmediate();
      }
    }
    metrics.wrote('refolded', refolded);
    return refolded;
  }

  async #refoldDay(meter: string, kept: KeptDay, asOf: Micros, resourceIds: readonly string[]): Promise<number> {
    try {
      return await foldDay(this.#parts, { ...kept, meter, asOf, resourceIds, kept });
    } catch (cause) {
      this.#parts.log.warn({ meter, day: kept.day, cause: messageOf(cause) }, 'A day could not be folded anew.');
      await this.#callStale(meter, kept, asOf);
      return 0;
    }
  }

  /** Its turn comes with another run: two words of one moment would contradict each other. */
  async #callStale(meter: string, { day, attributes }: KeptDay, asOf: Micros): Promise<void> {
    const word = { state: 'stale', attributes: [...attributes], keeper: this.#parts.keeper, lines: 0 } as const;
    await this.#parts.store.appendFolds([dayRow(meter, day, asOf, word)]);
    this.#resting.set(`${meter} ${day}`, asOf + 1);
  }

  /** Days that any touch may concern, in stretches. */
  #nearSpans(touches: readonly Touch[], asOf: Micros): { readonly from: Micros; readonly to: Micros }[] {
    const first = this.#firstDay(-Infinity, asOf);
    const spans: { from: Micros; to: Micros }[] = [];
    for (let day = first; day < asOf; day += DAY) {
      const period = { from: day, to: day + DAY };
      if (!touches.some((touch) => isNear(touch, period) || isLate(touch, period))) continue;
      const last = spans.at(-1);
      if (last?.to === day) last.to = day + DAY;
      else spans.push(period);
    }
    return spans;
  }

  /** Settled days without fold lines, or with some that are cut by too little, newest first. */
  async #waiting(meters: ReadonlyMap<string, Micros>, asOf: Micros): Promise<{ meter: string; day: Micros }[]> {
    const waiting: { meter: string; day: Micros }[] = [];
    const marks = await this.#book.marks(asOf);
    for (const [meter, first] of meters) {
      const attributes = wantedAttributes(this.#parts.config, meter);
      const from = this.#firstDay(first, asOf);
      const to = Math.floor((asOf - SETTLED_AFTER) / DAY) * DAY;
      if (from >= to) continue;
      const done = new Set<Micros>();
      for await (const kept of this.#book.days({ meter, from, to, asOf, resourceIds: [], headsOnly: true }, marks)) {
        if (attributes.every((field) => kept.attributes.includes(field))) done.add(kept.day);
      }
      for (let day = from; day < to; day += DAY) {
        const rests = (this.#resting.get(`${meter} ${day}`) ?? -Infinity) > asOf;
        if (!done.has(day) && !rests) waiting.push({ meter, day });
      }
    }
    return waiting.sort((a, b) => b.day - a.day || (a.meter < b.meter ? -1 : 1));
  }

  async #fold(meter: string, day: Micros, asOf: Micros): Promise<void> {
    const { metrics, log, config } = this.#parts;
    // Should it not be seen as folded afterwards (behind retention, for one), it is not tried at once again.
    this.#resting.set(`${meter} ${day}`, asOf + HOUR);
    try {
      const attributes: UsageField[] = wantedAttributes(config, meter);
      metrics.wrote(
        'folded',
        await foldDay(this.#parts, { meter, day, asOf, attributes, resourceIds: null, kept: null }),
      );
    } catch (cause) {
      log.warn({ meter, day, cause: messageOf(cause) }, 'A day could not be folded; its samples answer for it.');
    }
  }

  /** Behind what backfill and retention leave. */
  #firstDay(first: Micros, asOf: Micros): Micros {
    return Math.floor(Math.max(first, asOf - this.#parts.config.folds.backfill) / DAY) * DAY;
  }
}

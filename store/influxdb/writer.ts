import { randomUUID } from 'node:crypto';
import { RecordedAtClock, StoreUnavailable } from '@nephometer/core';
import type { Clock, Logger, Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { readJson } from './key-index.ts';
import type { LogRow } from './ledger.ts';
import { selectEach, tagEquals } from './query.ts';
import { Spots } from './spots.ts';
import { encodeText } from './text.ts';
import { readBeats, STALE, takeName, writeBeat } from './writer-name.ts';
import type { Beat, HeldName } from './writer-name.ts';

const MOST_ATTEMPTS = 5;

/** Another process took our name, because we gave no sign for long: what we were doing is done again under another. */
class NameLost extends Error {}

/** One piece of writing, alone in this process. */
export interface WriterSession {
  /** The name under which this process, and no other, writes. */
  readonly writer: string;
  /** The places that were taken under this name. */
  readonly spots: Spots;
  /** The next `recorded_at`: later than all before. */
  stamp(): Micros;
  /** The time of the next note for other writers: later than all before, and no `recorded_at` is spent on it. */
  noteTime(): Micros;
  /** To be called right before points are written at places that were looked up: refuses when that was too long ago. */
  assertFresh(): void;
  /**
   * To be called after points were written and before what makes them visible. Tells whether others wrote since the
   * session began; each tells of itself before it looks, so of two at once at least one learns of the other.
   */
  confirm(): Promise<boolean>;
}

/**
 * The name that keeps the points of processes apart: it is a tag of all that is written, and under one name one process
 * writes, one piece after the other. So which places are taken needs only be looked up, never locked.
 */
export class Writer {
  readonly #client: InfluxClient;
  readonly #base: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #instance = randomUUID();
  readonly stamps: RecordedAtClock;
  #held: HeldName | null = null;
  #spots = new Spots(-Infinity);
  #count = 0;
  /** Of the steady clock, when the last beat was sent. */
  #beatAt: Micros = -Infinity;
  #last: Micros = -Infinity;
  #lastNote: Micros = -Infinity;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(client: InfluxClient, base: string, clock: Clock, log: Logger) {
    this.#client = client;
    this.#base = encodeText(base);
    this.#clock = clock;
    this.#log = log;
    this.stamps = new RecordedAtClock(clock, -Infinity);
  }

  /** Does one piece of writing after the other. */
  exclusive<T>(work: (session: WriterSession) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => this.#attempt(work));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async release(): Promise<void> {
    await this.#queue;
    await this.#held?.release();
    this.#held = null;
  }

  async #attempt<T>(work: (session: WriterSession) => Promise<T>): Promise<T> {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const { name, beats } = await this.#begin();
      try {
        return await work({
          writer: name,
          spots: this.#spots,
          stamp: () => this.#stamp(),
          noteTime: () => this.#noteTime(),
          assertFresh: () => this.#assertFresh(),
          confirm: () => this.#confirm(name, beats),
        });
      } catch (cause) {
        if (!(cause instanceof NameLost)) throw cause;
        this.#held = null;
        this.#log.warn({ writer: name, attempt }, 'Another process took over this writer name; taking another one.');
      }
    }
    throw new StoreUnavailable(
      `The writer name "${this.#base}" was lost ${MOST_ATTEMPTS} times; nothing was recorded.`,
    );
  }

  #stamp(): Micros {
    // The clock may have been set back since a process before us wrote under this name.
    this.#last = Math.max(this.stamps.next(), this.#last + 1);
    return this.#last;
  }

  #noteTime(): Micros {
    this.#lastNote = Math.max(this.#clock.now(), this.#lastNote + 1);
    return this.#lastNote;
  }

  /** Makes sure of the name, and remembers what the others had done by now. */
  async #begin(): Promise<{ name: string; beats: Map<string, Beat> }> {
    let beats = await readBeats(this.#client);
    if (this.#held !== null && (beats.get(this.#held.name)?.[1] !== this.#instance || this.#age() > STALE / 2)) {
      // Silent for so long that another process may be about to take the name: queue up for it like the others.
      await this.#held.release();
      this.#held = null;
    }
    if (this.#held === null) {
      this.#held = await takeName(this.#client, this.#base, this.#instance, this.#clock);
      await this.#beat(this.#held.name);
      const { stamp, note, newestSample } = await this.#lastOf(this.#held.name);
      this.#last = Math.max(this.#last, stamp);
      this.#lastNote = Math.max(this.#lastNote, note);
      this.#spots = new Spots(newestSample);
      beats = await readBeats(this.#client);
    } else if (this.#age() > STALE / 4) {
      await this.#beat(this.#held.name);
    }
    return { name: this.#held.name, beats };
  }

  #age(): Micros {
    return this.#clock.monotonic() - this.#beatAt;
  }

  async #beat(name: string): Promise<void> {
    const sentAt = this.#clock.monotonic();
    await writeBeat(this.#client, [name, this.#instance, ++this.#count, this.#clock.now()]);
    this.#beatAt = sentAt;
  }

  #assertFresh(): void {
    if (this.#age() > STALE / 2) throw new NameLost();
  }

  /** Of what was written under this name: the newest stamp and note, and the time of the newest sample. */
  async #lastOf(name: string): Promise<{ stamp: Micros; note: Micros; newestSample: Micros }> {
    const where = [tagEquals('writer', name)];
    const newest = { where, order: 'newest', limit: 1 } as const;
    const [logged, entry, note] = (
      await selectEach(this.#client, [
        { fields: 'row', measurement: 'ledger_log', ...newest },
        { fields: 'row', measurement: 'entry', ...newest },
        { fields: 'ids', measurement: 'odd_id', ...newest },
      ])
    ).map(([row]) => row);
    return {
      stamp: Math.max(logged?.at ?? -Infinity, entry?.at ?? -Infinity),
      note: note?.at ?? -Infinity,
      newestSample: newestSample(logged?.values[0]),
    };
  }

  async #confirm(name: string, before: ReadonlyMap<string, Beat>): Promise<boolean> {
    this.#assertFresh();
    await this.#beat(name);
    const after = await readBeats(this.#client);
    if (after.get(name)?.[1] !== this.#instance) throw new NameLost();
    return [...after].some(([other, beat]) => other !== name && !isSameBeat(beat, before.get(other)));
  }
}

function newestSample(row: string | null | undefined): Micros {
  if (row == null) return -Infinity;
  const [, , newest] = readJson<LogRow>(row);
  return newest ?? -Infinity;
}

function isSameBeat(a: Beat, b: Beat | undefined): boolean {
  return b !== undefined && a[1] === b[1] && a[2] === b[2];
}

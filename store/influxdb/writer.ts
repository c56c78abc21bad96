import { randomUUID } from 'node:crypto';
import { MINUTE, RecordedAtClock, StoreUnavailable } from '@nephometer/core';
import type { Clock, Logger, Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { readJson } from './key-index.ts';
import { lineOf, stringField } from './line.ts';
import { select, tagEquals } from './query.ts';
import { encodeText } from './text.ts';

/** Where the claims stand: one point a writer, overwritten by each claim. */
const CLAIMS_AT: Micros = 7_258_118_400_000_000;
/** A writer that has not written for so long may have died without a word. */
const STALE: Micros = MINUTE;
const MOST_ATTEMPTS = 10;

/** What a claim says: `[writer, instance, count, at, released]`. */
type Claim = readonly [writer: string, instance: string, count: number, at: Micros, isReleased: boolean];

/** Another process writes under our name: what we were doing is to be done again under another one. */
class ClaimLost extends Error {}

/** Proof that this process, and no other, writes under this name now. */
export interface WriterSession {
  readonly writer: string;
  /** The next `recorded_at`: later than all before. */
  stamp(): Micros;
  /** To be called after points were written and before what makes them visible. Returns whether other writers were active. */
  confirm(): Promise<boolean>;
}

/**
 * The name under which this process writes. Points of two writers never meet, since the name is a tag; under one name
 * one process writes at a time. A process takes `NAME`, or `NAME~2`, `NAME~3` while others hold those before. Two that
 * take the same name at once notice: each claims before it looks what is there, and checks the claim after it has
 * written, so that at least one of two that overlap sees the other's claim, and starts again under another name.
 */
export class Writer {
  readonly #client: InfluxClient;
  readonly #base: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #instance = randomUUID();
  readonly stamps: RecordedAtClock;
  #name: string | null = null;
  #count = 0;
  #claimedAt: Micros = -Infinity;
  #last: Micros = -Infinity;
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

  /** Lets another process take the name at once. */
  async release(): Promise<void> {
    await this.#queue;
    if (this.#name === null) return;
    const claims = await this.#claims();
    if (claims.get(this.#name)?.[1] === this.#instance) await this.#writeClaim(this.#name, true);
    this.#name = null;
  }

  async #attempt<T>(work: (session: WriterSession) => Promise<T>): Promise<T> {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const { name, claims } = await this.#claim();
      try {
        return await work({ writer: name, stamp: () => this.#stamp(), confirm: () => this.#confirm(name, claims) });
      } catch (cause) {
        if (!(cause instanceof ClaimLost)) throw cause;
        this.#name = null;
        this.#log.warn({ writer: name, attempt }, 'Another process writes under this name; taking another one.');
      }
    }
    throw new StoreUnavailable(
      `Found other processes writing under every name that was tried from "${this.#base}" on; ` +
        'a store.writer of its own for each collector would be right.',
    );
  }

  #stamp(): Micros {
    // The clock may have been set back since a process before us wrote under this name.
    this.#last = Math.max(this.stamps.next(), this.#last + 1);
    return this.#last;
  }

  async #claim(): Promise<{ name: string; claims: Map<string, Claim> }> {
    const isIdle = this.#clock.now() - this.#claimedAt > STALE / 2;
    if (this.#name === null || isIdle) {
      const claims = await this.#claims();
      const name = this.#choose(claims);
      if (name !== this.#name) this.#last = Math.max(this.#last, await this.#lastStamp(name));
      this.#name = name;
    }
    const name = this.#name;
    await this.#writeClaim(name, false);
    return { name, claims: await this.#claims() };
  }

  #choose(claims: ReadonlyMap<string, Claim>): string {
    for (let n = 1; ; n++) {
      const name = n === 1 ? this.#base : `${this.#base}~${n}`;
      const claim = claims.get(name);
      if (claim === undefined) return name;
      const [, instance, , at, isReleased] = claim;
      if (isReleased || instance === this.#instance || at < this.#clock.now() - STALE) return name;
    }
  }

  async #claims(): Promise<Map<string, Claim>> {
    const span = { from: CLAIMS_AT, to: CLAIMS_AT };
    const rows = await select(this.#client, { fields: 'row', measurement: 'writer', span });
    const claims = rows.map(({ values }) => readJson<Claim>(values[0]));
    return new Map(claims.map((claim) => [claim[0], claim]));
  }

  async #writeClaim(name: string, isReleased: boolean): Promise<void> {
    const now = this.#clock.now();
    const claim: Claim = [name, this.#instance, ++this.#count, now, isReleased];
    const fields = { row: stringField(JSON.stringify(claim)) };
    await this.#client.write([
      lineOf({ measurement: 'writer', tags: { writer: name }, fields, at: CLAIMS_AT, place: 0 }),
    ]);
    this.#claimedAt = now;
  }

  /** The newest `recorded_at` that was given under this name. */
  async #lastStamp(name: string): Promise<Micros> {
    let last = -Infinity;
    for (const measurement of ['ledger_log', 'entry']) {
      const where = [tagEquals('writer', name)];
      const [row] = await select(this.#client, { fields: 'row', measurement, where, order: 'newest', limit: 1 });
      if (row !== undefined) last = Math.max(last, row.at);
    }
    return last;
  }

  async #confirm(name: string, before: ReadonlyMap<string, Claim>): Promise<boolean> {
    const after = await this.#claims();
    if (after.get(name)?.[1] !== this.#instance) throw new ClaimLost();
    return [...after].some(([other, claim]) => other !== name && !isSameClaim(claim, before.get(other)));
  }
}

function isSameClaim(a: Claim, b: Claim | undefined): boolean {
  return b !== undefined && a[1] === b[1] && a[2] === b[2];
}

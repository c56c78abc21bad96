import { conflictSpan, droppedSpans, QuarantinedMessage, seriesKey, usageSampleOf, voidOf } from '@nephometer/core';
import type { Arrival, Entry, LedgerRow, Micros, SignedHeader, Store, StoredSample, Touch } from '@nephometer/core';
import { AHEAD, quarantineEntries } from '../ledger-book.ts';

const ANY = { meter: null, resourceId: null, series: null, agentId: null } as const;
const MOST_KNOWN = 100_000;

/** What was recorded since a moment, as places where it may change what was folded before. */
export class TouchBook {
  readonly #store: Store;
  /** Of batches by digest the last tick or slot. */
  readonly #ends = new Map<string, Micros>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Of all that was recorded in (after, upTo]. @throws StoreUnavailable */
  async between(after: Micros, upTo: Micros): Promise<Touch[]> {
    if (upTo <= after) return [];
    const touches: Touch[] = [];
    for await (const page of this.#store.arrivals({ after, upTo })) for (const one of page) touches.push(arrived(one));
    for await (const row of this.#store.ledger({ after, upTo })) touches.push(...(await this.#ticked(row, upTo)));
    const range = { after, before: upTo + 1 };
    for await (const { body, recordedAt } of quarantineEntries(this.#store, range))
      touches.push(...refused(body, recordedAt));
    for (const entry of await this.#store.entries({ kind: 'void', ...range }))
      touches.push(...(await this.#voided(entry)));
    for (const entry of await this.#store.entries({ kind: 'resolution', ...range })) {
      touches.push(...(await this.#resolved(entry)));
    }
    touches.push(...(await this.#conflicts(after, upTo)));
    return compacted(touches);
  }

  /**
   * Ticks, drops, and the hole that the batch fills, or leaves: it starts behind the batch before it, and may reach up to
   * what was known when it came.
   */
  async #ticked({ digest, headerText, recordedAt }: LedgerRow, upTo: Micros): Promise<Touch[]> {
    if (headerText === null) return [];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- verified before it came into the ledger
    const header = JSON.parse(headerText) as SignedHeader;
    const { agent_id: agentId, cycles } = header;
    this.#keep(digest, endOf(header));
    const before = await this.#endBefore(header, upTo);
    const first = Math.min(header.created, ...slotsOf(header), before ?? Infinity);
    const base = { ...ANY, kind: 'watch', agentId, recordedAt } as const;
    const spans = cycles.flatMap((report) => droppedSpans({ agentId, recordedAt, report }));
    return [{ ...base, from: first, to: recordedAt + AHEAD }, ...spans.map(({ from, to }) => ({ ...base, from, to }))];
  }

  /** The last tick of the batch before, of the same epoch; null where none was recorded by then. */
  async #endBefore({ agent_id: agentId, epoch, seq, previous }: SignedHeader, upTo: Micros): Promise<Micros | null> {
    const known = previous === null ? undefined : this.#ends.get(previous);
    if (known !== undefined) return known;
    if (seq <= 1) return null;
    if (previous !== null) {
      const [end] = await this.#endsOf({ digest: previous, upTo });
      if (end !== undefined) return end.at;
    }
    let newest: { readonly seq: number; readonly at: Micros } | null = null;
    for (const end of await this.#endsOf({ agentId, epoch, upTo })) {
      if (end.seq < seq && (newest === null || newest.seq < end.seq)) newest = end;
    }
    return newest?.at ?? null;
  }

  async #endsOf(query: Parameters<Store['ledger']>[0]): Promise<{ readonly seq: number; readonly at: Micros }[]> {
    const ends: { seq: number; at: Micros }[] = [];
    for await (const { digest, headerText, seq } of this.#store.ledger(query)) {
      if (headerText === null || seq === null) continue;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
      const at = endOf(JSON.parse(headerText) as SignedHeader);
      this.#keep(digest, at);
      ends.push({ seq, at });
    }
    return ends;
  }

  #keep(digest: string, end: Micros): void {
    if (this.#ends.size >= MOST_KNOWN) this.#ends.clear();
    this.#ends.set(digest, end);
  }

  /** What a void names; of a single message where it is. */
  async #voided(entry: Entry): Promise<Touch[]> {
    const made = voidOf(entry);
    if (made === null) return [];
    const { messageId, meter = null, resourceId = null, from = -Infinity, to = Infinity, recordedAt } = made;
    if (messageId === undefined) return [{ ...ANY, kind: 'loss', meter, resourceId, from, to, recordedAt }];
    const touches: Touch[] = [];
    for await (const sample of this.#store.samples({ messageId, asOf: recordedAt - 1 })) {
      touches.push(lost(sample, recordedAt));
    }
    return touches;
  }

  /** All versions that were in conflict before any of the decisions about it. */
  async #resolved({ id, recordedAt }: Entry): Promise<Touch[]> {
    const touches: Touch[] = [];
    for (const decision of await this.#store.entries({ kind: 'resolution', id, before: recordedAt + 1 })) {
      const asOf = decision.recordedAt - 1;
      for await (const version of this.#store.conflicts({ messageId: id, asOf }))
        touches.push(lost(version, recordedAt));
    }
    return touches;
  }

  /** Of message ids of which a version came, all versions. */
  async #conflicts(after: Micros, upTo: Micros): Promise<Touch[]> {
    const byId = new Map<string, StoredSample[]>();
    for await (const version of this.#store.conflicts({ asOf: upTo })) {
      const versions = byId.get(version.messageId);
      if (versions === undefined) byId.set(version.messageId, [version]);
      else versions.push(version);
    }
    return [...byId.values()].flatMap((versions) => {
      const newest = Math.max(...versions.map(({ recordedAt }) => recordedAt));
      return newest <= after ? [] : versions.map((version) => lost(version, newest));
    });
  }
}

function arrived({ series, agentId, recordedAt, first, last }: Arrival): Touch {
  if (series === null) return { ...ANY, kind: 'any', recordedAt, from: -Infinity, to: Infinity };
  const { meter, resourceId } = series;
  return { kind: 'sample', meter, resourceId, series: seriesKey(series), agentId, recordedAt, from: first, to: last };
}

function lost(sample: StoredSample, recordedAt: Micros): Touch {
  const { meter, resourceId, agentId } = sample;
  const { from, to } = conflictSpan(usageSampleOf(sample));
  return { kind: 'loss', meter, resourceId, series: seriesKey(sample), agentId, recordedAt, from, to };
}

function refused(body: string, recordedAt: Micros): Touch[] {
  const read = QuarantinedMessage.safeParse(JSON.parse(body));
  if (!read.success || read.data.from === null) return [];
  const { from, to, agent_id: agentId } = read.data;
  return [{ ...ANY, kind: 'refused', agentId, recordedAt, from, to: Math.max(from, to ?? from) }];
}

function slotsOf({ runs, cycles }: SignedHeader): Micros[] {
  return [...runs.flatMap(({ slot }) => (slot === null ? [] : [slot])), ...cycles.map(({ scheduled }) => scheduled)];
}

function endOf(header: SignedHeader): Micros {
  const slots = slotsOf(header);
  return slots.length === 0 ? header.created : Math.max(...slots);
}

/** Touches of one kind and series that overlap, or nearly, are one: an agent that is well says one thing a minute. */
function compacted(touches: readonly Touch[]): Touch[] {
  const keyOf = ({ kind, meter, resourceId, series, agentId }: Touch): string =>
    JSON.stringify([kind, meter, resourceId, series, agentId]);
  const byKey = new Map<string, Touch[]>();
  for (const touch of touches) {
    const key = keyOf(touch);
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, [touch]);
    else known.push(touch);
  }
  return [...byKey.values()].flatMap((same) => {
    const merged: Touch[] = [];
    for (const touch of same.sort((a, b) => a.from - b.from)) {
      const last = merged.at(-1);
      if (last === undefined || touch.from > last.to + AHEAD) merged.push(touch);
      else
        merged[merged.length - 1] = {
          ...last,
          to: Math.max(last.to, touch.to),
          recordedAt: Math.max(last.recordedAt, touch.recordedAt),
        };
    }
    return merged;
  });
}

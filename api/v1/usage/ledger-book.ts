import {
  droppedSpans,
  HOUR,
  missingBatches,
  QuarantinedMessage,
  quarantinedSpan,
  REACH,
  sealedBatch,
} from '@nephometer/core';
import type {
  AgentCycle,
  Clock,
  CycleReport,
  Entry,
  LedgerRow,
  LostSpan,
  Micros,
  SealedBatch,
  SignedHeader,
  Store,
} from '@nephometer/core';
import { RecordedChunks } from './chunks.ts';

/** What one batch header says of its place in its epoch, and of ticks. */
interface SealedCycles extends SealedBatch {
  readonly cycles: readonly CycleReport[];
}

interface Refused {
  readonly recordedAt: Micros;
  readonly id: string;
  /** Without its bytes. */
  readonly message: QuarantinedMessage;
}

const MOST_BATCHES = 500_000;
const MOST_REFUSED = 100_000;
/** Refused messages hold their bytes: few are read at a time. */
const QUARANTINE_PAGE = 16;
/** A clock of an agent may be ahead of ours by less than this. */
export const AHEAD: Micros = HOUR;

/** What was tried and what was lost, read from ledger and quarantine. */
export interface Tried {
  readonly cycles: readonly AgentCycle[];
  readonly lost: readonly LostSpan[];
}

export interface TriedByQuery {
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
  readonly kept: Micros;
}

/** The ledger and the quarantine by time of recording, parsed once. */
export class LedgerBook {
  readonly #batches: RecordedChunks<SealedCycles>;
  readonly #refused: RecordedChunks<Refused>;
  readonly #shared = new Map<string, string[]>();
  readonly #store: Store;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    const now = (): Micros => clock.now();
    const first = firstRow(store);
    this.#batches = new RecordedChunks((from, to) => this.#readBatches(store, from, to), first, now, MOST_BATCHES);
    this.#refused = new RecordedChunks((from, to) => readRefused(store, from, to), first, now, MOST_REFUSED);
  }

  /** Ticks that fell due in [from, to), and spans of readings that are lost, as of a moment. */
  async tried(from: Micros, to: Micros, asOf: Micros): Promise<Tried> {
    const batches = await this.#batches.within(from - REACH - AHEAD, asOf);
    return triedIn(batches, await this.#refused.within(from - AHEAD, asOf), from, to);
  }

  /** As `tried`, of one agent only. @param kept from when on the batches of all agents are read anyway */
  async triedBy(agentId: string, { from, to, asOf, kept }: TriedByQuery): Promise<Tried> {
    const [start, border] = [from - REACH - AHEAD, kept - REACH - AHEAD];
    const earlier = start < border ? await this.#ofAgent(agentId, start, Math.min(border, asOf + 1)) : [];
    const later = (await this.#batches.within(border, asOf)).filter((batch) => batch.agentId === agentId);
    const batches = [...earlier, ...later];
    const refused = await this.#refused.within(from - AHEAD, asOf);
    return triedIn(
      batches,
      refused.filter(({ message }) => message.agent_id === agentId),
      from,
      to,
    );
  }

  /** Recorded in [from, to). */
  async #ofAgent(agentId: string, from: Micros, to: Micros): Promise<SealedCycles[]> {
    const batches: SealedCycles[] = [];
    for await (const row of this.#store.ledger({ agentId, after: from - 1, upTo: to - 1 })) {
      const batch = this.#sealedBatch(row);
      if (batch !== null) batches.push(batch);
    }
    return batches;
  }

  async #readBatches(store: Store, from: Micros, to: Micros): Promise<SealedCycles[]> {
    const batches: SealedCycles[] = [];
    for await (const row of store.ledger({ after: from - 1, upTo: to - 1 })) {
      const batch = this.#sealedBatch(row);
      if (batch !== null) batches.push(batch);
    }
    return batches;
  }

  #sealedBatch({ headerText, recordedAt }: LedgerRow): SealedCycles | null {
    if (headerText === null) return null;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- verified before it came into the ledger
    const header = JSON.parse(headerText) as SignedHeader;
    return { ...sealedBatch(header, recordedAt), cycles: header.cycles.map((report) => this.#compact(report)) };
  }

  /** Reports resemble each other: what says nothing is left out, and lists of meters are shared. */
  #compact(report: CycleReport): CycleReport {
    const key = report.meters.join('\n');
    let meters = this.#shared.get(key);
    if (meters === undefined) this.#shared.set(key, (meters = report.meters));
    const pollsters = report.pollsters.filter(({ error, failed }) => error !== null || failed.length > 0);
    return { ...report, meters, pollsters: pollsters.length === 0 ? NONE : pollsters };
  }
}

function triedIn(batches: readonly SealedCycles[], refused: readonly Refused[], from: Micros, to: Micros): Tried {
  const cycles = batches.flatMap(({ agentId, recordedAt, cycles }) =>
    cycles
      .filter(({ scheduled }) => scheduled >= from && scheduled < to && scheduled <= recordedAt + AHEAD)
      .map((report) => ({ agentId, recordedAt, report })),
  );
  const lost = [...missingBatches(batches), ...refusedSpans(refused), ...batches.flatMap(dropped)]
    // What says more than it can know would bear on some questions and not on others, by when they start.
    .map((span) => ({ ...span, to: Math.min(span.to, span.recordedAt + AHEAD) }))
    .filter((span) => span.from <= span.to && span.from < to && span.to >= from);
  return { cycles, lost };
}

/** When the ledger begins; asked once there is something in it. */
function firstRow(store: Store): () => Promise<Micros> {
  let first = Infinity;
  return async () => {
    if (first === Infinity) for await (const { recordedAt } of store.ledger({ limit: 1 })) first = recordedAt;
    return first;
  };
}

const NONE: CycleReport['pollsters'] = [];

function dropped({ agentId, recordedAt, cycles }: SealedCycles): LostSpan[] {
  return cycles.flatMap((report) => droppedSpans({ agentId, recordedAt, report }));
}

async function readRefused(store: Store, from: Micros, to: Micros): Promise<Refused[]> {
  const refused: Refused[] = [];
  for await (const { id, recordedAt, body } of quarantineEntries(store, { after: from - 1, before: to })) {
    const read = QuarantinedMessage.safeParse(JSON.parse(body));
    if (read.success) refused.push({ id, recordedAt, message: { ...read.data, bytes: '' } });
  }
  return refused;
}

/** Entries recorded in (after, before), newest first, few at a time. */
export async function* quarantineEntries(
  store: Store,
  { after, before }: { readonly after: Micros; readonly before: Micros },
): AsyncGenerator<Entry> {
  for (let end = before; ;) {
    const entries = await store.entries({ kind: 'quarantine', after, before: end, limit: QUARANTINE_PAGE });
    yield* entries;
    const last = entries.at(-1);
    if (last === undefined || entries.length < QUARANTINE_PAGE) return;
    end = last.recordedAt;
  }
}

/** The newest entry of an id tells its state. */
function refusedSpans(refused: readonly Refused[]): LostSpan[] {
  const newest = new Map<string, Refused>();
  for (const one of refused) {
    const known = newest.get(one.id);
    if (known === undefined || known.recordedAt < one.recordedAt) newest.set(one.id, one);
  }
  return [...newest.values()].flatMap(({ message, recordedAt }) => quarantinedSpan(message, recordedAt) ?? []);
}

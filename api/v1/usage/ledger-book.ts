import { droppedSpans, HOUR, QuarantinedMessage, quarantinedSpan, compareText, REACH } from '@nephometer/core';
import type {
  AgentCycle,
  Clock,
  CycleReport,
  Entry,
  LedgerRow,
  LostSpan,
  Micros,
  SignedHeader,
  Store,
} from '@nephometer/core';
import { RecordedChunks } from './chunks.ts';

/** What one batch header says of ticks and of its place in its epoch. */
interface SealedBatch {
  readonly recordedAt: Micros;
  readonly agentId: string;
  readonly epoch: string;
  readonly seq: number;
  /** The slots it can hold: from its earliest tick or sealing to its last. */
  readonly first: Micros;
  readonly last: Micros;
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

/** The ledger and the quarantine by time of recording, parsed once. */
export class LedgerBook {
  readonly #batches: RecordedChunks<SealedBatch>;
  readonly #refused: RecordedChunks<Refused>;
  readonly #shared = new Map<string, string[]>();

  constructor(store: Store, clock: Clock) {
    const now = (): Micros => clock.now();
    this.#batches = new RecordedChunks((from, to) => this.#readBatches(store, from, to), now, MOST_BATCHES);
    this.#refused = new RecordedChunks((from, to) => readRefused(store, from, to), now, MOST_REFUSED);
  }

  /** Ticks that fell due in [from, to), and spans of readings that are lost, as of a moment. */
  async tried(from: Micros, to: Micros, asOf: Micros): Promise<Tried> {
    const batches = await this.#batches.within(from - REACH - AHEAD, asOf);
    const refused = await this.#refused.within(from - AHEAD, asOf);
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

  async #readBatches(store: Store, from: Micros, to: Micros): Promise<SealedBatch[]> {
    const batches: SealedBatch[] = [];
    for await (const row of store.ledger({ after: from - 1, upTo: to - 1 })) {
      const batch = this.#sealedBatch(row);
      if (batch !== null) batches.push(batch);
    }
    return batches;
  }

  #sealedBatch({ headerText, recordedAt }: LedgerRow): SealedBatch | null {
    if (headerText === null) return null;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- verified before it came into the ledger
    const header = JSON.parse(headerText) as SignedHeader;
    const slots = header.runs.flatMap(({ slot }) => (slot === null ? [] : [slot]));
    slots.push(...header.cycles.map(({ scheduled }) => scheduled));
    return {
      recordedAt,
      agentId: header.agent_id,
      epoch: header.epoch,
      seq: header.seq,
      first: Math.min(header.created, ...slots),
      last: slots.length === 0 ? header.created : Math.max(...slots),
      cycles: header.cycles.map((report) => this.#compact(report)),
    };
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

const NONE: CycleReport['pollsters'] = [];

function dropped({ agentId, recordedAt, cycles }: SealedBatch): LostSpan[] {
  return cycles.flatMap((report) => droppedSpans({ agentId, recordedAt, report }));
}

/** Where numbers are missing within an epoch, readings of the time between the batches around them may be in those. */
function missingBatches(batches: readonly SealedBatch[]): LostSpan[] {
  const inOrder = batches.toSorted(
    (a, b) => compareText(a.agentId, b.agentId) || compareText(a.epoch, b.epoch) || a.seq - b.seq,
  );
  return inOrder.flatMap((batch, i): LostSpan[] => {
    const before = inOrder[i - 1];
    const isNext = before !== undefined && before.agentId === batch.agentId && before.epoch === batch.epoch;
    if (!isNext || before.seq + 1 >= batch.seq) return [];
    const to = Math.max(before.last, batch.first);
    // Further apart than readings are joined: whether it is seen would depend on where the question starts.
    if (before.recordedAt < to - REACH) return [];
    const any = { source: null, meter: null, resourceId: null };
    const { agentId, recordedAt } = batch;
    return [{ ...any, reason: 'not-yet-arrived', agentId, from: before.last, to, recordedAt }];
  });
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

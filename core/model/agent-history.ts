import type { LedgerRow } from '../ports/store.ts';
import { DAY, HOUR } from '../time.ts';
import type { Micros } from '../time.ts';
import { countOf, RangeSet } from './ranges.ts';
import type { Range } from './ranges.ts';

/**
 * | state        | when                                                                    |
 * |--------------|-------------------------------------------------------------------------|
 * | `cloned`     | two epochs of the agent were seen at work side by side within the hour  |
 * | `never-seen` | it is expected, and the ledger has no batch of it                       |
 * | `silent`     | no batch was recorded for 5 of its intervals and the margin             |
 * | `late`       | the same for 2                                                          |
 * | `ok`         | otherwise; also what never polls, and so has nothing to be late with    |
 */
export const AGENT_STATES = ['ok', 'late', 'silent', 'never-seen', 'cloned'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

/** One run of an agent, as the ledger has it. */
export interface EpochStatus {
  readonly epoch: string;
  readonly firstRecordedAt: Micros;
  readonly lastRecordedAt: Micros;
  /** When its newest batch was sealed, by the agent's clock. */
  readonly lastCreated: Micros;
  readonly lastSeq: number;
  /** Sequence numbers below that which the ledger has not. */
  readonly missing: readonly Range[];
}

const LATE_AFTER = 2;
const SILENT_AFTER = 5;
/** Taken for the interval of an agent that polls by cron expressions alone. */
const CRON_INTERVAL: Micros = DAY / 2;
const CLONED_FOR: Micros = HOUR;
/** A restart may leave one late batch of the epoch before; a second one shows that it goes on. */
const PROOFS_OF_CLONE = 2;
/** Epochs remembered: of those that are whole, and of those in which something is missing. */
const MOST_WHOLE_EPOCHS = 20;
const MOST_EPOCHS = 200;
const MOST_PAST = 10_000;
/** Batches that the clock's skew is judged by. */
const RECENT = 20;

interface Epoch {
  readonly epoch: string;
  readonly seqs: RangeSet;
  firstRecordedAt: Micros;
  lastRecordedAt: Micros;
  lastCreated: Micros;
  /** The first number that counts: earlier ones were recorded before we began to look. */
  readonly from: number;
}

/** What the ledger tells of one agent, row by row. */
export class AgentHistory {
  readonly agentId: string;
  readonly #epochs = new Map<string, Epoch>();
  /** Ids of epochs that were forgotten: a late batch of one must not make it look new, and full of gaps. */
  readonly #past = new Set<string>();
  readonly #intervals = new Map<string, Micros>();
  /** `recorded_at` less `created` of the newest batches. */
  readonly #delays: number[] = [];
  readonly keys = new Map<string, Micros>();
  #reports = 0;
  #newest: { row: LedgerRow; created: Micros } | null = null;
  #mostAhead = 0;
  #proofs = 0;
  clonedAt: Micros | null = null;
  batches = 0;
  samples = 0;

  constructor(agentId: string) {
    this.agentId = agentId;
  }

  /** Rows come in order of `recorded_at`, nearly; each once. `seen`: the moment from which on the ledger is read. */
  add(row: LedgerRow, header: RowHeader, seen: Micros): void {
    const { recordedAt } = row;
    this.batches += 1;
    this.samples += row.samples;
    if (row.keyId !== null) this.keys.set(row.keyId, Math.max(recordedAt, this.keys.get(row.keyId) ?? recordedAt));
    this.#delays.push(recordedAt - header.created);
    if (this.#delays.length > RECENT) this.#delays.shift();
    this.#mostAhead = Math.min(this.#mostAhead, recordedAt - header.created);
    this.#addToEpoch(row, header, seen);
    if (this.#newest === null || recordedAt >= this.#newest.row.recordedAt) this.#take(row, header);
  }

  #take(row: LedgerRow, { created, cycles }: RowHeader): void {
    if (row.epoch !== this.#newest?.row.epoch) this.#intervals.clear();
    this.#newest = { row, created };
    for (const { source, interval } of cycles) {
      this.#reports += 1;
      if (interval !== null) this.#intervals.set(source, interval);
    }
  }

  #addToEpoch({ epoch: id, seq, recordedAt }: LedgerRow, header: RowHeader, seen: Micros): void {
    if (id === null || seq === null) return;
    const { created } = header;
    if (this.#past.has(id)) return;
    let epoch = this.#epochs.get(id);
    if (epoch === undefined) {
      const beganBefore = header.previous !== null && recordedAt < seen + HOUR;
      const times = { firstRecordedAt: recordedAt, lastRecordedAt: recordedAt, lastCreated: created };
      epoch = { epoch: id, seqs: new RangeSet(), ...times, from: beganBefore ? seq : 1 };
      this.#epochs.set(id, epoch);
      this.#forgetOldest(id);
    }
    epoch.seqs.add(seq);
    epoch.firstRecordedAt = Math.min(epoch.firstRecordedAt, recordedAt);
    epoch.lastRecordedAt = Math.max(epoch.lastRecordedAt, recordedAt);
    epoch.lastCreated = Math.max(epoch.lastCreated, created);
    this.#lookForClone(epoch, created, recordedAt);
  }

  /**
   * An epoch that seals a batch after a later epoch was heard of still runs beside it. The clocks of two machines differ:
   * `created` is set right by the most that a clock of this agent was ever ahead.
   */
  #lookForClone(epoch: Epoch, created: Micros, recordedAt: Micros): void {
    const sealed = created + this.#mostAhead;
    const isOutlived = [...this.#epochs.values()].some(
      (other) => other.firstRecordedAt > epoch.firstRecordedAt && other.firstRecordedAt < sealed,
    );
    if (!isOutlived) return;
    this.#proofs += 1;
    if (this.#proofs >= PROOFS_OF_CLONE) this.clonedAt = recordedAt;
  }

  /** Those in which nothing is missing go first: a gap must not vanish because its agent starts often. */
  #forgetOldest(except: string): void {
    if (this.#epochs.size <= MOST_WHOLE_EPOCHS) return;
    const others = [...this.#epochs.values()].filter(({ epoch }) => epoch !== except);
    const oldestFirst = others.sort((a, b) => a.lastRecordedAt - b.lastRecordedAt);
    const whole = oldestFirst.filter((epoch) => countOf(missingIn(epoch)) === 0);
    const [oldest] =
      whole.length > MOST_WHOLE_EPOCHS || this.#epochs.size > MOST_EPOCHS ? whole.concat(oldestFirst) : [];
    if (oldest === undefined) return;
    this.#epochs.delete(oldest.epoch);
    if (this.#past.size >= MOST_PAST) this.#past.clear();
    this.#past.add(oldest.epoch);
  }

  /** Sequence numbers of all its epochs that the ledger has not. */
  get missing(): number {
    let sum = 0;
    for (const epoch of this.#epochs.values()) sum += countOf(missingIn(epoch));
    return sum;
  }

  /** The newest batch: of the ledger, not of the agent. */
  get newest(): LedgerRow | null {
    return this.#newest?.row ?? null;
  }

  /** Time between two polls of its quickest source; null when it has none on an interval. */
  get interval(): Micros | null {
    return this.#intervals.size === 0 ? null : Math.min(...this.#intervals.values());
  }

  /** From sealing to the ledger, of the newest batch. */
  get lag(): Micros | null {
    return this.#newest === null ? null : this.#newest.row.recordedAt - this.#newest.created;
  }

  /** How far its clock is ahead of the ledger's, judged by the batch that came fastest; negative: behind, or slow ways. */
  get clockSkew(): Micros | null {
    return this.#delays.length === 0 ? null : -Math.min(...this.#delays);
  }

  /** Newest first. */
  epochs(): EpochStatus[] {
    return [...this.#epochs.values()]
      .sort((a, b) => b.firstRecordedAt - a.firstRecordedAt)
      .map((one) => {
        const { epoch, firstRecordedAt, lastRecordedAt, lastCreated, seqs } = one;
        const missing = missingIn(one);
        return { epoch, firstRecordedAt, lastRecordedAt, lastCreated, lastSeq: seqs.last ?? 0, missing };
      });
  }

  /** Longest that it may say nothing before it is called silent; null when it need not say anything. */
  silentAfter(margin: Micros): Micros | null {
    if (this.#reports === 0) return null;
    return SILENT_AFTER * (this.interval ?? CRON_INTERVAL) + margin;
  }

  state(now: Micros, margin: Micros): AgentState {
    if (this.clonedAt !== null && now - this.clonedAt < CLONED_FOR) return 'cloned';
    const silent = this.silentAfter(margin);
    if (this.#newest === null || silent === null) return 'ok';
    const quiet = now - this.#newest.row.recordedAt;
    if (quiet > silent) return 'silent';
    return quiet > LATE_AFTER * (this.interval ?? CRON_INTERVAL) + margin ? 'late' : 'ok';
  }
}

function missingIn({ seqs, from }: Epoch): readonly Range[] {
  return seqs.missingFrom(Math.min(from, seqs.first ?? from));
}

/** What of a batch header is looked at here. */
export interface RowHeader {
  readonly created: Micros;
  readonly previous: string | null;
  readonly cycles: readonly { readonly source: string; readonly interval: Micros | null }[];
}

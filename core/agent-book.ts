import { AgentHistory } from './model/agent-history.ts';
import type { AgentState, RowHeader } from './model/agent-history.ts';
import { QuarantinedMessage } from './model/quarantine.ts';
import type { Clock } from './ports/clock.ts';
import type { LedgerRow, Store } from './ports/store.ts';
import { DAY, MINUTE } from './time.ts';
import type { Micros } from './time.ts';

export interface AgentBookOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Agents that must be heard. */
  readonly expected: readonly string[];
  /** Added to the intervals after which an agent is late, and silent. */
  readonly margin: Micros;
  /** How far back the ledger is read at first. */
  readonly lookback: Micros;
}

/** One agent as it stands. */
export interface AgentStatus {
  readonly agentId: string;
  readonly state: AgentState;
  readonly isExpected: boolean;
  /** Refused messages that name it. */
  readonly quarantined: number;
  /** Null when it was never seen. */
  readonly history: AgentHistory | null;
}

/** What is known is at most so old. */
const CACHE: Micros = 1_000_000;
/** Another collector's row may show up that long after its `recorded_at`: twice the commit horizon. */
const OVERLAP: Micros = MINUTE;
/** Refused messages hold their bytes: few are read at a time, and at first no more than these. */
const QUARANTINE_PAGE = 16;
const MOST_AT_FIRST = 500;
/** Collectors and API servers sign as agents of their own, each process under a new id. */
const OWN_PROCESS = 'collector.';
const OWN_FORGOTTEN: Micros = DAY;
/** A forger may name a new agent in each message. */
const MOST_NAMED = 10_000;

/**
 * What the ledger says of every agent, followed row by row: a question costs what was recorded since the one before.
 * All that is here is computed from the store, so that every process comes to the same.
 */
export class AgentBook {
  readonly #options: AgentBookOptions;
  readonly #agents = new Map<string, AgentHistory>();
  /** Ids of agents that were forgotten: what they send next may be the middle of an epoch. */
  readonly #forgotten = new Set<string>();
  /** Digests of what was recorded within the overlap, with when. */
  readonly #recent = new Map<string, Micros>();
  /** By agent and by id of the entry: how many messages it stands for. */
  readonly #quarantined = new Map<string, Map<string, number>>();
  #from: Micros | null = null;
  #followed: Micros = -Infinity;
  #quarantineSeen: Micros | null = null;
  #at: Micros | null = null;
  #following: Promise<void> | null = null;

  constructor(options: AgentBookOptions) {
    this.#options = options;
  }

  /** By agent id. @throws StoreUnavailable */
  async list(): Promise<AgentStatus[]> {
    await this.follow();
    const { clock, expected, margin } = this.#options;
    const now = clock.now();
    this.#forget(now);
    const ids = [...new Set([...expected, ...this.#agents.keys()])].sort();
    return ids.map((agentId) => {
      const history = this.#agents.get(agentId) ?? null;
      const state = history === null ? 'never-seen' : history.state(now, margin);
      const quarantined = sumOf(this.#quarantined.get(agentId)?.values() ?? []);
      return { agentId, state, isExpected: expected.includes(agentId), quarantined, history };
    });
  }

  /** Reads what was recorded since. @throws StoreUnavailable */
  async follow(): Promise<void> {
    const { clock } = this.#options;
    if (this.#at !== null && clock.monotonic() - this.#at < CACHE) return;
    this.#following ??= this.#follow().finally(() => (this.#following = null));
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { store, clock, lookback } = this.#options;
    const asked = clock.monotonic();
    this.#from ??= clock.now() - lookback;
    const after = Math.max(this.#from, this.#followed - OVERLAP);
    for await (const row of store.ledger({ after })) this.#add(row, this.#from);
    for (const [digest, at] of this.#recent) if (at < this.#followed - 2 * OVERLAP) this.#recent.delete(digest);
    await this.#followQuarantine(this.#from);
    this.#at = asked;
  }

  /** Who was not heard for the lookback, and processes of ours that ended with nothing missing. */
  #forget(now: Micros): void {
    const { expected, lookback } = this.#options;
    for (const [agentId, history] of this.#agents) {
      if (expected.includes(agentId)) continue;
      const quiet = now - (history.newest?.recordedAt ?? -Infinity);
      const isDone = agentId.startsWith(OWN_PROCESS) && quiet > OWN_FORGOTTEN && history.missing === 0;
      if (quiet <= lookback && !isDone) continue;
      this.#agents.delete(agentId);
      this.#quarantined.delete(agentId);
      if (this.#forgotten.size < MOST_NAMED) this.#forgotten.add(agentId);
    }
  }

  #add(row: LedgerRow, from: Micros): void {
    this.#followed = Math.max(this.#followed, row.recordedAt);
    if (row.agentId === null || row.headerText === null || this.#recent.has(row.digest)) return;
    this.#recent.set(row.digest, row.recordedAt);
    let history = this.#agents.get(row.agentId);
    if (history === undefined) this.#agents.set(row.agentId, (history = new AgentHistory(row.agentId)));
    const seen = this.#forgotten.delete(row.agentId) ? row.recordedAt : from;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- verified before it came into the ledger
    history.add(row, JSON.parse(row.headerText) as RowHeader, seen);
  }

  /** From the newest back to what was seen already. */
  async #followQuarantine(from: Micros): Promise<void> {
    const { store } = this.#options;
    const after = Math.max(from, (this.#quarantineSeen ?? from) - OVERLAP);
    const most = this.#quarantineSeen === null ? MOST_AT_FIRST : Infinity;
    let newest = this.#quarantineSeen ?? from;
    let before: Micros | undefined;
    for (let read = 0; read < most; read += QUARANTINE_PAGE) {
      const range = before === undefined ? { after } : { after, before };
      const entries = await store.entries({ kind: 'quarantine', limit: QUARANTINE_PAGE, ...range });
      for (const { id, body, recordedAt } of entries) {
        newest = Math.max(newest, recordedAt);
        this.#countRefused(id, body);
      }
      before = entries.at(-1)?.recordedAt;
      if (before === undefined || entries.length < QUARANTINE_PAGE) break;
    }
    this.#quarantineSeen = newest;
  }

  #countRefused(id: string, body: string): void {
    const named = namedAgent(body);
    if (named === null) return;
    const { agentId, messages } = named;
    const ids = this.#quarantined.get(agentId) ?? new Map<string, number>();
    if (ids.size === 0 && this.#quarantined.size >= MOST_NAMED) return;
    this.#quarantined.set(agentId, ids.set(id, Math.max(messages, ids.get(id) ?? 0)));
  }
}

/** The agent that a refused message, or an entry that stands for many, names; and how many these are. */
function namedAgent(body: string): { agentId: string; messages: number } | null {
  try {
    const read = QuarantinedMessage.pick({ agent_id: true, messages: true }).loose().parse(JSON.parse(body));
    return read.agent_id === null ? null : { agentId: read.agent_id, messages: read.messages ?? 1 };
  } catch {
    return null;
  }
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

import { messageOf, MINUTE, NEPHOMETER_NAMESPACE, QuarantinedMessage, sha256, uuidv5 } from '@nephometer/core';
import type { Clock, Config, Logger, Micros, Refusal, RefusalReason, Store } from '@nephometer/core';
import type { CollectorMetrics } from './metrics.ts';
import { Allowance } from './quarantine-allowance.ts';
import { QuarantineTally } from './quarantine-tally.ts';
import { Turns } from './turns.ts';

/** A message that was refused, and what could be read of it. */
export interface RefusedMessage {
  readonly refusal: Refusal;
  readonly bytes: Uint8Array;
  readonly transport: 'bus' | 'http' | 'notification';
  /** Exchange and routing key, or who posted. */
  readonly sender: string;
  readonly agentId: string | null;
  readonly messageId: string | null;
  /** First and last slot or time of the samples in it. */
  readonly from: Micros | null;
  readonly to: Micros | null;
  readonly samples: number;
}

export interface QuarantineOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: CollectorMetrics;
  readonly config: Pick<Config, 'collector' | 'quarantine'>;
}

/** A forger may name a new agent in each message; more than these are counted together. */
const MOST_AGENTS = 1000;
const OTHERS = 'others';
/** Messages that are put into the store at a time: it takes those that wait together. */
const AT_A_TIME = 32;

/** Bytes. */
const OVERSIZED_KEPT = 64 * 1024;

/**
 * Refused messages, kept in the store with the reason. What is here may be acknowledged: it is not lost, or, of a sender
 * that has too much refused in one day, counted with its time and reason.
 */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #agents = new Set<string>();
  readonly #logged = new Map<string, { at: Micros; unsaid: number }>();
  readonly #allowance: Allowance;
  readonly #tally: QuarantineTally;
  readonly #puts = new Turns(AT_A_TIME);
  readonly #counts = new Turns(1);

  constructor(options: QuarantineOptions) {
    this.#options = options;
    const { clock, config, store } = options;
    const { max_per_sender: perOrigin, max_per_day: perDay } = config.quarantine;
    this.#allowance = new Allowance({ clock, perOrigin, perDay });
    this.#tally = new QuarantineTally(store);
  }

  /**
   * Durable when it resolves. The id is a function of bytes and reason, so that a message delivered again is not kept twice.
   * @throws StoreUnavailable
   */
  async put(message: RefusedMessage): Promise<void> {
    const id = idOf(message.bytes, message.refusal.reason);
    await this.#puts.run(id, () => this.#putOnce(id, message));
    this.#tell(message);
  }

  /**
   * Those of some bodies that are kept here for a reason, and were not let in again.
   * @throws StoreUnavailable
   */
  async kept(bodies: readonly Uint8Array[], reason: RefusalReason): Promise<ReadonlySet<Uint8Array>> {
    if (bodies.length === 0) return new Set();
    const ids = new Map(bodies.map((bytes) => [bytes, idOf(bytes, reason)]));
    const entries = await this.#options.store.entries({ kind: 'quarantine', ids: [...ids.values()] });
    const newest = new Map(entries.toReversed().map(({ id, body }) => [id, stateOf(body)]));
    return new Set(bodies.filter((bytes) => newest.get(ids.get(bytes) ?? '') === 'refused'));
  }

  async #putOnce(id: string, message: RefusedMessage): Promise<void> {
    const [newest] = await this.#options.store.entries({ kind: 'quarantine', id, limit: 1 });
    if (newest === undefined || stateOf(newest.body) !== 'refused') await this.#keep(id, message);
  }

  /** Writes down what was only counted so far. Never throws: the spans are there already, only numbers are behind. */
  async close(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await this.#counts.run('tally', () => this.#tally.flush(clock.now()));
    } catch (cause) {
      log.warn({ cause: messageOf(cause) }, 'How many messages were refused could not be written down to the last.');
    }
  }

  async #keep(id: string, message: RefusedMessage): Promise<void> {
    const { store, clock, metrics } = this.#options;
    const { sender, transport, refusal } = message;
    await this.#counts.run('tally', () => this.#tally.turnTo(this.#allowance.today()));
    const agent = this.#label(message.agentId);
    const read = this.#bodyOf(message);
    const body = JSON.stringify(read);
    if (this.#allowance.take(JSON.stringify([transport, sender, agent]), body.length)) {
      await store.appendEntry({ kind: 'quarantine', id, body });
      return;
    }
    metrics.unkept.add(1, { reason: refusal.reason, agent });
    const agent_id = agent === OTHERS ? null : message.agentId;
    const counted = { ...read, agent_id };
    await this.#counts.run('tally', () =>
      this.#tally.add({ day: this.#allowance.today(), message: counted }, clock.now()),
    );
  }

  #bodyOf({ refusal, bytes, ...rest }: RefusedMessage): QuarantinedMessage {
    return {
      reason: refusal.reason,
      detail: refusal.message,
      transport: rest.transport,
      sender: rest.sender,
      agent_id: rest.agentId,
      message_id: rest.messageId,
      from: rest.from,
      to: rest.to,
      samples: rest.samples,
      received: this.#options.clock.now(),
      size: bytes.length,
      bytes: Buffer.from(bytes.subarray(0, this.#kept(refusal))).toString('base64'),
      state: 'refused',
    };
  }

  /** One that is too large cannot be read again as a whole: its beginning shows what it was, at no price in memory. */
  #kept({ reason }: Refusal): number {
    const most = this.#options.config.collector.quarantine_max;
    return reason === 'oversized' ? Math.min(most, OVERSIZED_KEPT) : most;
  }

  /** Counts every one; logs one a minute for each reason and agent, with the number of those in between. */
  #tell({ refusal, agentId, sender }: RefusedMessage): void {
    const { clock, log, metrics } = this.#options;
    const agent = this.#label(agentId);
    metrics.quarantined.add(1, { reason: refusal.reason, agent });
    const key = `${refusal.reason} ${agent}`;
    const last = this.#logged.get(key);
    if (last !== undefined && clock.monotonic() - last.at < MINUTE) {
      last.unsaid += 1;
      return;
    }
    const fields = { reason: refusal.reason, agent, sender, detail: refusal.message, since: last?.unsaid ?? 0 };
    this.#logged.set(key, { at: clock.monotonic(), unsaid: 0 });
    log.warn(fields, 'A message was refused and is in quarantine.');
  }

  #label(agentId: string | null): string {
    if (agentId === null) return 'none';
    if (this.#agents.size < MOST_AGENTS) this.#agents.add(agentId);
    return this.#agents.has(agentId) ? agentId : OTHERS;
  }
}

function idOf(bytes: Uint8Array, reason: RefusalReason): string {
  return uuidv5(NEPHOMETER_NAMESPACE, sha256(bytes) + reason);
}

/** The state that an entry gives to its message; null when it is not one of ours. */
function stateOf(body: string): string | null {
  try {
    const parsed = QuarantinedMessage.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data.state : null;
  } catch {
    return null;
  }
}

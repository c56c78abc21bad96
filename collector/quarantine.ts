import { MINUTE, NEPHOMETER_NAMESPACE, QuarantinedMessage, sha256, uuidv5 } from '@nephometer/core';
import type { Clock, Logger, Micros, Refusal, Store } from '@nephometer/core';
import type { CollectorMetrics } from './metrics.ts';

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
  /** Bytes kept of one message. */
  readonly maxBytes: number;
}

/** A forger may name a new agent in each message; more than these are counted together. */
const MOST_AGENTS = 1000;

/** Refused messages, kept in the store with the reason. What is here may be acknowledged: it is not lost. */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #agents = new Set<string>();
  readonly #logged = new Map<string, { at: Micros; unsaid: number }>();

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /**
   * Durable when it resolves. The id is a function of bytes and reason, so that a message delivered again is not kept twice.
   * @throws StoreUnavailable
   */
  async put(message: RefusedMessage): Promise<void> {
    const { store } = this.#options;
    const id = uuidv5(NEPHOMETER_NAMESPACE, sha256(message.bytes) + message.refusal.reason);
    const [newest] = await store.entries({ kind: 'quarantine', id, limit: 1 });
    if (newest === undefined || stateOf(newest.body) !== 'refused') {
      await store.appendEntry({ kind: 'quarantine', id, body: JSON.stringify(this.#bodyOf(message)) });
    }
    this.#tell(message);
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
      bytes: Buffer.from(bytes.subarray(0, this.#options.maxBytes)).toString('base64'),
      state: 'refused',
    };
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
    return this.#agents.has(agentId) ? agentId : 'others';
  }
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

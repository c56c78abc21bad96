import { messageOf, MINUTE, signReceipt, uuidv4 } from '@nephometer/core';
import type { Bus, Clock, Keyring, Logger, Micros, Receipt, SignedHeader } from '@nephometer/core';
import type { CollectorMetrics } from './metrics.ts';

/** What an agent is to be told about one of its batches. */
export interface ReceiptWord {
  readonly header: SignedHeader;
  readonly digest: string;
  /** Null: it is in the ledger. */
  readonly refused: string | null;
}

export interface ReceiptOptions {
  readonly bus: Bus;
  /** Name of the exchange of receipts. */
  readonly exchange: string;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: CollectorMetrics;
}

/** Receipts on their way at a time; one more is skipped, since waiting would stop what frees a broker that is full. */
const MOST_PENDING = 256;

/**
 * Sends receipts, one an agent and key. They are best effort: an agent without one sends its batch again after a while and
 * is told then, so nothing waits for them.
 */
export class Receipts {
  readonly #options: ReceiptOptions;
  readonly #pending = new Set<Promise<void>>();
  #logged: Micros | null = null;

  constructor(options: ReceiptOptions) {
    this.#options = options;
  }

  send(words: readonly ReceiptWord[]): void {
    const groups = new Map<string, ReceiptWord[]>();
    for (const word of words) {
      const key = JSON.stringify([word.header.agent_id, word.header.key_id]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [word]);
      else group.push(word);
    }
    for (const group of groups.values()) this.#sendOne(group);
  }

  /** Resolves when none is on its way. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #sendOne(words: readonly ReceiptWord[]): void {
    const { metrics } = this.#options;
    if (this.#pending.size >= MOST_PENDING) {
      metrics.receipts.add(1, { outcome: 'skipped' });
      return;
    }
    const sending: Promise<void> = this.#publish(words)
      .then(() => metrics.receipts.add(1, { outcome: 'sent' }))
      .catch((cause: unknown) => this.#failed(cause))
      .finally(() => this.#pending.delete(sending));
    this.#pending.add(sending);
  }

  async #publish(words: readonly ReceiptWord[]): Promise<void> {
    const receipt = this.#receiptOf(words);
    await this.#options.bus.publish({
      exchange: this.#options.exchange,
      routingKey: receipt.agent_id,
      body: Buffer.from(JSON.stringify(receipt)),
      messageId: uuidv4(),
      contentType: 'application/json',
      mandatory: false,
    });
  }

  /** Signed with the key that signed the batches: the one that the agent has for certain. */
  #receiptOf(words: readonly ReceiptWord[]): Receipt {
    const [first] = words;
    if (first === undefined) throw new TypeError('A receipt says something about at least one batch.');
    const { agent_id, key_id } = first.header;
    const { keyring, clock } = this.#options;
    const key = keyring.find(key_id, agent_id) ?? keyring.signingKey(agent_id);
    const recorded = words.filter(({ refused }) => refused === null).map(({ digest }) => digest);
    const refused = words.flatMap(({ digest, refused: reason }) => (reason === null ? [] : [{ digest, reason }]));
    const unsigned = { version: 1 as const, agent_id, recorded: [...new Set(recorded)], refused, key_id: key.keyId };
    return signReceipt({ ...unsigned, issued: clock.now() }, key.secret);
  }

  #failed(cause: unknown): void {
    const { metrics, clock, log } = this.#options;
    metrics.receipts.add(1, { outcome: 'failed' });
    if (this.#logged !== null && clock.monotonic() - this.#logged < MINUTE) return;
    this.#logged = clock.monotonic();
    log.warn({ cause: messageOf(cause) }, 'Receipts could not be sent; agents will send those batches again.');
  }
}

import { messageOf, Receipt, verifyReceipt } from '@nephometer/core';
import type { Bus, BusNames, Consumer, Delivery, Keyring, Logger, Spool, Topology } from '@nephometer/core';

export interface ReceiptOptions {
  readonly agentId: string;
  /** Tells the queues of two runs apart: the broker may notice late that the first is gone. */
  readonly run: string;
  readonly bus: Bus;
  readonly names: BusNames;
  readonly keyring: Keyring;
  readonly spool: Spool;
  readonly log: Logger;
  readonly onReceipt: (recorded: number, refused: readonly { reason: string }[]) => void;
}

/** Receipts taken and not yet acknowledged. */
const PREFETCH = 100;

/** The agent's own queue of receipts: it goes with the agent, since a batch without receipt is sent again. */
export function receiptTopology({ agentId, run, names }: Pick<ReceiptOptions, 'agentId' | 'run' | 'names'>): Topology {
  const queue = receiptQueue(names, agentId, run);
  return {
    exchanges: [{ name: names.receipts, type: 'topic', durable: true }],
    queues: [{ name: queue, type: 'classic', durable: true, autoDelete: true }],
    bindings: [{ queue, exchange: names.receipts, routingKey: agentId }],
  };
}

function receiptQueue(names: BusNames, agentId: string, run: string): string {
  return `${names.receipts}.${agentId}.${run}`;
}

/** Takes receipts: only what the ledger has leaves the spool. */
export function consumeReceipts(options: ReceiptOptions): Promise<Consumer> {
  const queue = receiptQueue(options.names, options.agentId, options.run);
  return options.bus.consume(queue, { prefetch: PREFETCH }, (delivery) => takeReceipt(delivery, options));
}

async function takeReceipt(delivery: Delivery, options: ReceiptOptions): Promise<void> {
  const receipt = readReceipt(delivery.body, options);
  if (receipt === null) return delivery.ack();
  const told = [...receipt.recorded, ...receipt.refused.map(({ digest }) => digest)];
  try {
    await options.spool.release(told);
  } catch (cause) {
    // Given back it would come again at once, and again. Its batches are sent again after a while, and told of anew.
    options.log.error(
      { batches: told.length, cause: messageOf(cause) },
      'The spool cannot let go of batches that have their receipt.',
    );
    return delivery.ack();
  }
  for (const { digest, reason } of receipt.refused) {
    options.log.error({ batch: digest, reason }, 'The collector refused a batch; its samples are in quarantine.');
  }
  options.onReceipt(receipt.recorded.length, receipt.refused);
  delivery.ack();
}

/** The receipt, or null when it is none for us: somebody else's, or signed by nobody we know. */
function readReceipt(body: Uint8Array, { agentId, keyring, log }: ReceiptOptions): Receipt | null {
  try {
    const receipt = Receipt.parse(JSON.parse(Buffer.from(body).toString('utf8')));
    if (receipt.agent_id !== agentId) throw new Error(`it is for agent ${receipt.agent_id}`);
    const key = keyring.find(receipt.key_id, agentId);
    if (key === null) throw new Error(`its key "${receipt.key_id}" is not known here`);
    if (!verifyReceipt(receipt, key.secret)) throw new Error(`it does not match key "${receipt.key_id}"`);
    return receipt;
  } catch (cause) {
    log.warn({ cause: messageOf(cause) }, 'A receipt cannot be trusted and is ignored.');
    return null;
  }
}

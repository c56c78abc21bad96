import { BusTopologyError, busNames, messageOf, sampleTopology, SECOND } from '@nephometer/core';
import type { Clock, Config, Consumer, Micros } from '@nephometer/core';
import { sleep } from './deadline.ts';
import { consumeReceipts, receiptTopology } from './receipts.ts';
import type { ReceiptOptions } from './receipts.ts';

export interface BrokerLinkOptions extends Omit<ReceiptOptions, 'run' | 'names'> {
  readonly config: Config;
  readonly clock: Clock;
  /** No further try once it is aborted. */
  readonly signal: AbortSignal;
  /** Told when there is an exchange that takes samples. */
  readonly onDeclared: () => void;
  /** Told of what no retry heals. */
  readonly onFatal: (cause: Error) => void;
}

const RETRY: Micros = 2 * SECOND;

/** Declares what samples and receipts need, then lets samples go out and takes receipts; tries until the broker is there. */
export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  #receipts: Consumer | null = null;

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
  }

  /** @param run names this run of the agent, so that its queue of receipts is its own */
  start(run: string): void {
    void this.#connect(run);
  }

  /** Takes no more receipts. */
  async stop(): Promise<void> {
    await this.#receipts?.cancel().catch(() => undefined);
  }

  async #connect(run: string): Promise<void> {
    const { clock, log, signal, onFatal } = this.#options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        return await this.#declare(run);
      } catch (cause) {
        if (cause instanceof BusTopologyError) return onFatal(cause);
        if (signal.aborted) return;
        if (failures === 0) log.warn({ cause: messageOf(cause) }, 'The broker cannot be reached; samples are spooled.');
        await sleep(clock, RETRY, signal);
      }
    }
  }

  async #declare(run: string): Promise<void> {
    const { bus, config, signal, onDeclared } = this.#options;
    const names = busNames(config.bus.namespace);
    const receipts = { ...this.#options, run, names };
    await bus.declare(sampleTopology(names, config.bus.delivery_limit));
    if (!signal.aborted) onDeclared();
    await bus.declare(receiptTopology(receipts));
    this.#receipts = await consumeReceipts(receipts);
    if (signal.aborted) await this.#receipts.cancel();
  }
}

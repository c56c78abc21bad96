/**
 * The message bus. Errors of these verbs:
 * - BusUnavailable: not connected in time, or the outcome is unknown. Publish the same bytes again.
 * - BusRefused: no queue took the message, or the broker refused it.
 * - BusTopologyError: declared by others with other arguments, or access denied. Permanent.
 * - MessageTooLarge: over the adapter's limit.
 */
export interface Bus {
  /** Declares exchanges, queues and bindings now and after every reconnect. Idempotent. */
  declare(topology: Topology): Promise<void>;
  /** Resolves when the broker has confirmed that a queue holds the message. Waits while the window is full. */
  publish(message: OutgoingMessage): Promise<void>;
  /**
   * Delivers the queue's messages until cancelled, across reconnects. At most `prefetch` are unacknowledged at a time.
   * The handler settles each delivery itself, then or later; what it throws is logged and the delivery requeued.
   */
  consume(
    queue: string,
    options: ConsumeOptions,
    handler: (delivery: Delivery) => void | Promise<void>,
  ): Promise<Consumer>;
  status(): BusStatus;
  /** Waits for outstanding confirms (bounded), then closes. Safe to call twice. */
  close(): Promise<void>;
}

export interface ExchangeSpec {
  readonly name: string;
  readonly type: 'topic' | 'fanout' | 'direct';
  readonly durable: boolean;
  readonly autoDelete?: boolean;
  /** Exchange that takes what no queue is bound for. */
  readonly alternate?: string;
}

export interface QueueSpec {
  readonly name: string;
  /** quorum: replicated and durable; classic: as `durable` says. */
  readonly type: 'quorum' | 'classic';
  readonly durable: boolean;
  /** Only this connection uses it, and it goes with it (receipts of one agent). */
  readonly exclusive?: boolean;
  readonly autoDelete?: boolean;
  /** Quorum: deliveries before the broker dead-letters it. */
  readonly deliveryLimit?: number;
  readonly deadLetterExchange?: string;
  readonly messageTtlMs?: number;
}

export interface BindingSpec {
  readonly queue: string;
  readonly exchange: string;
  /** Topic pattern: `*` one word, `#` any number of words. */
  readonly routingKey: string;
}

export interface Topology {
  readonly exchanges: readonly ExchangeSpec[];
  readonly queues: readonly QueueSpec[];
  readonly bindings: readonly BindingSpec[];
}

export interface OutgoingMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  /** The same on every attempt. */
  readonly messageId: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** False: an unroutable message is confirmed all the same (receipts of an agent that is away). Default true. */
  readonly mandatory?: boolean;
}

export interface Delivery {
  readonly body: Uint8Array;
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | null;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly redelivered: boolean;
  /** Earlier deliveries of this message as far as the broker counts them (quorum queues), else 0 or 1. */
  readonly deliveryCount: number;
  /** Done: the broker may forget it. A stale acknowledgement after a reconnect is dropped. */
  ack(): void;
  /** Back to the queue, to be delivered again. */
  requeue(): void;
  /** Away for good: dead-lettered where the queue says so. */
  reject(): void;
}

export interface ConsumeOptions {
  readonly prefetch: number;
}

export interface Consumer {
  /** Stops delivery; unsettled deliveries go back to the queue. The broker holds the rest. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  cancel(): Promise<void>;
}

export interface BusStatus {
  /** `blocked`: the broker asks publishers to wait (memory or disk alarm). */
  readonly state: 'connected' | 'connecting' | 'blocked' | 'closed';
  /** Why it is not connected, or why blocked; null when connected. */
  readonly detail: string | null;
  /** Messages published and not confirmed yet. */
  readonly unconfirmed: number;
  /** Connections for publishing that were made so far; absent where there are none. */
  readonly connections?: number;
}

import type { Clock, QueueSpec, Timer } from '@nephometer/core';

/** A message as one queue holds it. */
export interface Held {
  readonly body: Uint8Array;
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | null;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Order of arrival in the queue. */
  readonly order: number;
  /** Milliseconds of the steady clock after which it is dead; null: never. */
  readonly expires: number | null;
  deliveries: number;
  /** Requeued by a handler; what a pause or a cancel gives back is nobody's failure. */
  failures: number;
}

/** Who takes messages from a queue. */
export interface Taker {
  /** False while it has as many unsettled as it wants. */
  hasRoom(): boolean;
  take(message: Held): void;
}

export type DeathReason = 'delivery_limit' | 'rejected' | 'expired';

/** A queue with its consumers. Deliveries are made in turns of the event loop of their own, round robin. */
export class MemoryQueue {
  readonly spec: QueueSpec;
  readonly #bury: (message: Held, reason: DeathReason) => void;
  readonly #onRoom: () => void;
  readonly #clock: Clock;
  /** Given back, ascending by order; they go first. */
  readonly #returned: Held[] = [];
  #ready: Held[] = [];
  #head = 0;
  readonly #takers: Taker[] = [];
  #bytes = 0;
  #pumping = false;
  #order = 0;
  #expiry: Timer | null = null;

  constructor(spec: QueueSpec, clock: Clock, bury: (message: Held, reason: DeathReason) => void, onRoom: () => void) {
    this.spec = spec;
    this.#clock = clock;
    this.#bury = bury;
    this.#onRoom = onRoom;
  }

  /** Bytes of the bodies held, unsettled ones too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages ready for delivery. */
  get depth(): number {
    return this.#returned.length + this.#ready.length - this.#head;
  }

  get takers(): number {
    return this.#takers.length;
  }

  put(message: Omit<Held, 'order' | 'expires' | 'deliveries' | 'failures'>): void {
    const { messageTtlMs } = this.spec;
    const expires = messageTtlMs === undefined ? null : this.#nowMs() + messageTtlMs;
    this.#ready.push({ ...message, order: this.#order++, expires, deliveries: 0, failures: 0 });
    this.#bytes += message.body.byteLength;
    this.#wake();
    this.#watchExpiry();
  }

  /** Drops the oldest that is ready, to make room; null when none is. */
  dropOldest(): Held | null {
    const oldest = this.#next();
    if (oldest !== null) this.#forget(oldest);
    return oldest;
  }

  join(taker: Taker): void {
    this.#takers.push(taker);
    this.#wake();
  }

  leave(taker: Taker): void {
    const at = this.#takers.indexOf(taker);
    if (at >= 0) this.#takers.splice(at, 1);
  }

  /** The message is done with. */
  acknowledge(message: Held): void {
    this.#forget(message);
    this.#wake();
  }

  reject(message: Held): void {
    this.#forget(message);
    this.#bury(message, 'rejected');
    this.#wake();
  }

  /** Back to its place, unless it was given back too often. */
  giveBack(message: Held, isFailure: boolean): void {
    if (isFailure) message.failures++;
    const limit = this.spec.type === 'quorum' ? this.spec.deliveryLimit : undefined;
    if (limit !== undefined && message.failures > limit) {
      this.#forget(message);
      this.#bury(message, 'delivery_limit');
    } else {
      const at = this.#returned.findIndex(({ order }) => order > message.order);
      this.#returned.splice(at < 0 ? this.#returned.length : at, 0, message);
    }
    this.#wake();
    this.#watchExpiry();
  }

  /** Ends timers; the queue is gone. */
  close(): void {
    this.#expiry?.cancel();
    this.#takers.length = 0;
  }

  #forget(message: Held): void {
    this.#bytes -= message.body.byteLength;
    this.#onRoom();
  }

  #next(): Held | null {
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const message = this.#ready[this.#head];
    if (message === undefined) return null;
    this.#head++;
    // The array is cut now and then rather than shifted each time.
    if (this.#head > 1024 && this.#head * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  /** Not in a microtask: a handler that always requeues must not starve the process. */
  #wake(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    this.#expire();
    for (let rest = this.#takers.length; rest > 0 && this.depth > 0;) {
      const taker = this.#takers.shift();
      if (taker === undefined) return;
      this.#takers.push(taker);
      if (!taker.hasRoom()) {
        rest--;
        continue;
      }
      const message = this.#next();
      if (message === null) return;
      message.deliveries++;
      taker.take(message);
      rest = this.#takers.length;
    }
  }

  #expire(): void {
    for (let first = this.#first(); first !== null && this.#isDead(first); first = this.#first()) {
      const message = this.#next();
      if (message === null) return;
      this.#forget(message);
      this.#bury(message, 'expired');
    }
  }

  #first(): Held | null {
    return this.#returned[0] ?? this.#ready[this.#head] ?? null;
  }

  #isDead({ expires }: Held): boolean {
    return expires !== null && expires <= this.#nowMs();
  }

  #watchExpiry(): void {
    const first = this.#first();
    if (this.#expiry !== null || first === null || first.expires === null) return;
    this.#expiry = this.#clock.after(Math.max(0, first.expires - this.#nowMs()) * 1000, () => {
      this.#expiry = null;
      this.#expire();
      this.#watchExpiry();
    });
  }

  #nowMs(): number {
    return this.#clock.monotonic() / 1000;
  }
}

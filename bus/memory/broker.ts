import { BusTopologyError, silentLogger, systemClock } from '@nephometer/core';
import type { BindingSpec, Clock, ExchangeSpec, Logger, QueueSpec } from '@nephometer/core';
import { topicMatches } from './match.ts';
import { MemoryQueue, type DeathReason, type Held } from './queue.ts';

interface Exchange {
  readonly spec: ExchangeSpec;
  readonly bindings: { readonly queue: string; readonly routingKey: string }[];
}

export interface BrokerOptions {
  /** Bytes of bodies that one queue holds before publishers wait. Default 256 MiB. */
  readonly queueLimit?: number;
  readonly log?: Logger;
  readonly clock?: Clock;
}

/** What several buses in one process share: exchanges, queues and the messages in them. Lives as long as the process. */
export class MemoryBroker {
  readonly queueLimit: number;
  readonly clock: Clock;
  readonly #log: Logger;
  readonly #exchanges = new Map<string, Exchange>();
  readonly #queues = new Map<string, { readonly queue: MemoryQueue; readonly owner: object | null }>();
  readonly #roomWanted = new Set<() => void>();
  #dropped: ((queue: string) => void) | null = null;

  constructor({ queueLimit = 256 * 2 ** 20, log = silentLogger, clock = systemClock }: BrokerOptions = {}) {
    this.queueLimit = queueLimit;
    this.clock = clock;
    this.#log = log;
  }

  /** Called for each dead letter that had to be dropped for want of room. */
  onDropped(call: (queue: string) => void): void {
    this.#dropped = call;
  }

  queue(name: string): MemoryQueue | null {
    return this.#queues.get(name)?.queue ?? null;
  }

  declareExchange(spec: ExchangeSpec): void {
    const known = this.#exchanges.get(spec.name);
    if (known === undefined) this.#exchanges.set(spec.name, { spec, bindings: [] });
    else checkSame('exchange', spec.name, exchangeText(known.spec), exchangeText(spec));
  }

  /** @param owner who an exclusive queue belongs to */
  declareQueue(spec: QueueSpec, owner: object): void {
    const known = this.#queues.get(spec.name);
    if (known === undefined) {
      const bury = (message: Held, reason: DeathReason): void => this.#bury(spec, message, reason);
      const queue = new MemoryQueue(spec, this.clock, bury, () => this.announceRoom());
      this.#queues.set(spec.name, { queue, owner: spec.exclusive ? owner : null });
      return;
    }
    checkSame('queue', spec.name, queueText(known.queue.spec), queueText(spec));
    this.checkAccess(spec.name, owner);
  }

  bind({ queue, exchange, routingKey }: BindingSpec): void {
    const to = this.#exchanges.get(exchange);
    const missing = to === undefined ? `exchange "${exchange}"` : `queue "${queue}"`;
    if (to === undefined || !this.#queues.has(queue)) {
      throw new BusTopologyError(
        `Queue "${queue}" cannot be bound to exchange "${exchange}": there is no ${missing}. Declare both.`,
      );
    }
    const same = to.bindings.some((binding) => binding.queue === queue && binding.routingKey === routingKey);
    if (!same) to.bindings.push({ queue, routingKey });
  }

  /** @throws BusTopologyError when there is no such queue, or it is another's */
  checkAccess(name: string, owner: object): MemoryQueue {
    const entry = this.#queues.get(name);
    if (entry === undefined) {
      throw new BusTopologyError(`Queue "${name}" cannot be consumed: it does not exist. Declare the queue first.`);
    }
    if (entry.owner === null || entry.owner === owner) return entry.queue;
    throw new BusTopologyError(`Queue "${name}" is exclusive to another bus. Give this one a name of its own.`);
  }

  deleteQueue(name: string): void {
    this.queue(name)?.close();
    this.#queues.delete(name);
    for (const [exchange, { spec, bindings }] of this.#exchanges) {
      const before = bindings.length;
      bindings.splice(0, before, ...bindings.filter((binding) => binding.queue !== name));
      if (spec.autoDelete && bindings.length === 0 && before > 0) this.#exchanges.delete(exchange);
    }
  }

  /** The last consumer of a queue has gone. */
  onUnused(queue: MemoryQueue): void {
    if (queue.spec.autoDelete && queue.takers === 0) this.deleteQueue(queue.spec.name);
  }

  /** Exclusive queues go with who declared them. */
  release(owner: object): void {
    for (const [name, entry] of this.#queues) if (entry.owner === owner) this.deleteQueue(name);
  }

  /** The queues that take a message; null when there is no such exchange. The nameless exchange leads to a queue by name. */
  route(exchange: string, routingKey: string): MemoryQueue[] | null {
    if (exchange === '') return this.#named([routingKey]);
    if (!this.#exchanges.has(exchange)) return null;
    return this.#named(this.#targets(exchange, routingKey, new Set()));
  }

  /** Calls back once some queue has let go of a message. */
  whenRoom(call: () => void): void {
    this.#roomWanted.add(call);
  }

  announceRoom(): void {
    const waiting = [...this.#roomWanted];
    this.#roomWanted.clear();
    for (const call of waiting) call();
  }

  #targets(name: string, routingKey: string, seen: Set<string>): string[] {
    const exchange = this.#exchanges.get(name);
    if (exchange === undefined || seen.has(name)) return [];
    seen.add(name);
    const { type, alternate } = exchange.spec;
    const found = exchange.bindings.filter((binding) => takes(type, binding.routingKey, routingKey));
    if (found.length > 0 || alternate === undefined) return found.map(({ queue }) => queue);
    return this.#targets(alternate, routingKey, seen);
  }

  #named(names: readonly string[]): MemoryQueue[] {
    return [...new Set(names)].map((name) => this.queue(name)).filter((queue) => queue !== null);
  }

  #bury(from: QueueSpec, message: Held, reason: DeathReason): void {
    if (from.deadLetterExchange === undefined) return;
    // The first death is told in headers of its own, as RabbitMQ does; later ones leave them.
    const first = {
      'x-first-death-exchange': message.exchange,
      'x-first-death-queue': from.name,
      'x-first-death-reason': reason,
    };
    const headers = { ...first, ...message.headers, 'x-death': deaths(from, message, reason) };
    for (const queue of this.route(from.deadLetterExchange, message.routingKey) ?? []) {
      this.#makeRoom(queue, message.body.byteLength);
      queue.put({ ...message, exchange: from.deadLetterExchange, headers });
    }
  }

  /** A dead letter cannot wait for room: nobody would hold it meanwhile. */
  #makeRoom(queue: MemoryQueue, bytes: number): void {
    while (queue.bytes + bytes > this.queueLimit) {
      const dropped = queue.dropOldest();
      if (dropped === null) return;
      this.#dropped?.(queue.spec.name);
      const fields = { queue: queue.spec.name, messageId: dropped.messageId, limit: this.queueLimit };
      this.#log.error(fields, 'A queue of dead letters is full; its oldest was dropped.');
    }
  }
}

function takes(type: ExchangeSpec['type'], pattern: string, routingKey: string): boolean {
  if (type === 'fanout') return true;
  return type === 'topic' ? topicMatches(pattern, routingKey) : pattern === routingKey;
}

/** The same list that RabbitMQ keeps in `x-death`: newest first, counted by queue and reason. */
function deaths(from: QueueSpec, message: Held, reason: DeathReason): unknown[] {
  const before = Array.isArray(message.headers['x-death']) ? (message.headers['x-death'] as Death[]) : [];
  const same = before.find((death) => death.queue === from.name && death.reason === reason);
  const rest = before.filter((death) => death !== same);
  const { exchange, routingKey } = message;
  const death: Death = {
    count: (same?.count ?? 0) + 1,
    reason,
    queue: from.name,
    exchange,
    'routing-keys': [routingKey],
  };
  return [death, ...rest];
}

interface Death {
  readonly count: number;
  readonly reason: DeathReason;
  readonly queue: string;
  readonly exchange: string;
  readonly 'routing-keys': readonly string[];
}

function checkSame(kind: string, name: string, current: string, ours: string): void {
  if (current === ours) return;
  throw new BusTopologyError(
    `The ${kind} "${name}" is not as we declare it: it is ${current}, we declare ${ours}. Declare it the same everywhere.`,
  );
}

function exchangeText({ type, durable, autoDelete = false, alternate = 'none' }: ExchangeSpec): string {
  return `${type}, durable=${durable}, auto-delete=${autoDelete}, alternate=${alternate}`;
}

function queueText(spec: QueueSpec): string {
  const {
    type,
    durable,
    exclusive = false,
    autoDelete = false,
    deliveryLimit,
    deadLetterExchange,
    messageTtlMs,
  } = spec;
  return (
    `${type}, durable=${durable}, exclusive=${exclusive}, auto-delete=${autoDelete}, delivery-limit=${deliveryLimit ?? 'none'}, ` +
    `dead-letter-exchange=${deadLetterExchange ?? 'none'}, ttl=${messageTtlMs ?? 'none'}`
  );
}

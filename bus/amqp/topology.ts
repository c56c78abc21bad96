import type { Channel, ChannelModel, Options } from 'amqplib';
import { BusTopologyError, BusUnavailable, messageOf } from '@nephometer/core';
import type { BindingSpec, Clock, ExchangeSpec, Logger, QueueSpec, Topology } from '@nephometer/core';
import { closeChannel, openChannel, type AmqpError } from './channel.ts';

export const EMPTY_TOPOLOGY: Topology = { exchanges: [], queues: [], bindings: [] };

/** Both together; what is in both is declared once. */
export function mergeTopology(a: Topology, b: Topology): Topology {
  const merge = <T>(left: readonly T[], right: readonly T[], key: (item: T) => string): T[] => [
    ...new Map([...left, ...right].map((item) => [key(item), item])).values(),
  ];
  return {
    exchanges: merge(a.exchanges, b.exchanges, ({ name }) => name),
    queues: merge(a.queues, b.queues, ({ name }) => name),
    bindings: merge(a.bindings, b.bindings, ({ queue, exchange, routingKey }) =>
      JSON.stringify([queue, exchange, routingKey]),
    ),
  };
}

/** Without the queues that belong to the consuming connection alone. */
export function sharedTopology(topology: Topology): Topology {
  const own = new Set(topology.queues.filter((queue) => queue.exclusive).map(({ name }) => name));
  return {
    exchanges: topology.exchanges,
    queues: topology.queues.filter(({ name }) => !own.has(name)),
    bindings: topology.bindings.filter(({ queue }) => !own.has(queue)),
  };
}

/**
 * Declares all on a channel of its own, which a refusal closes.
 * @throws BusTopologyError when it exists otherwise or is not allowed; BusUnavailable when it may work later
 */
export async function declareTopology(
  model: ChannelModel,
  topology: Topology,
  clock: Clock,
  log: Logger,
): Promise<void> {
  const { channel } = await openChannel(model, log);
  for (const exchange of topology.exchanges) await declareExchange(channel, exchange);
  for (const queue of topology.queues) await declareQueue(channel, queue);
  for (const binding of topology.bindings) await bind(channel, binding);
  await closeChannel(clock, channel);
}

async function declareExchange(channel: Channel, exchange: ExchangeSpec): Promise<void> {
  const { name, type, durable, autoDelete = false, alternate } = exchange;
  try {
    const options = { durable, autoDelete, ...(alternate === undefined ? {} : { alternateExchange: alternate }) };
    await channel.assertExchange(name, type, options);
  } catch (cause) {
    const ours = `${type}, durable=${durable}, auto-delete=${autoDelete}, alternate=${alternate ?? 'none'}`;
    throw refusal(cause, `exchange "${name}"`, ours, exchangeRemedy(cause));
  }
}

function exchangeRemedy(cause: unknown): string {
  const text = messageOf(cause);
  const current = /inequivalent arg '(durable|auto_delete)'.*current is '(true|false)'/.exec(text);
  if (current !== null) {
    const [, key, value] = current;
    return (
      `If a service owns it, declare it as the service does: notifications.${key}: ${value} (a service's notifications) or ` +
      `ceilometer.${key}: ${value} (a Ceilometer). If it is ours, delete it: the next connection declares it anew.`
    );
  }
  return 'Name another exchange in the configuration, or delete this one on the broker if nobody needs it.';
}

async function declareQueue(channel: Channel, queue: QueueSpec): Promise<void> {
  const { name, type, durable, exclusive = false, autoDelete = false, deliveryLimit, deadLetterExchange } = queue;
  try {
    await channel.assertQueue(name, queueOptions(queue));
  } catch (cause) {
    const ours =
      `${type}, durable=${durable}, exclusive=${exclusive}, auto-delete=${autoDelete}, ` +
      `delivery-limit=${deliveryLimit ?? 'none'}, dead-letter-exchange=${deadLetterExchange ?? 'none'}`;
    throw refusal(cause, `queue "${name}"`, ours, queueRemedy(cause, name));
  }
}

function queueOptions(queue: QueueSpec): Options.AssertQueue {
  const { type, durable, exclusive = false, autoDelete = false, deliveryLimit, deadLetterExchange } = queue;
  const quorum = type === 'quorum';
  return {
    durable,
    exclusive,
    autoDelete,
    ...(deadLetterExchange === undefined ? {} : { deadLetterExchange }),
    ...(queue.messageTtlMs === undefined ? {} : { messageTtl: queue.messageTtlMs }),
    arguments: {
      ...(quorum ? { 'x-queue-type': 'quorum' } : {}),
      ...(quorum && deliveryLimit !== undefined ? { 'x-delivery-limit': deliveryLimit } : {}),
    },
  };
}

function queueRemedy(cause: unknown, name: string): string {
  const limit = /inequivalent arg 'x-delivery-limit'.*current is '?(\d+)/.exec(messageOf(cause));
  if (limit !== null) return `Set bus.delivery_limit: ${limit[1]}, or delete the queue once it is empty.`;
  return `Give this installation a bus.namespace of its own, or delete the queue once it is empty (rabbitmqctl delete_queue ${name}).`;
}

async function bind(channel: Channel, { queue, exchange, routingKey }: BindingSpec): Promise<void> {
  try {
    await channel.bindQueue(queue, exchange, routingKey);
  } catch (cause) {
    const remedy = 'Declare both in the same topology, or check that the service which owns the exchange is set up.';
    throw refusal(
      cause,
      `binding of queue "${queue}" to exchange "${exchange}"`,
      `routing key "${routingKey}"`,
      remedy,
    );
  }
}

const PRECONDITION_FAILED = 406;
const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;

function refusal(cause: unknown, what: string, ours: string, remedy: string): Error {
  const found = messageOf(cause);
  const code = (cause as AmqpError).code;
  // A member of the cluster is away: 404 all the same, but it comes back.
  if (code === NOT_FOUND && /down or inaccessible/.test(found)) return new BusUnavailable(`The ${what}: ${found}.`);
  if (code === ACCESS_REFUSED) {
    return new BusTopologyError(
      `The broker does not let us declare the ${what}: ${found}. Give the user configure, write and read permission on ` +
        `it (rabbitmqctl set_permissions).`,
    );
  }
  if (code === PRECONDITION_FAILED || code === NOT_FOUND) {
    return new BusTopologyError(`The ${what} is not as we declare it (${ours}): ${found}. ${remedy}`);
  }
  // 405: an exclusive queue whose former connection the broker has not given up yet; anything else is the connection's end.
  return new BusUnavailable(`The ${what} could not be declared: ${found}.`);
}

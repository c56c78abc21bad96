import type { BusNames, Config, LoadedPlugins, Topology } from '@nephometer/core';

/** The exchanges as their services declare them; the queues are ours, so that we take nothing from another listener. */
export function notificationTopology(config: Config, plugins: LoadedPlugins, names: BusNames): Topology {
  const { notifications, bus } = config;
  const wanted = plugins.listeners.map(({ plugin }) => plugin);
  const exchanges = [...new Set([...notifications.exchanges, ...wanted.flatMap((one) => one.exchanges ?? [])])];
  const topics = [...new Set([...notifications.topics, ...wanted.flatMap((one) => one.topics ?? [])])];
  const keys = topics.flatMap((topic) => notifications.priorities.map((priority) => [topic, priority] as const));
  const { durable, auto_delete: autoDelete } = notifications;
  return {
    exchanges: exchanges.map((name) => ({ name, type: 'topic', durable, autoDelete })),
    queues: keys.map(([topic, priority]) => ({
      name: names.notifications(topic, priority),
      type: 'quorum',
      durable: true,
      deliveryLimit: bus.delivery_limit,
      deadLetterExchange: names.dead,
    })),
    bindings: keys.flatMap(([topic, priority]) =>
      exchanges.map((exchange) => ({
        queue: names.notifications(topic, priority),
        exchange,
        routingKey: `${topic}.${priority}`,
      })),
    ),
  };
}

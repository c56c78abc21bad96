import type { CounterMetric, GaugeMetric, MetricRegistry } from '@nephometer/core';

export interface BusMetrics {
  readonly published: CounterMetric;
  readonly confirmed: CounterMetric;
  readonly returned: CounterMetric;
  readonly refused: CounterMetric;
  readonly unknown: CounterMetric;
  readonly unconfirmed: GaugeMetric;
  readonly oldest: GaugeMetric;
  readonly overdue: GaugeMetric;
  readonly blocked: GaugeMetric;
  readonly reconnects: CounterMetric;
  readonly delivered: CounterMetric;
  readonly redelivered: CounterMetric;
  readonly oversized: CounterMetric;
  readonly stale: CounterMetric;
  readonly failed: CounterMetric;
}

export function busMetrics(registry: MetricRegistry): BusMetrics {
  const counter = (name: string, help: string) => registry.counter(`nephometer_bus_${name}_total`, help);
  const gauge = (name: string, help: string) => registry.gauge(`nephometer_bus_${name}`, help);
  return {
    published: counter('published', 'Messages handed to the broker, repetitions included.'),
    confirmed: counter('confirmed', 'Messages that the broker confirmed to be in a queue.'),
    returned: counter('returned', 'Messages that no queue is bound for.'),
    refused: counter('refused', 'Messages that the broker refused.'),
    unknown: counter('unknown', 'Messages whose outcome is unknown: the connection was lost before the confirm.'),
    unconfirmed: gauge('unconfirmed', 'Messages published and not confirmed yet.'),
    oldest: gauge('oldest_unconfirmed_seconds', 'Age of the oldest message that is not confirmed yet.'),
    overdue: gauge('overdue', '1 while the oldest unconfirmed message is older than bus.confirm_alarm.'),
    blocked: gauge('blocked', '1 while the broker asks publishers to wait (memory or disk alarm).'),
    reconnects: counter('reconnects', 'Connections to the broker that were made again after a loss, by link.'),
    delivered: counter('delivered', 'Messages delivered, by queue.'),
    redelivered: counter('redelivered', 'Messages delivered that were delivered before, by queue.'),
    oversized: counter('oversized', 'Messages rejected because they are larger than a process can take, by queue.'),
    stale: counter('stale_settlements', 'Acknowledgements dropped because their channel is gone, by queue.'),
    failed: counter('handler_failures', 'Deliveries whose handler threw; they went back to the queue, by queue.'),
  };
}

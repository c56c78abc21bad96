import type { CounterMetric, MetricRegistry } from '@nephometer/core';

export interface MemoryMetrics {
  readonly published: CounterMetric;
  readonly confirmed: CounterMetric;
  readonly returned: CounterMetric;
  readonly delivered: CounterMetric;
  readonly redelivered: CounterMetric;
  readonly failed: CounterMetric;
  readonly dropped: CounterMetric;
}

/** The names that the RabbitMQ adapter uses, as far as they mean something here. */
export function memoryMetrics(registry: MetricRegistry): MemoryMetrics {
  const counter = (name: string, help: string) => registry.counter(`nephometer_bus_${name}_total`, help);
  return {
    published: counter('published', 'Messages handed to the broker, repetitions included.'),
    confirmed: counter('confirmed', 'Messages that the broker confirmed to be in a queue.'),
    returned: counter('returned', 'Messages that no queue is bound for.'),
    delivered: counter('delivered', 'Messages delivered, by queue.'),
    redelivered: counter('redelivered', 'Messages delivered that were delivered before, by queue.'),
    failed: counter('handler_failures', 'Deliveries whose handler threw; they went back to the queue, by queue.'),
    dropped: counter('dropped', 'Dead letters dropped because their queue is full, by queue.'),
  };
}

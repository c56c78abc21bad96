import { createAmqpBus, type AmqpBus, type AmqpBusOptions } from '@nephometer/bus-amqp';
import { createLogger, defaultConfig, MetricRegistry, type ConfigInput, type OutgoingMessage } from '@nephometer/core';
import type { Test } from 'tap';

export interface TestedBus {
  readonly bus: AmqpBus;
  readonly metrics: MetricRegistry;
  /** Lines of the log, as JSON. */
  readonly lines: string[];
}

/** A bus on a broker of the test's own, not connected yet; closed at the end of the test. */
export function makeBus(
  t: Test,
  url: string,
  config: ConfigInput['bus'] = {},
  more: Partial<AmqpBusOptions> = {},
): TestedBus {
  const metrics = new MetricRegistry();
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
  const settings = defaultConfig({ bus: { reconnect_max: '1s', ...config } }).bus;
  const bus = createAmqpBus({ url, config: settings, name: 'faults', log, metrics, ...more });
  t.teardown(() => bus.close());
  return { bus, metrics, lines };
}

/** A counter or gauge, its labels added up; 0 when nothing was counted yet. */
export function metric(metrics: MetricRegistry, name: string): number {
  const value = metrics.toJSON()[`nephometer_bus_${name}`];
  const values = typeof value === 'object' && value !== null ? Object.values(value) : [value];
  return values.reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0);
}

/** Publishes again until confirmed, as a spool does; counts the tries whose outcome was unknown. */
export async function publishUntilConfirmed(bus: AmqpBus, message: OutgoingMessage, unknown: Error[]): Promise<void> {
  for (;;) {
    try {
      return await bus.publish(message);
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      unknown.push(cause);
    }
  }
}

import { SECOND, type Clock, type Logger, type Micros, type Timer } from '@nephometer/core';
import type { BusMetrics } from './metrics.ts';
import type { Publisher } from './publisher.ts';

/** A broker in memory alarm looks healthy: no error, no close, no confirm. Says so once an episode; returns how to stop. */
export function watchConfirms(
  publisher: Publisher,
  alarm: Micros,
  metrics: BusMetrics,
  clock: Clock,
  log: Logger,
): () => void {
  let isOverdue = false;
  let timer: Timer | null = null;
  const look = (): void => {
    const age = publisher.oldest;
    const fields = { oldestSeconds: Math.round(age / SECOND), unconfirmed: publisher.unconfirmed };
    if (age > alarm && !isOverdue) log.warn(fields, 'The broker does not confirm what was published.');
    if (age <= alarm && isOverdue) log.info(fields, 'No message waits long for its confirm any more.');
    // A broker that asks to wait may take its time. One that does not may have lost the messages: they are to be sent again.
    if (age > 2 * alarm) publisher.renew();
    isOverdue = age > alarm;
    metrics.overdue.set(isOverdue ? 1 : 0);
  };
  const arm = (): void => {
    timer = clock.after(Math.max(alarm / 4, SECOND / 10), () => {
      look();
      arm();
    });
  };
  arm();
  return () => timer?.cancel();
}

import { MetricRegistry, silentLogger, systemClock } from '@nephometer/core';
import type { Clock, Store } from '@nephometer/core';
import { connectInflux, openInfluxStore } from '@nephometer/store-influxdb';
import type { InfluxClient } from '@nephometer/store-influxdb';

export interface InfluxTarget {
  /** `http://...` */
  readonly url: string;
  readonly database: string;
  readonly writer?: string;
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

function urlOf({ url, database }: InfluxTarget): string {
  return `${url.replace(/^http:/, 'influxdb:')}/${database}`;
}

export function openInflux(target: InfluxTarget): Promise<Store> {
  const { writer = 'collector-1', timeoutMs = 10_000, clock = systemClock } = target;
  const metrics = new MetricRegistry();
  return openInfluxStore({ url: urlOf(target), secret: null, writer, timeoutMs, log: silentLogger, metrics, clock });
}

/** The wire below the store. */
export function rawInflux(target: InfluxTarget): InfluxClient {
  return connectInflux({ url: urlOf(target), secret: null, timeoutMs: target.timeoutMs ?? 10_000 });
}

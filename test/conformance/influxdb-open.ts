import { MetricRegistry, silentLogger } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import { connectInflux, openInfluxStore } from '@nephometer/store-influxdb';
import type { InfluxClient } from '@nephometer/store-influxdb';

export interface InfluxTarget {
  /** `http://...` */
  readonly url: string;
  readonly database: string;
  readonly writer?: string;
  readonly timeoutMs?: number;
}

function urlOf({ url, database }: InfluxTarget): string {
  return `${url.replace(/^http:/, 'influxdb:')}/${database}`;
}

export function openInflux(target: InfluxTarget): Promise<Store> {
  const { writer = 'collector-1', timeoutMs = 10_000 } = target;
  const metrics = new MetricRegistry();
  return openInfluxStore({ url: urlOf(target), secret: null, writer, timeoutMs, log: silentLogger, metrics });
}

/** The wire below the store. */
export function rawInflux(target: InfluxTarget): InfluxClient {
  return connectInflux({ url: urlOf(target), secret: null, timeoutMs: target.timeoutMs ?? 10_000 });
}

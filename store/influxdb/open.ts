import { systemClock } from '@nephometer/core';
import type { Clock, Logger, MetricRegistry, Store } from '@nephometer/core';
import { parseInfluxUrl } from './address.ts';
import type { InfluxClient } from './client.ts';
import { createClientV1 } from './client-v1.ts';
import { createClientV2 } from './client-v2.ts';
import { ensureLayout } from './layout.ts';
import { patient } from './patient.ts';
import { createInfluxStore } from './store.ts';
import { Writer } from './writer.ts';

export interface InfluxStoreOptions {
  /** `influxdb://[user@]host:8086/database` (1.x) or `influxdb2://host:8086/ORG/BUCKET`; `influxdbs:`, `influxdb2s:` for TLS. */
  readonly url: string;
  /** Password of 1.x, token of 2.x. */
  readonly secret: string | null;
  /** Stable name of this collector. A second process of the same name writes as `NAME~2`. */
  readonly writer: string;
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  readonly clock?: Clock;
}

/**
 * Opens the store; a 1.x database is made when it is missing.
 * @throws RangeError when the URL is not one of an InfluxDB
 * @throws StoreUnavailable when it cannot be reached, or refuses the credentials
 * @throws StoreRefused when another version has written the database
 */
export async function openInfluxStore(options: InfluxStoreOptions): Promise<Store> {
  const { writer, timeoutMs, log, metrics, clock = systemClock } = options;
  const client = patient(connectInflux(options), timeoutMs);
  try {
    await client.prepare();
    await ensureLayout(client, options.url);
  } catch (cause) {
    client.close();
    throw cause;
  }
  return createInfluxStore({ client, writer: new Writer(client, writer, clock, log), clock, timeoutMs, metrics });
}

/** The wire alone: what the store writes and asks goes through here. */
export function connectInflux({
  url,
  secret,
  timeoutMs,
}: Pick<InfluxStoreOptions, 'url' | 'secret' | 'timeoutMs'>): InfluxClient {
  const address = parseInfluxUrl(url);
  return address.api === 1 ? createClientV1(address, secret, timeoutMs) : createClientV2(address, secret, timeoutMs);
}

import { HttpError, InfluxDB, setLogger } from '@influxdata/influxdb-client';
import type { Transport } from '@influxdata/influxdb-client';
import { formatInstant, StoreUnavailable } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import type { InfluxAddress } from './address.ts';
import { WriteRejected } from './client.ts';
import type { InfluxClient } from './client.ts';
import { Door } from './door.ts';
import { answerFailure, connectionFailure, writeFailure } from './failures.ts';

// Its errors are thrown as well; it would print them to the console a second time.
setLogger({ error: () => undefined, warn: () => undefined });

/** InfluxDB 2.x: writes by `/api/v2/write`, reads by the InfluxQL endpoint. */
export function createClientV2(address: InfluxAddress, token: string | null, timeoutMs: number): InfluxClient {
  const { origin, database, org } = address;
  const door = new Door(origin, token === null ? null : `Token ${token}`, timeoutMs);
  const options = { url: origin, ...(token === null ? {} : { token }) };

  return {
    async write(lines, limitMs = timeoutMs) {
      const { transport } = new InfluxDB({ ...options, timeout: limitMs });
      const api = new InfluxDB({ ...options, transport: onlyNoContent(transport, door.where, limitMs) }).getWriteApi(
        org ?? '',
        database,
        'ns',
        // One request and no timers: whether to try again is for the caller to say.
        { batchSize: lines.length + 1, flushInterval: 0, maxRetries: 0, maxBatchBytes: Number.MAX_SAFE_INTEGER },
      );
      api.writeRecords([...lines]);
      await withinLimit(api.flush(false), door.where, limitMs);
    },
    query: (statements) => door.query(database, statements),
    async removeBefore(measurement: string, tag: string, encoded: string, before: Micros) {
      const value = encoded.replaceAll('"', '\\"');
      const request = {
        start: '1677-09-21T00:12:44Z',
        stop: formatInstant(before),
        predicate: `_measurement="${measurement}" AND ${tag}="${value}"`,
      };
      const { status, body } = await door.ask({
        method: 'POST',
        path: '/api/v2/delete',
        query: { org: org ?? '', bucket: database },
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      });
      if (status !== 204) throw answerFailure(door.where, status, body);
    },
    async prepare() {
      // Buckets are made by an administrator, with the mapping that the InfluxQL endpoint needs; ask whether it is there.
      await door.query(database, ['SHOW MEASUREMENTS LIMIT 1']);
    },
    async ping() {
      const { status, body } = await door.ask({ method: 'GET', path: '/ping' });
      if (status !== 204 && status !== 200) throw answerFailure(door.where, status, body);
    },
    close: () => door.close(),
  };
}

/**
 * The client takes 201 for success, though 3.x answers it to partial writes, and a "hinted handoff" error too. Here only
 * 204 is one, and every failure is an error of ours, in which it does not look for exceptions.
 */
function onlyNoContent(transport: Transport, where: string, limitMs: number): Transport {
  return {
    chunkCombiner: transport.chunkCombiner,
    request: (...args) => transport.request(...args),
    iterate: (...args) => transport.iterate(...args),
    send(path, requestBody, options, callbacks) {
      let status = 0;
      const parts: Uint8Array[] = [];
      transport.send(path, requestBody, options, {
        responseStarted(headers, statusCode) {
          status = statusCode ?? 0;
          callbacks?.responseStarted?.(headers, statusCode);
        },
        next: (part) => void parts.push(part),
        error: (cause) => callbacks?.error?.(failureOf(cause, where, limitMs)),
        complete() {
          if (status === 204) callbacks?.complete?.();
          else callbacks?.error?.(writeFailure(where, status, Buffer.concat(parts).toString()));
        },
      });
    },
  };
}

function failureOf(cause: Error, where: string, limitMs: number): Error {
  if (cause instanceof HttpError) return writeFailure(where, cause.statusCode, cause.body ?? cause.message);
  if (cause instanceof WriteRejected || cause instanceof StoreUnavailable) return cause;
  return connectionFailure(where, limitMs, cause);
}

/** The client limits the silence on the socket; this limits the whole. */
async function withinLimit(work: Promise<void>, where: string, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(connectionFailure(where, limitMs, 'timed out')), limitMs + 100);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

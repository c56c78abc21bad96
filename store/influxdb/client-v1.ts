import type { Micros } from '@nephometer/core';
import type { InfluxAddress } from './address.ts';
import type { InfluxClient } from './client.ts';
import { Door } from './door.ts';
import { answerFailure, writeFailure } from './failures.ts';
import { nanosOf } from './line.ts';
import { tagEquals } from './query.ts';

/** InfluxDB 1.x: `/write` and `/query`. */
export function createClientV1(address: InfluxAddress, password: string | null, timeoutMs: number): InfluxClient {
  const { origin, database, user } = address;
  const basic = Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64');
  const door = new Door(origin, user === null ? null : `Basic ${basic}`, timeoutMs);
  return {
    async write(lines, limitMs) {
      const request = { method: 'POST', path: '/write', query: { db: database, precision: 'ns' } } as const;
      const { status, body } = await door.ask({ ...request, body: lines.join('\n') }, limitMs);
      // 200 and 201 may carry the news of a partial write; only "no content" says that all is written.
      if (status !== 204) throw writeFailure(door.where, status, body);
    },
    query: (statements) => door.query(database, statements),
    async removeBefore(measurement: string, tag: string, encoded: string, before: Micros) {
      const condition = `${tagEquals(tag, encoded)} AND time < ${nanosOf(before, 0)}`;
      await door.query(database, [`DELETE FROM "${measurement}" WHERE ${condition}`]);
    },
    async prepare() {
      const [databases = []] = await door.query(database, ['SHOW DATABASES']);
      if (databases.some(({ values }) => values.some(([name]) => name === database))) return;
      await door.query(database, [`CREATE DATABASE "${database.replace(/["\\]/g, '\\$&')}"`]);
    },
    async ping() {
      const { status, body } = await door.ask({ method: 'GET', path: '/ping' });
      if (status !== 204 && status !== 200) throw answerFailure(door.where, status, body);
    },
    close: () => door.close(),
  };
}

import { StoreRefused } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { lineOf, stringField } from './line.ts';
import { select } from './query.ts';

/** How this version lays samples and indexes out; see docs/decisions (InfluxDB layout). Another one cannot find what this one wrote. */
export const LAYOUT = 2;

/** Its point stands in the year 2200, out of reach of retention policies. */
const AT: Micros = 7_258_118_400_000_000;

/**
 * Makes sure that a database is laid out as this version reads it; an empty one is marked so.
 * @param where names the database in the error
 * @throws StoreRefused for one that another version has written
 */
export async function ensureLayout(client: InfluxClient, where: string): Promise<void> {
  const found = (await select(client, { fields: 'version', measurement: 'layout' })).map(({ values }) =>
    Number(values[0]),
  );
  const [first] = await select(client, { fields: 'row', measurement: 'ledger_log', limit: 1 });
  // The first layout bore no mark.
  const version = found.length > 0 ? Math.max(...found) : first === undefined ? null : 1;
  if (version === LAYOUT) return;
  if (version !== null) throw otherLayout(where, version);
  const fields = { version: stringField(String(LAYOUT)) };
  await client.write([lineOf({ measurement: 'layout', tags: {}, fields, at: AT, place: 0 })]);
}

function otherLayout(where: string, version: number): StoreRefused {
  return new StoreRefused(
    `The database ${where} has layout ${version}; this version of Nephometer reads layout ${LAYOUT}. ` +
      'Start the version that wrote it, or name another database in store.url; agents keep what is not recorded.',
  );
}

import { nextHorizons } from '@nephometer/core';
import type { Micros, RetentionRule } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { readJson } from './key-index.ts';
import { lineOf, stringField } from './line.ts';
import { select } from './query.ts';
import { decodeText, tagText } from './text.ts';

/** Where horizons stand: one point a meter and writer, out of reach of retention policies. */
const HORIZONS_AT: Micros = 7_258_118_400_000_000;

export async function readHorizons(client: InfluxClient): Promise<Map<string, Micros>> {
  const span = { from: HORIZONS_AT, to: HORIZONS_AT };
  const rows = await select(client, { fields: 'row', measurement: 'retention', span });
  const horizons = new Map<string, Micros>();
  for (const { values } of rows) {
    const [meter, before] = readJson<[string, Micros]>(values[0]);
    horizons.set(meter, Math.max(before, horizons.get(meter) ?? -Infinity));
  }
  return horizons;
}

/** The horizon is written before anything goes, so that no answer takes what is gone for a gap. */
export async function retainSamples(
  client: InfluxClient,
  writer: string,
  rules: readonly RetentionRule[],
): Promise<Map<string, Micros>> {
  const before = await readHorizons(client);
  const horizons = nextHorizons(rules, await storedMeters(client), before);
  const lines = [...horizons].map(([meter, at]) => {
    const fields = { row: stringField(JSON.stringify([meter, at])) };
    const tags = { meter: tagText(meter), writer };
    return lineOf({ measurement: 'retention', tags, fields, at: HORIZONS_AT, place: 0 });
  });
  if (lines.length > 0) await client.write(lines);
  // Every horizon again: an attempt before this one may have been cut short, and late samples may lie behind it.
  for (const [meter, at] of horizons) {
    await client.removeBefore('sample', 'meter', tagText(meter), at);
    await client.removeBefore('fold', 'meter', tagText(meter), at);
  }
  return horizons;
}

async function storedMeters(client: InfluxClient): Promise<string[]> {
  const [series = []] = await client.query(['SHOW TAG VALUES FROM "sample" WITH KEY = "meter"']);
  return series.flatMap(({ values }) => values.map(([, value]) => decodeText(String(value))));
}

import { SECOND } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import type { Place } from './line.ts';
import { selectEach, tagEquals } from './query.ts';
import type { Row, Select } from './query.ts';
import { readRecord } from './sample-point.ts';
import type { PointSample } from './sample-point.ts';
import { decodeText, isWhole, joinChunks } from './text.ts';

/** Where samples stand: one resource at one microsecond. */
export interface Spot {
  /** As the tag spells it. */
  readonly resource: string;
  readonly at: Micros;
}

export const spotKey = ({ resource, at }: Spot): string => `${at} ${resource}`;

/** The row of `message` for one stored sample. */
export type MessageRow = readonly [
  messageId: string,
  writer: string,
  place: Place,
  digest: string,
  index: number,
  at: Micros,
  /** As the tag spells it. */
  resource: string,
  content: string,
];

/** Resources that one question names, and the time that it spans: as an agent's poll takes it. */
const RESOURCES_PER_SELECT = 50;
const LONGEST_SPAN: Micros = 10 * SECOND;

/** All samples at each spot, by `spotKey`. */
export async function samplesAt(client: InfluxClient, spots: Iterable<Spot>): Promise<Map<string, PointSample[]>> {
  const wanted = new Map([...spots].map((spot) => [spotKey(spot), spot]));
  const rows = new Map<string, Row[]>([...wanted.keys()].map((key) => [key, []]));
  for (const answer of await selectEach(client, spotGroups([...wanted.values()]).map(atSpots))) {
    // A question finds what stands between its spots too.
    for (const row of answer) rows.get(spotKey({ at: row.at, resource: row.values[1] ?? '' }))?.push(row);
  }
  const byKey = new Map<string, PointSample[]>();
  for (const [key, there] of rows) byKey.set(key, await readRows(client, there));
  return byKey;
}

function spotGroups(spots: readonly Spot[]): Spot[][] {
  const groups: Spot[][] = [];
  let group: Spot[] = [];
  let resources = new Set<string>();
  for (const spot of spots.toSorted((a, b) => a.at - b.at)) {
    const [first = spot] = group;
    if (spot.at - first.at > LONGEST_SPAN || resources.size >= RESOURCES_PER_SELECT) {
      groups.push(group);
      [group, resources] = [[], new Set()];
    }
    group.push(spot);
    resources.add(spot.resource);
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

function atSpots(group: readonly Spot[]): Select {
  const [from, to] = [group[0]?.at ?? 0, group.at(-1)?.at ?? 0];
  const anyOf = [...new Set(group.map(({ resource }) => tagEquals('resource', resource)))].join(' OR ');
  return { fields: 'record, resource', measurement: 'sample', where: [`(${anyOf})`], span: { from, to } };
}

/** Samples of rows whose first value is `record`. Long ones are fetched again with the rest of their pieces. */
export async function readRows(client: InfluxClient, rows: readonly Row[]): Promise<PointSample[]> {
  const samples: PointSample[] = [];
  const torn = new Set<Micros>();
  for (const { at, values } of rows) {
    const record = values[0];
    if (record === null || record === undefined) continue;
    if (isWhole(record)) samples.push(readRecord(decodeText(record.slice(1))));
    else torn.add(at);
  }
  if (torn.size === 0) return samples;
  const long = await longSamples(client, torn);
  const heads = new Set(rows.map(({ values }) => values[0]).filter((record) => record != null && !isWhole(record)));
  return [...samples, ...long.filter(({ first }) => heads.has(first)).map(({ sample }) => sample)];
}

/** All samples in several pieces at these microseconds, with their first piece. */
async function longSamples(client: InfluxClient, times: Iterable<Micros>) {
  const found: { first: string; sample: PointSample }[] = [];
  for (const at of times) {
    const [statement] = [`SELECT /^record\\d*$/ FROM "sample" WHERE time >= ${at}000 AND time <= ${at}999 GROUP BY *`];
    const [series = []] = await client.query([statement]);
    for (const { columns, values } of series) {
      // Columns come in the order of their names; pieces are to be joined in that of their numbers.
      const order = columns
        .map((name, i) => [Number(name.slice('record'.length) || 0), i] as const)
        .slice(1)
        .sort(([a], [b]) => a - b);
      for (const row of values) {
        const pieces = order.map(([, i]) => row[i]).filter((piece): piece is string => typeof piece === 'string');
        const [first] = pieces;
        if (first === undefined || isWhole(first)) continue;
        found.push({ first, sample: readRecord(joinChunks(pieces)) });
      }
    }
  }
  return found;
}

/** The samples that rows of `message` name, each with its row; what is gone is left out. */
export async function samplesOfRows(
  client: InfluxClient,
  rows: readonly MessageRow[],
): Promise<{ row: MessageRow; sample: PointSample }[]> {
  const spots = rows.map(([, , , , , at, resource]) => ({ at, resource }));
  const bySpot = await samplesAt(client, spots);
  return rows.flatMap((row) => {
    const [, writer, , digest, index, at, resource] = row;
    const sample = bySpot
      .get(spotKey({ at, resource }))
      ?.find((one) => one.digest === digest && one.index === index && one.writer === writer);
    return sample === undefined ? [] : [{ row, sample }];
  });
}

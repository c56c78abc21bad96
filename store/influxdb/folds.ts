import { createHash } from 'node:crypto';
import { DAY, LOOKBACK, StoreUnavailable } from '@nephometer/core';
import type { FoldRow, FoldsQuery, Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { lineOf, textFields } from './line.ts';
import { pages, rowOf, tagEquals } from './query.ts';
import type { Row } from './query.ts';
import { decodeText, isWhole, joinChunks, tagText } from './text.ts';
import { writeLines } from './write-lines.ts';

/** `head` of a point: what it is of, beside the row's own head. */
type Label = readonly [series: string, resourceId: string, asOf: Micros, head: string];

const PAGE = 1000;

/**
 * A row of a day is a point within that day, at a time made of the hash of its series and moment: resources are too many
 * for tags, and retention goes by time. Rows of no meter stand at their moment, their series as a tag.
 */
export async function appendFolds(client: InfluxClient, writer: string, rows: readonly FoldRow[]): Promise<void> {
  const lines = rows.map((row) => {
    const { meter, series, resourceId, asOf, head, body } = row;
    const label: Label = [series, resourceId, asOf, head];
    const tags = { meter: tagText(meter), writer, ...(meter === '' ? { series: tagText(series) } : {}) };
    const fields = { ...textFields('head', JSON.stringify(label)), ...textFields('body', body) };
    return lineOf({ measurement: 'fold', tags, fields, ...(meter === '' ? { at: asOf, place: 0 } : spotOf(row)) });
  });
  await writeLines(client, lines);
}

function spotOf({ day, series, asOf }: FoldRow): { readonly at: Micros; readonly place: number } {
  const hash = createHash('sha256').update(`${asOf} ${series}`).digest().readBigUInt64BE();
  return { at: day + Number((hash >> 10n) % BigInt(DAY)), place: Number(hash & 1023n) % 1000 };
}

/** @param horizon where retention has cut the meter */
export async function* readFolds(
  client: InfluxClient,
  query: FoldsQuery,
  horizon: Micros | null,
): AsyncGenerator<FoldRow[]> {
  const { meter, from, to } = query;
  if (meter === '') {
    yield await newestOfNoMeter(client, query);
    return;
  }
  const start = horizon === null ? from : Math.max(from, Math.ceil((horizon + LOOKBACK) / DAY) * DAY);
  for (let day = start; day < to; day += DAY) {
    const rows = await newestOfDay(client, query, day);
    if (rows.length > 0) yield rows;
  }
}

async function newestOfNoMeter(client: InfluxClient, { asOf }: FoldsQuery): Promise<FoldRow[]> {
  const where = `${tagEquals('meter', tagText(''))} AND time <= ${asOf}999`;
  const statement = `SELECT last("head") FROM "fold" WHERE ${where} GROUP BY "series"`;
  const [found = []] = await client.query([statement]);
  return found.flatMap(({ values }) =>
    values.map((row): FoldRow => {
      const text = rowOf(row).values[0];
      const [series, resourceId, moment, head] = labelOf(decodeText((text ?? '').slice(1)));
      return { meter: '', day: 0, series, resourceId, asOf: moment, head, body: '' };
    }),
  );
}

async function newestOfDay(
  client: InfluxClient,
  { meter, asOf, resourceIds, headsOnly = false }: FoldsQuery,
  day: Micros,
): Promise<FoldRow[]> {
  const wanted = resourceIds === undefined ? null : new Set(['', ...resourceIds]);
  const question = {
    fields: headsOnly ? 'head' : 'head, body',
    measurement: 'fold',
    where: [tagEquals('meter', tagText(meter))],
    span: { from: day, to: day + DAY - 1 },
    order: 'oldest',
    limit: PAGE,
  } as const;
  const newest = new Map<string, FoldRow>();
  for await (const rows of pages(client, question)) {
    for (const { head: label, body } of await textsOf(client, meter, rows)) {
      const [series, resourceId, moment, head] = labelOf(label);
      const isOlder = moment < (newest.get(series)?.asOf ?? -Infinity);
      if (moment > asOf || isOlder || wanted?.has(resourceId) === false) continue;
      newest.set(series, { meter, day, series, resourceId, asOf: moment, head, body });
    }
  }
  return [...newest.values()];
}

function labelOf(text: string): Label {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this store writes this measurement
    return JSON.parse(text) as Label;
  } catch {
    throw new StoreUnavailable(`InfluxDB holds a fold line that is not ours: ${text.slice(0, 100)}`);
  }
}

interface Texts {
  readonly head: string;
  readonly body: string;
}

/** Texts in several pieces are fetched again with all of them. */
async function textsOf(client: InfluxClient, meter: string, rows: readonly Row[]): Promise<Texts[]> {
  const texts: Texts[] = [];
  const torn = new Set<Micros>();
  for (const { at, values } of rows) {
    const [head, body] = values;
    if (head == null) continue;
    if (!isWhole(head) || (body != null && !isWhole(body))) torn.add(at);
    else texts.push({ head: decodeText(head.slice(1)), body: body == null ? '' : decodeText(body.slice(1)) });
  }
  for (const at of torn) texts.push(...(await wholeTexts(client, meter, at)));
  return texts;
}

/** All of one microsecond; those that are whole come twice then, which does no harm. */
async function wholeTexts(client: InfluxClient, meter: string, at: Micros): Promise<Texts[]> {
  const where = `${tagEquals('meter', tagText(meter))} AND time >= ${at}000 AND time <= ${at}999`;
  const [series = []] = await client.query([`SELECT /^(head|body)\\d*$/ FROM "fold" WHERE ${where} GROUP BY *`]);
  return series.flatMap(({ columns, values }) =>
    values.map((row) => ({ head: joined('head', columns, row), body: joined('body', columns, row) })),
  );
}

/** Columns come in the order of their names; pieces are joined in that of their numbers. */
function joined(name: string, columns: readonly string[], row: readonly unknown[]): string {
  const pieces = columns
    .map((column, i) => [column, row[i]] as const)
    .filter((piece): piece is readonly [string, string] => piece[0].startsWith(name) && typeof piece[1] === 'string')
    .sort(([a], [b]) => Number(a.slice(name.length)) - Number(b.slice(name.length)));
  return joinChunks(pieces.map(([, text]) => text));
}

import type { Arrival, ArrivalsQuery, Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import type { Ledger, Recorded } from './ledger.ts';
import { pages, tagEquals } from './query.ts';
import type { Span } from './query.ts';
import type { PointSample } from './sample-point.ts';
import { readRows } from './sample-rows.ts';
import { tagText } from './text.ts';

const PAGE = 5000;
/** Extents that are no further apart are read as one. */
const NEAR: Micros = 60_000_000;

/** The ledger says of which time the samples are: that is read, and of it what these batches brought. */
export async function* readArrivals(
  client: InfluxClient,
  ledger: Ledger,
  { after, upTo, meter }: ArrivalsQuery,
): AsyncGenerator<Arrival[]> {
  for await (const rows of ledger.pages({ after, upTo })) {
    yield rows.filter(({ extent }) => extent === undefined).map(anything);
    const byDigest = new Map(rows.map((row) => [row.digest, row]));
    for (const span of spansOf(rows)) {
      const where = meter === undefined ? [] : [tagEquals('meter', tagText(meter))];
      const question = { fields: 'record', measurement: 'sample', where, span, order: 'oldest', limit: PAGE } as const;
      for await (const page of pages(client, question)) {
        yield (await readRows(client, page)).flatMap((point) => arrivalOf(point, byDigest.get(point.digest)));
      }
    }
  }
}

/** Written by a version that did not say of which time it is. */
function anything({ agentId, recordedAt }: Recorded): Arrival {
  return { series: null, agentId, recordedAt, first: Number.MIN_SAFE_INTEGER, last: Number.MAX_SAFE_INTEGER };
}

function spansOf(rows: readonly Recorded[]): Span[] {
  const spans: { from: Micros; to: Micros }[] = [];
  const extents = rows.flatMap(({ extent }) => (extent == null ? [] : [extent]));
  for (const [from, to] of extents.sort(([a], [b]) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && from <= last.to + NEAR) last.to = Math.max(last.to, to);
    else spans.push({ from, to });
  }
  return spans;
}

function arrivalOf({ sample, writer }: PointSample, row: Recorded | undefined): Arrival[] {
  if (row === undefined || row.writer !== writer) return [];
  const { source, meter, type, unit, resourceId, timestamp, slot } = sample;
  const { agentId, recordedAt } = row;
  const [first, last] = [Math.min(timestamp, slot ?? timestamp), Math.max(timestamp, slot ?? timestamp)];
  return [{ series: { source, meter, type, unit, resourceId }, agentId, recordedAt, first, last }];
}

import { edgesOf, seriesKey } from '@nephometer/core';
import type { Edge, EdgesQuery, SampleQuery, Series } from '@nephometer/core';
import { groupEdges } from './edges.ts';
import type { Narrowed } from './edges.ts';
import { tagEquals } from './query.ts';
import { visible } from './read.ts';
import type { ReadContext } from './read.ts';
import { samplesAt } from './sample-rows.ts';
import { tagText } from './text.ts';

/** More are told apart here. */
const MOST_NAMED = 50;

/** Of all owners of a series, since the edge may be another's. */
export async function readEdges(context: ReadContext, query: EdgesQuery): Promise<Edge[]> {
  const { meter, side, from, to, resourceIds, asOf } = query;
  if (resourceIds?.length === 0 || from >= to) return [];
  const asked: SampleQuery = {
    meter,
    order: side,
    from: { at: from, inclusive: true },
    to: { at: to, inclusive: false },
    ...(asOf === undefined ? {} : { asOf }),
  };
  const found = [...(await groupEdges(context, asked, seriesKey, narrowedBy(query))).values()];
  if (found.length === 0) return [];
  // Several senders may have read it at that instant.
  const spots = found.map(({ resourceId, timestamp }) => ({ resource: tagText(resourceId), at: timestamp }));
  const keys = new Set(found.map((sample) => `${seriesKey(sample)} ${sample.timestamp}`));
  const there = [...(await samplesAt(context.client, spots)).values()].flat();
  const counting = (await visible(context, there, asked)).filter((sample) =>
    keys.has(`${seriesKey(sample)} ${sample.timestamp}`),
  );
  return edgesOf(counting, side);
}

function narrowedBy({ meter, resourceIds, except }: EdgesQuery): Narrowed {
  const wanted = resourceIds === undefined ? null : new Set(resourceIds.map(tagText));
  const where =
    wanted === null || wanted.size > MOST_NAMED
      ? []
      : [`(${[...wanted].map((resource) => tagEquals('resource', resource)).join(' OR ')})`];
  const left = new Set([...(except ?? [])].map((key) => tagKey(seriesOf(key))));
  return {
    where,
    isWanted: (tags) => {
      const { source = '', type = '', unit = '', resource = '' } = tags;
      return (wanted?.has(resource) ?? true) && !left.has(JSON.stringify([source, meter, type, unit, resource]));
    },
  };
}

function seriesOf(key: string): Series {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `seriesKey` writes it
  const [source, meter, type, unit, resourceId] = JSON.parse(key) as [
    string,
    string,
    Series['type'],
    string | null,
    string,
  ];
  return { source, meter, type, unit, resourceId };
}

function tagKey({ source, meter, type, unit, resourceId }: Series): string {
  return JSON.stringify([tagText(source), meter, type, tagText(unit), tagText(resourceId)]);
}

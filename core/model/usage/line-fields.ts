import { formatInstant } from '../../time.ts';
import { sha256 } from '../identity.ts';
import type { LineGap, UsageLine, UsageQuery } from './query.ts';

/** What a line is an answer to. */
export interface LineOrigin {
  readonly meter: string;
  /** Of the definition; null where the question spelled it out. */
  readonly name: string | null;
  readonly query: UsageQuery;
}

/** A line as it is written in JSON, without what depends on who asks and when: properties in their order. */
export function lineFields(
  line: UsageLine,
  origin: LineOrigin,
): Readonly<Record<string, unknown>> & { readonly id: string } {
  const { quantity, unit, lower, upper, estimated, unrounded, coverage, basis, resets, samples, revision } = line;
  return {
    id: lineId(line, origin),
    from: formatInstant(line.from),
    to: formatInstant(line.to),
    group: line.group,
    quantity,
    unit,
    lower,
    upper,
    estimated,
    ...(origin.query.rounding === null ? {} : { unrounded }),
    coverage,
    basis,
    resets,
    samples,
    revision: revision === null ? null : formatInstant(revision),
  };
}

/** What is measured, how and of whom: the figure, and what it is asked as of, are not part of it. */
function lineId({ from, to, group, unit }: UsageLine, { meter, name, query }: LineOrigin): string {
  const what = name ?? [meter, query.kind];
  const filter = [...query.filter].filter(([field]) => !(field in group));
  return sha256(JSON.stringify([what, from, to, Object.entries(group), filter, unit])).slice(0, 32);
}

export function gapFields({ from, to, reason, resourceId, source }: LineGap): Record<string, unknown> {
  return { from: formatInstant(from), to: formatInstant(to), reason, resource_id: resourceId, source };
}

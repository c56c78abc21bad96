import { formatTimestamp, parseTimestamp, toLocal } from '@nephometer/core';
import type { Column } from './format.ts';

/* How tables for people say what the API says for programs. */

/** Not known: not the same as zero. */
export const UNKNOWN = '?';

/** Wall clock of a zone, to the minute where there is no more to say. */
export function localText(at: string, tz: string): string {
  const text = formatTimestamp(toLocal(parseTimestamp(at), tz)).replace('T', ' ');
  return text.endsWith(':00') ? text.slice(0, -3) : text;
}

/** Of a share of 0 to 1; cut off, since 99.999 % is not all. */
export function percent(share: string | null): string {
  return share === null ? UNKNOWN : `${Math.floor(Number(share) * 10_000) / 100} %`;
}

/** `project_id=p1 resource_id=?`. */
export function groupText(group: Readonly<Record<string, string | null>>): string {
  return Object.entries(group)
    .map(([field, value]) => `${field}=${value ?? UNKNOWN}`)
    .join(' ');
}

/** The line of a change: as it is now, or was before it went. */
export function lineOf<Line>(change: { readonly before: Line | null; readonly after: Line | null }): Line | null {
  return change.after ?? change.before;
}

/** What a table stands under: `as of ..., times of ...`. */
export function momentText({ as_of: asOf, settled }: { as_of: string; settled: boolean }, tz: string): string {
  return `as of ${asOf}${settled ? '' : ' (not settled yet)'}, times of ${tz}\n`;
}

type Group = Readonly<Record<string, string | null>>;

/** A column for each field that lines are grouped by. */
export function groupColumns<Row>(
  rows: readonly Row[],
  groupOf: (row: Row) => Group | undefined,
  shown: (value: string | null | undefined) => string | null | undefined = (value) => value,
): Column<Row>[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(groupOf(row) ?? {})))];
  return names.map((name) => ({ title: name, value: (row) => shown(groupOf(row)?.[name]) }));
}

/** In a table: who it is of, or that nobody knows it. */
export function knownOr(value: string | null | undefined): string {
  return value ?? '(not known)';
}

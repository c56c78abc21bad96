import { canonicalText, compareText, fromPlain, sha256, TZDATA_VERSION } from '@nephometer/core';
import type { Entry, Identity, Micros, Store } from '@nephometer/core';
import { z } from 'zod';
import { visibleTo } from '../../auth.ts';
import { badRequest, httpError, notFound } from '../../errors.ts';
import { checkFields } from '../usage/ask.ts';
import type { Moment, UsageDesk } from '../usage/desk.ts';
import { momentOf } from '../usage/question.ts';
import { VERSION } from '../../version.ts';
import { ENCODING } from './encode.ts';
import { inNameOrder } from './plan.ts';
import { quantitiesOf } from './quantities.ts';
import { ExportRequest } from './schemas.ts';

/** The entry of kind `export`: the question, narrowed to what its maker may see, and what the bytes depend on. */
const StoredExport = z.strictObject({
  encoding: z.int(),
  generator: z.string(),
  asked: z.record(z.string(), z.unknown()),
  /** Microseconds. */
  as_of: z.int(),
  tzdata: z.string(),
  definitions: z.array(z.strictObject({ name: z.string(), hash: z.string() })),
});
export type StoredExport = z.output<typeof StoredExport>;

/** @param given the fields as they were spelled @throws HttpError 400, 403 */
export async function storedOf(desk: UsageDesk, given: unknown, identity: Identity): Promise<StoredExport> {
  const fields = checkFields(given, ExportRequest);
  const { asOf } = settledMoment(desk, fields.as_of, fields.tz);
  const known = await quantitiesOf(desk, fields, asOf);
  const { as_of: _asOf, ...rest } = given as Record<string, unknown>;
  return {
    encoding: ENCODING,
    generator: VERSION,
    asked: inNameOrder(narrowed(rest, identity)),
    as_of: asOf,
    tzdata: TZDATA_VERSION,
    definitions: known.map(({ definition: { name }, hash }) => ({ name, hash })),
  };
}

/** @throws HttpError 400 for a moment that later writes can still change */
function settledMoment(desk: UsageDesk, asked: string | undefined, tz: string): Moment {
  if (asked === undefined) return desk.settledNow();
  const at = momentOf('as_of', asked, tz);
  if (at <= desk.settledNow().asOf) return desk.momentAt(at);
  throw badRequest(`as_of: found ${asked}, which is not settled yet; an earlier moment would be right, or none.`);
}

/** A reader that names no project means all of its own: they are written down, and do not change with the token. */
function narrowed(fields: Readonly<Record<string, unknown>>, identity: Identity): Record<string, unknown> {
  const { projectIds, userId } = visibleTo(identity);
  const asked = checkFields(fields, ExportRequest);
  const hidden = (visible: readonly string[], values: readonly (string | null)[] | undefined): boolean =>
    (values ?? []).some((value) => value === null || !visible.includes(value));
  if (
    (projectIds !== undefined && hidden(projectIds, asked.project_id)) ||
    (userId !== undefined && hidden([userId], asked.user_id))
  ) {
    throw httpError('MTR_FORBIDDEN', 'This token may not see all of the projects or users that were asked for.');
  }
  return {
    ...fields,
    ...(projectIds === undefined || asked.project_id !== undefined
      ? {}
      : { project_id: [...projectIds].sort(compareText) }),
    ...(userId === undefined || asked.user_id !== undefined ? {} : { user_id: [userId] }),
  };
}

export function exportId(stored: StoredExport): string {
  return sha256(canonicalText(fromPlain(stored))).slice(0, 32);
}

export async function keepExport(store: Store, id: string, stored: StoredExport): Promise<void> {
  await store.appendEntry({ kind: 'export', id, body: JSON.stringify(stored) });
}

/** @throws HttpError 404 where there is none, or none that this identity may see */
export async function findExport(store: Store, id: string, identity: Identity): Promise<StoredExport> {
  const [entry] = await store.entries({ kind: 'export', id, limit: 1 });
  const stored = entry === undefined ? null : StoredExport.parse(JSON.parse(entry.body));
  if (stored === null || !maySee(stored, identity)) throw notFound(`There is no export ${id.slice(0, 60)}.`);
  return stored;
}

/** One that was asked for, and when first. */
export interface ListedExport {
  readonly id: string;
  readonly recordedAt: Micros;
  readonly stored: StoredExport;
}

/** Entries that are read at once. */
const PAGE = 200;

/** Newest first, and of one moment by id. @param after those up to this one were had already */
export async function* newestExports(
  store: Store,
  identity: Identity,
  after: readonly [recordedAt: Micros, id: string] | null,
): AsyncGenerator<ListedExport> {
  const seen = new Set<string>();
  let before = after === null ? Infinity : after[0] + 1;
  for (let limit = PAGE; ;) {
    const range = before === Infinity ? {} : { before };
    const entries = await store.entries({ kind: 'export', limit, ...range });
    const isLast = entries.length < limit;
    const oldest = entries.at(-1)?.recordedAt ?? 0;
    // Of the oldest moment there may be more than were read, so it waits for the next time.
    const whole = isLast ? entries : entries.filter(({ recordedAt }) => recordedAt > oldest);
    const fresh = whole.filter(
      ({ id, recordedAt }) => isBehind(after, recordedAt, id) && !seen.has(id) && seen.add(id),
    );
    for (const { id, recordedAt, body } of fresh.sort(compareEntries)) {
      const stored = StoredExport.parse(JSON.parse(body));
      if (maySee(stored, identity)) yield { id, recordedAt, stored };
    }
    if (isLast) return;
    // Where all are of one moment, more of them are read.
    if (whole.length === 0) limit *= 2;
    before = oldest + 1;
  }
}

function isBehind(after: readonly [Micros, string] | null, recordedAt: Micros, id: string): boolean {
  if (after === null) return true;
  return recordedAt < after[0] || (recordedAt === after[0] && compareText(id, after[1]) > 0);
}

function compareEntries(a: Entry, b: Entry): number {
  return b.recordedAt - a.recordedAt || compareText(a.id, b.id);
}

function maySee({ asked }: StoredExport, identity: Identity): boolean {
  const { projectIds, userId } = visibleTo(identity);
  if (projectIds === undefined && userId === undefined) return true;
  const { project_id: projects, user_id: users } = checkFields(asked, ExportRequest);
  const within = (visible: readonly string[], values: readonly (string | null)[] | undefined): boolean =>
    values !== undefined && values.every((value) => value !== null && visible.includes(value));
  return (
    (projectIds === undefined || within(projectIds, projects)) && (userId === undefined || within([userId], users))
  );
}

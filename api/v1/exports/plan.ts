import { compareText, definitionQuery, formatInstant, TZDATA_VERSION } from '@nephometer/core';
import type { Identity, Micros, Period, Store, UsageDefinition } from '@nephometer/core';
import { httpError } from '../../errors.ts';
import { checkFields } from '../usage/ask.ts';
import type { UsageDesk } from '../usage/desk.ts';
import { momentOf } from '../usage/question.ts';
import type { UsageQuestion } from '../usage/question.ts';
import { ENCODING } from './encode.ts';
import { focusColumns, focusMetadata } from './focus.ts';
import { isUnnamed, quantityOf } from './quantities.ts';
import { ExportRequest } from './schemas.ts';
import type { ExportHeadAnswer, ExportPlanAnswer } from './schemas.ts';
import { partitionSpans } from './spans.ts';
import type { PartitionSpan } from './spans.ts';
import { skippedSeries } from './skipped.ts';
import type { ListedExport, StoredExport } from './book.ts';
import { usageColumns } from './table.ts';
import type { ExportColumn } from './table.ts';

/** One quantity of an export. */
export interface PlannedDefinition {
  readonly definition: UsageDefinition;
  readonly hash: string;
  /** The whole period. */
  readonly question: UsageQuestion;
}

/** All that the bytes of an export follow from, but the store. */
export interface ExportPlan {
  readonly id: string;
  readonly stored: StoredExport;
  readonly asked: ExportRequest;
  readonly asOf: Micros;
  readonly definitions: readonly PlannedDefinition[];
  readonly columns: readonly ExportColumn[];
  readonly spans: readonly PartitionSpan[];
}

/** What an export holds was narrowed to what its maker may see when it was asked for. */
const WHOLE: Identity = { name: 'export', role: 'admin', projects: null, userId: null };

/** @throws HttpError 400 for what does not fit together, 409 where this server would give other bytes */
export async function planOf(desk: UsageDesk, id: string, stored: StoredExport): Promise<ExportPlan> {
  const asked = checkFields(stored.asked, ExportRequest);
  assertSame('encoding', stored.encoding, ENCODING);
  assertSame('time zone database', stored.tzdata, TZDATA_VERSION);
  const asOf = stored.as_of;
  const definitions: PlannedDefinition[] = [];
  for (const { name, hash } of stored.definitions) {
    const known = await quantityOf(desk, asked, name, asOf);
    assertSame(`definition ${name}`, hash, known.hash);
    const question = await questionIn(desk, asked, known.definition, asOf, null);
    definitions.push({ definition: known.definition, hash, question });
  }
  const [first] = definitions;
  if (first === undefined) throw new TypeError('An export has one definition at least.');
  const { query } = first.question;
  const hasEstimate = (asked.estimate ?? 'none') !== 'none';
  const columns =
    asked.shape === 'focus'
      ? focusColumns(query, asked.region ?? null, hasEstimate)
      : usageColumns(
          [...new Set(definitions.flatMap(({ question }) => question.query.groupBy))],
          hasEstimate,
          definitions.some(({ question }) => question.query.rounding !== null),
        );
  return { id, stored, asked, asOf, definitions, columns, spans: partitionSpans(query, asked.partition) };
}

function assertSame(what: string, then: string | number, now: string | number): void {
  if (then === now) return;
  const detail = `The export was made with ${what} ${then}; this server has ${now}. Ask for a new export.`;
  throw httpError('MTR_EXPORT_OUTDATED', detail);
}

/** What is asked of one definition: of a partition, or (null) of the whole period. */
export function questionIn(
  desk: UsageDesk,
  asked: ExportRequest,
  definition: UsageDefinition,
  asOf: Micros,
  span: Period | null,
): Promise<UsageQuestion> {
  const period = span === null ? {} : { from: formatInstant(span.from), to: formatInstant(span.to) };
  const own = definitionQuery(definition).groupBy;
  const named = isUnnamed(asked) ? {} : { definition: definition.name };
  const usual = asked.shape === 'focus' ? [...new Set(['project_id', 'resource_id', ...own] as const)] : [...own];
  const whole = { ...asked, group_by: asked.group_by ?? usual, gaps: true, evidence: false };
  return desk.question({ ...whole, ...period, ...named }, WHOLE, asOf);
}

const ADDITIVE: readonly string[] = ['duration', 'integral', 'increase', 'sum', 'count'];

/** `ExportHeadAnswer`: what is known without asking the store. */
export function headAnswer({ id, recordedAt, stored }: ListedExport): ExportHeadAnswer {
  const { from, to, tz, window, format, shape, partition } = checkFields(stored.asked, ExportRequest);
  return {
    id,
    recorded_at: formatInstant(recordedAt),
    as_of: formatInstant(stored.as_of),
    from: formatInstant(momentOf('from', from, tz)),
    to: formatInstant(momentOf('to', to, tz)),
    window,
    tz,
    definitions: stored.definitions,
    format,
    shape,
    partition,
    outdated: stored.encoding !== ENCODING || stored.tzdata !== TZDATA_VERSION,
    asked: stored.asked,
  };
}

/** `ExportPlanAnswer`: the manifest's beginning, and the partitions that there will be. */
export async function planAnswer(store: Store, plan: ExportPlan): Promise<ExportPlanAnswer> {
  const partitions = plan.spans.map(({ name, from, to }) => ({
    name,
    from: formatInstant(from),
    to: formatInstant(to),
  }));
  return { ...(await headOf(store, plan)), partitions };
}

/** What is known of an export before a line is made. */
export async function headOf(store: Store, plan: ExportPlan): Promise<Omit<ExportPlanAnswer, 'partitions'>> {
  const { id, stored, asked, asOf, definitions, columns } = plan;
  const { from, to, tz, format, shape, partition, part_rows } = asked;
  const focus = shape === 'focus' ? { focus: focusMetadata(columns, stored.generator, asOf) } : {};
  return {
    kind: 'nephometer-export',
    version: 1,
    id,
    generator: { name: 'nephometer', version: stored.generator },
    question: {
      asked: stored.asked,
      definitions: definitions.map(({ definition: { name, meter, kind, unit }, hash, question }) => ({
        name,
        hash,
        meter,
        kind,
        unit,
        additive: ADDITIVE.includes(kind),
        group_by: [...question.query.groupBy],
      })),
      from: formatInstant(momentOf('from', from, tz)),
      to: formatInstant(momentOf('to', to, tz)),
      window: asked.window,
      tz,
      tzdata: stored.tzdata,
    },
    skipped: await skippedSeries(store, plan),
    as_of: formatInstant(asOf),
    settled: true,
    format,
    shape,
    schema: {
      columns: columns.map(({ name, type, nullable, description }) => ({ name, type, nullable, description })),
      ...focus,
    },
    partition,
    part_rows,
    parts: `/v1/exports/${id}/parts/`,
  };
}

/** Names in order, so that the same question has the same id. */
export function inNameOrder(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => compareText(a, b)));
}

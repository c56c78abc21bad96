import { WINDOWS } from '@nephometer/core';
import { z } from 'zod';
import { UsageFields } from '../usage/fields.ts';

export const EXPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
export const EXPORT_SHAPES = ['usage', 'focus'] as const;
export const PARTITIONS = ['none', 'day', 'month'] as const;
export type PartitionBy = (typeof PARTITIONS)[number];

const Names = z
  .union([z.string(), z.array(z.string())], { error: 'must be a name or a list of names' })
  .transform((given) => [...new Set([given].flat().flatMap((text) => text.split(',')))].filter((name) => name !== ''))
  .pipe(z.array(z.string()).min(1));

export const ExportRequest = UsageFields.omit({
  definition: true,
  gaps: true,
  evidence: true,
  limit: true,
  cursor: true,
}).extend({
  definitions: Names.optional().meta({
    description: 'Named quantities; without a `meter`, all that are in force if missing.',
  }),
  to: z.string().meta({ description: 'Last instant, excluded: with a zone, or a local date or time in `tz`.' }),
  window: z.enum(WINDOWS).prefault('day').meta({ description: 'Calendar windows, one line each.' }),
  as_of: z.string().optional().meta({ description: 'A settled moment. Default: the newest.' }),
  format: z.enum(EXPORT_FORMATS).prefault('csv'),
  shape: z.enum(EXPORT_SHAPES).prefault('usage').meta({
    description: '`usage`: lines as /v1/usage has them. `focus`: the columns of FOCUS 1.2 that a meter can fill.',
  }),
  partition: z.enum(PARTITIONS).prefault('day').meta({
    description: 'Lines whose windows start on one local day, or in one local month, make a partition.',
  }),
  part_rows: z.int().positive().max(1_000_000).prefault(50_000).meta({ description: 'Most rows of one file.' }),
  region: z.string().min(1).optional().meta({
    description: 'RegionId of `focus` rows, where no group says it (`metadata.region`).',
  }),
  guard_formulas: z.boolean().prefault(false).meta({
    description: "In CSV, `'` before texts that a spreadsheet would take for a formula.",
  }),
});
export type ExportRequest = z.output<typeof ExportRequest>;

export const ExportsQuery = z.strictObject({
  limit: UsageFields.shape.limit.meta({ description: 'Most exports of the answer.' }),
  cursor: UsageFields.shape.cursor,
});

const Time = z.string().meta({ format: 'date-time' });
const Amount = z.string().meta({ description: 'Exact decimal.' });
const Count = z.int().nonnegative();

const ColumnAnswer = z.strictObject({
  name: z.string(),
  type: z.enum(['string', 'timestamp', 'decimal', 'integer']),
  nullable: z.boolean(),
  description: z.string(),
});

export const ExportAnswer = z.strictObject({
  kind: z.literal('nephometer-export'),
  version: z.literal(1),
  id: z.string(),
  generator: z.strictObject({ name: z.string(), version: z.string() }),
  question: z.strictObject({
    asked: z.record(z.string(), z.unknown()).meta({ description: 'As the request spelled it.' }),
    definitions: z.array(
      z.strictObject({
        name: z.string().meta({ description: 'Of a quantity without a name, `KIND(METER)`.' }),
        hash: z.string(),
        meter: z.string(),
        kind: z.string(),
        unit: z.string().nullable(),
        additive: z.boolean().meta({ description: 'Whether lines sum to what the whole period has.' }),
        group_by: z.array(z.string()),
      }),
    ),
    from: Time,
    to: Time,
    window: z.string(),
    tz: z.string(),
    tzdata: z.string(),
  }),
  skipped: z
    .array(
      z.strictObject({
        definition: z.string(),
        reason: z.enum(['type', 'unit']),
        type: z.string(),
        unit: z.string().nullable(),
        series: Count,
      }),
    )
    .meta({ description: 'Series with samples in the period that a definition has no answer for.' }),
  as_of: Time,
  settled: z.literal(true),
  format: z.enum(EXPORT_FORMATS),
  shape: z.enum(EXPORT_SHAPES),
  schema: z.strictObject({
    columns: z.array(ColumnAnswer),
    focus: z.record(z.string(), z.unknown()).optional().meta({ description: 'FOCUS metadata, of `focus` only.' }),
  }),
  partition: z.enum(PARTITIONS),
  part_rows: z.int(),
  parts: z.string().meta({ description: 'Before the name of a file: where its bytes are.' }),
});

/** What a list shows of an export. */
export const ExportHeadAnswer = z.strictObject({
  id: z.string(),
  recorded_at: Time.meta({ description: 'When it was asked for first.' }),
  as_of: Time,
  from: Time,
  to: Time,
  window: z.string(),
  tz: z.string(),
  definitions: z.array(z.strictObject({ name: z.string(), hash: z.string() })),
  format: z.enum(EXPORT_FORMATS),
  shape: z.enum(EXPORT_SHAPES),
  partition: z.enum(PARTITIONS),
  outdated: z.boolean().meta({
    description: 'Whether this server has another encoding or time zone database, and would refuse its files.',
  }),
  asked: z.record(z.string(), z.unknown()).meta({ description: 'As the request spelled it.' }),
});
export type ExportHeadAnswer = z.output<typeof ExportHeadAnswer>;

export const ExportsAnswer = z.strictObject({ exports: z.array(ExportHeadAnswer), next: z.string().nullable() });
export type ExportsAnswer = z.output<typeof ExportsAnswer>;

const TotalAnswer = z.strictObject({
  definition: z.string(),
  unit: z.string().nullable(),
  rows: Count,
  unknown: Count.meta({ description: 'Rows without a quantity: nothing was read, which is not zero.' }),
  quantity: Amount,
  lower: Amount.nullable(),
  upper: Amount.nullable(),
});

const CompletenessAnswer = z.strictObject({
  full: Count.meta({ description: 'Rows measured without a gap.' }),
  part: Count,
  unknown: Count,
  lowest_coverage: Amount.nullable(),
  gaps: Count,
  gap_reasons: z.record(z.string(), Count),
  finality: z.record(z.string(), Count).meta({ description: 'Rows by finality.' }),
});

const PartAnswer = z.strictObject({ file: z.string(), rows: Count, bytes: Count, sha256: z.string() });

export const ExportPartitionAnswer = z.strictObject({
  name: z.string(),
  from: Time,
  to: Time,
  rows: Count,
  bytes: Count,
  parts: z.array(PartAnswer),
  totals: z.array(TotalAnswer),
  completeness: CompletenessAnswer,
});
export type ExportPartitionAnswer = z.output<typeof ExportPartitionAnswer>;

export const ExportPlanAnswer = ExportAnswer.extend({
  partitions: z.array(z.strictObject({ name: z.string(), from: Time, to: Time })),
});
export type ExportPlanAnswer = z.output<typeof ExportPlanAnswer>;

export const ExportManifestAnswer = ExportAnswer.extend({
  partitions: z.array(ExportPartitionAnswer),
  rows: Count,
  bytes: Count,
  totals: z.array(TotalAnswer).meta({ description: 'Over all partitions, by definition and unit.' }),
  completeness: CompletenessAnswer,
  digest: z.string().meta({ description: 'SHA-256 of this document as compact JSON without `digest`.' }),
});
export type ExportManifestAnswer = z.output<typeof ExportManifestAnswer>;

import { z } from 'zod';
import { canonicalText } from '../../signing/canonical.ts';
import { fromPlain } from '../../json.ts';
import { parseTimestamp } from '../../time.ts';
import { NEPHOMETER_NAMESPACE, uuidv5 } from '../../uuid.ts';
import { lengthDelimited } from '../identity.ts';
import { definitionQuery, isUsageField, UsageDefinition } from '../usage/definition.ts';
import { foldUsage } from '../usage/fold.ts';
import { gapFields, lineFields } from '../usage/line-fields.ts';
import { usageQuery } from '../usage/query.ts';
import type { UsageLine, UsageQuery } from '../usage/query.ts';
import type { UsageFacts } from '../usage/types.ts';
import { parseAnchor, WINDOWS } from '../usage/windows.ts';

export const STATEMENT_FORMAT = 'nephometer statement 1';

const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

const FrozenGap = z.strictObject({
  from: z.string(),
  to: z.string(),
  reason: z.string(),
  resource_id: z.string(),
  source: z.string(),
});

/** A line as it was when the period was closed. */
export const FrozenLine = z.strictObject({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  group: z.record(z.string(), z.string().nullable()),
  quantity: z.string().nullable(),
  unit: z.string().nullable(),
  lower: z.string().nullable(),
  upper: z.string().nullable(),
  estimated: z.string().nullable(),
  unrounded: z.string().nullable().optional(),
  coverage: z.string().nullable(),
  basis: z.string(),
  resets: z.int(),
  samples: z.int(),
  revision: z.string().nullable(),
  finality: z.literal('closed'),
  gaps: z.array(FrozenGap),
});
export type FrozenLine = z.infer<typeof FrozenLine>;

/** The figures of one named quantity, with the definition that they were made by. */
export const StatementPart = z.strictObject({
  definition: UsageDefinition,
  hash: Digest,
  group_by: z.array(z.string()),
  lines: z.array(FrozenLine),
});
export type StatementPart = z.infer<typeof StatementPart>;

/** What the figures stand on, told in digests: see evidence.ts. */
export const EvidenceSummary = z.strictObject({
  digest: Digest,
  samples: z.int().nonnegative(),
  others: z.int().nonnegative(),
  batches: z.int().nonnegative(),
  losses: z.int().nonnegative(),
  voids: z.int().nonnegative(),
  /** Absent in statements that were made before these were told. */
  resolutions: z.int().nonnegative().optional(),
  versions: z.int().nonnegative().optional(),
});
export type EvidenceSummary = z.infer<typeof EvidenceSummary>;

/** What no line can show: what should have been measured, and never was. */
export const STATEMENT_WARNINGS = ['agent-not-heard', 'never-sampled', 'not-sampled-then', 'unknown-resource'] as const;

/** `count` agents, whichever meter they have, or resources of one meter. */
export const StatementWarning = z.strictObject({
  warning: z.enum(STATEMENT_WARNINGS),
  meter: z.string().nullable(),
  count: z.int().positive(),
});
export type StatementWarning = z.infer<typeof StatementWarning>;

/** What a statement says, before it is signed. Instants are `2026-03-01T00:00:00Z` with up to six digits of fraction. */
export const StatementContent = z.strictObject({
  format: z.literal(STATEMENT_FORMAT),
  /** Edition of the rules that its figures follow (`USAGE_RULES`). Absent in statements that were made before rules had editions. */
  rules: z.int().positive().optional(),
  statement_id: z.string(),
  /** Null: what was used by nobody known. */
  project_id: z.string().nullable(),
  from: z.string(),
  to: z.string(),
  tz: z.string(),
  tzdata: z.string(),
  window: z.enum(WINDOWS),
  anchor: z.string().nullable(),
  as_of: z.string(),
  /** Least coverage of a line that was asked for; null: none. */
  min_coverage: z.string().nullable(),
  /** Lines below it, or not known at all. */
  flagged: z.array(z.strictObject({ definition: z.string(), line: z.string(), coverage: z.string().nullable() })),
  /** Absent in statements that were made before there were warnings. */
  warnings: z.array(StatementWarning).optional(),
  usage: z.array(StatementPart),
  /** `detail`: how much had to be told of readings of other projects, on series that changed hands; 0 is the least. */
  evidence: EvidenceSummary.extend({ detail: z.int().nonnegative() }),
});
export type StatementContent = z.infer<typeof StatementContent>;

export const StatementSignature = z.strictObject({
  algorithm: z.literal('Ed25519'),
  key_id: z.string(),
  /** The 32 bytes of the key, base64. */
  public_key: z.string(),
  /** 64 bytes, base64. */
  value: z.string(),
});

export const Statement = StatementContent.extend({ digest: Digest, signature: StatementSignature });
export type Statement = z.infer<typeof Statement>;

/** The bytes that digest and signature are over: the format's name, a line feed, the content in canonical form. */
export function statementText(content: StatementContent | Statement): string {
  const { digest: _digest, signature: _signature, ...rest } = content as Statement;
  return `${STATEMENT_FORMAT}\n${canonicalText(fromPlain(rest))}`;
}

/** One project has one statement of one period, whatever it is asked with. */
export function statementId(projectId: string | null, from: string, to: string): string {
  const project = projectId === null ? ['nobody'] : ['project', projectId];
  return uuidv5(NEPHOMETER_NAMESPACE, lengthDelimited(['statement', ...project, from, to]));
}

/** The question that a part of a statement answers. */
export function statementQuery(statement: StatementContent, part: StatementPart): UsageQuery {
  const { from, to, tz, window, anchor, as_of: asOf, project_id: projectId } = statement;
  return usageQuery({
    ...definitionQuery(part.definition),
    from: parseTimestamp(from),
    to: parseTimestamp(to),
    tz,
    window,
    ...(anchor === null ? {} : { anchor: parseAnchor(anchor) }),
    groupBy: part.group_by.filter(isUsageField),
    filter: new Map([['project_id', [projectId]]]),
    asOf: parseTimestamp(asOf),
    gaps: true,
  });
}

/** The lines of a part, made anew from facts. */
export function statementLines(statement: StatementContent, part: StatementPart, facts: UsageFacts): FrozenLine[] {
  const query = statementQuery(statement, part);
  return foldUsage(facts, query).lines.map((line) => frozenLine(line, part.definition, query));
}

export function frozenLine(line: UsageLine, { meter, name }: UsageDefinition, query: UsageQuery): FrozenLine {
  const fields = lineFields(line, { meter, name, query });
  return FrozenLine.parse({ ...fields, finality: 'closed', gaps: line.gaps.map(gapFields) });
}

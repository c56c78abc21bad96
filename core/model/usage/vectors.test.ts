import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parseDecimal } from '../../decimal.ts';
import { formatInstant, parseDuration } from '../../time.ts';
import { foldUsage } from './fold.ts';
import { parseFraction } from './fraction.ts';
import { usageQuery } from './query.ts';
import type { UsageLine, UsageQuery } from './query.ts';
import type { Rounding } from './rounding.ts';
import { sketchCycle, sketchSample, utc } from './testing.ts';
import type { LostSpan, UsageField, UsageKind } from './types.ts';
import { parseAnchor, resolveInstant } from './windows.ts';
import type { WindowKind } from './windows.ts';

/** The vectors of test/vectors/usage; README.md there says what their fields mean. */
const FOLDER = new URL('../../../../test/vectors/usage/', import.meta.url);

interface Vector {
  readonly description: string;
  readonly series: readonly VectorSeries[];
  readonly cycles?: readonly VectorCycles[];
  readonly lost?: readonly (Omit<LostSpan, 'from' | 'to' | 'recordedAt'> & {
    readonly from: string;
    readonly to: string;
  })[];
  readonly questions: readonly { readonly ask: Ask; readonly lines: readonly object[] }[];
}

interface VectorSeries {
  readonly type: 'gauge' | 'delta' | 'cumulative';
  readonly unit: string;
  readonly resource: string;
  readonly agent: string | null;
  readonly readings: readonly (readonly [
    string,
    string,
    { project?: string | null; metadata?: Record<string, unknown> }?,
  ])[];
}

interface VectorCycles {
  readonly agent: string;
  readonly interval: string;
  readonly from: string;
  readonly to: string;
  readonly failed?: readonly string[];
  readonly skipped?: boolean;
}

interface Ask {
  readonly kind: UsageKind;
  readonly from: string;
  readonly to: string;
  readonly tz?: string;
  readonly window?: WindowKind;
  readonly anchor?: string;
  readonly group_by?: readonly UsageField[];
  readonly edge?: UsageQuery['edge'];
  readonly max_hold?: string;
  readonly step?: string;
  readonly conversion?: string;
  readonly unit?: string;
  readonly filter?: Readonly<Record<UsageField, readonly (string | null)[]>>;
  readonly floor?: string;
  readonly ceiling?: string;
  readonly rounding?: Pick<Rounding, 'where' | 'how'> & { readonly to: string; readonly minimum?: string };
}

function question(ask: Ask): UsageQuery {
  const tz = ask.tz ?? 'UTC';
  return usageQuery({
    kind: ask.kind,
    from: resolveInstant(ask.from, tz),
    to: resolveInstant(ask.to, tz),
    tz,
    gaps: true,
    window: ask.window ?? 'none',
    groupBy: ask.group_by ?? [],
    edge: ask.edge ?? 'interpolate',
    ...(ask.anchor === undefined ? {} : { anchor: parseAnchor(ask.anchor) }),
    ...(ask.max_hold === undefined ? {} : { maxHold: parseDuration(ask.max_hold) }),
    ...(ask.step === undefined ? {} : { step: parseDuration(ask.step) }),
    ...(ask.conversion === undefined ? {} : { conversion: parseFraction(ask.conversion) }),
    ...(ask.unit === undefined ? {} : { unit: ask.unit }),
    filter: new Map(Object.entries(ask.filter ?? {}) as [UsageField, (string | null)[]][]),
    ...(ask.floor === undefined ? {} : { floor: parseDecimal(ask.floor) }),
    ...(ask.ceiling === undefined ? {} : { ceiling: parseDecimal(ask.ceiling) }),
    rounding: ask.rounding === undefined ? null : roundingOf(ask.rounding),
  });
}

function roundingOf({ where, how, to, minimum }: NonNullable<Ask['rounding']>): Rounding {
  return { where, how, to: parseFraction(to), minimum: minimum === undefined ? null : parseDecimal(minimum) };
}

function factsOf({ series, cycles = [], lost = [] }: Vector) {
  const samples = series.flatMap(({ readings, ...one }) =>
    readings.map(([at, volume, more]) => sketchSample({ ...one, ...more, at: utc(at), volume, recorded: 0 })),
  );
  const ticks = cycles.flatMap(({ agent, interval, from, to, ...more }) => {
    const every = parseDuration(interval);
    const count = Math.ceil((utc(to) - utc(from)) / every);
    const at = (i: number) => utc(from) + i * every;
    return Array.from({ length: count }, (_, i) =>
      sketchCycle({ agent, interval: every, at: at(i), recorded: 0, ...more }),
    );
  });
  const spans = lost.map((span) => ({ ...span, from: utc(span.from), to: utc(span.to), recordedAt: 0 }));
  return { samples, cycles: ticks, lost: spans };
}

function shown({
  from,
  to,
  gaps,
  group,
  quantity,
  unit,
  lower,
  upper,
  coverage,
  basis,
  resets,
  samples,
}: UsageLine): object {
  const listed = gaps.map((gap) => ({
    resource: gap.resourceId,
    from: formatInstant(gap.from),
    to: formatInstant(gap.to),
    reason: gap.reason,
  }));
  const period = { from: formatInstant(from), to: formatInstant(to) };
  return { ...period, group, quantity, unit, lower, upper, coverage, basis, resets, samples, gaps: listed };
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
  const vector = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Vector;
  void t.test(`${file}: ${vector.description}`, async (t) => {
    t.ok(vector.questions.length > 0);
    for (const { ask, lines } of vector.questions) {
      const answer = foldUsage(factsOf(vector), question(ask)).lines.map(shown);
      t.same(answer, lines, JSON.stringify(ask));
      if (process.env['NEPHOMETER_SHOW'] === file) process.stdout.write(`${JSON.stringify(answer, null, 1)}\n`);
    }
  });
}

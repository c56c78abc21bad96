import { compareText, formatInstant, TZDATA_VERSION } from '@nephometer/core';
import type { Micros, SkippedSeries, UsageAnswer } from '@nephometer/core';
import { z } from 'zod';
import { identityOf } from '../../auth.ts';
import type { ApiContext, ApiOptions, Handler } from '../../context.ts';
import { badRequest, httpError } from '../../errors.ts';
import { rowLimit } from '../request.ts';
import { finalityOf } from '../statements/line-finality.ts';
import { readFields } from './ask.ts';
import { deskOf } from './desk.ts';
import type { Moment } from './desk.ts';
import { csvText, lineShape } from './line-shape.ts';
import type { Finality, LineShape } from './line-shape.ts';
import type { UsageQuestion } from './question.ts';
import { UsageFields } from './fields.ts';
import type { UsageWarning } from './warnings.ts';

export const USAGE_TYPES = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
} as const;

/** GET and POST /v1/usage: what was used, line by line. */
export function showUsage(options: ApiOptions): Handler {
  const { config } = options;
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, UsageFields, config.api.max_body);
    const type = wantedType(ctx);
    const place = asked.cursor === undefined ? null : readPlace(asked.cursor);
    const moment = place === null ? desk.moment(asked.as_of, asked.tz) : desk.momentAt(place.asOf);
    const identity = identityOf(ctx);
    const question = await desk.question(asked, identity, moment.asOf);
    if (place !== null && place.key !== question.key) {
      throw badRequest('cursor: comes from another question; the same one with `next` of its answer would be right.');
    }
    const answer = await desk.answer(question, moment);
    const isEmpty = answer.lines.length === 0 && answer.skipped.length === 0;
    const warnings = await desk.warnings(question, identity, moment.asOf, isEmpty);
    // Rows without a frame have no place for `next`, so they come all at once unless fewer are asked for.
    const limits = { ...config.api, default_limit: type === 'json' ? config.api.default_limit : config.api.max_limit };
    const page = pageOf(answer, place?.offset ?? 0, rowLimit(asked.limit, limits));
    const whole = { ...asked, to: asked.to ?? formatInstant(moment.asOf) };
    const at = (asOf: Micros): Promise<UsageQuestion> => desk.question(whole, identity, asOf);
    const finality = await finalityOf(desk, { question, asOf: moment.asOf, at }, page.lines);
    const { guard_formulas: guardFormulas } = asked;
    send(ctx, type, { question, moment, answer, warnings, finality, guardFormulas, ...page });
  };
}

/** @throws HttpError 406 */
function wantedType(ctx: ApiContext): keyof typeof USAGE_TYPES {
  const accepted = ctx.accepts(...Object.values(USAGE_TYPES));
  const found = (['json', 'ndjson', 'csv'] as const).find((type) => USAGE_TYPES[type] === accepted);
  if (found !== undefined) return found;
  const types = Object.values(USAGE_TYPES).join(', ');
  throw httpError('MTR_NOT_ACCEPTABLE', `Accept: found ${ctx.get('Accept')}; one of ${types} would be right.`);
}

/** Where a list of lines goes on: as of the same moment, behind so many lines of the same question. */
const Place = z.tuple([z.int(), z.int().nonnegative(), z.string()]);
export interface Place {
  readonly asOf: number;
  readonly offset: number;
  readonly key: string;
}

export function placeText({ asOf, offset, key }: Place): string {
  return Buffer.from(JSON.stringify([asOf, offset, key])).toString('base64url');
}

/** @throws HttpError 400 */
export function readPlace(text: string): Place {
  try {
    const [asOf, offset, key] = Place.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return { asOf, offset, key };
  } catch {
    throw badRequest(
      `cursor: found ${JSON.stringify(text.slice(0, 60))}; \`next\` of the answer before would be right.`,
    );
  }
}

interface Page {
  readonly lines: UsageAnswer['lines'];
  /** Null on the last page. */
  readonly end: number | null;
}

function pageOf({ lines }: UsageAnswer, offset: number, limit: number): Page {
  const end = offset + limit;
  return { lines: lines.slice(offset, end), end: end < lines.length ? end : null };
}

interface Sent extends Page {
  readonly question: UsageQuestion;
  readonly moment: Moment;
  readonly answer: UsageAnswer;
  /** Of each line. */
  readonly finality: readonly Finality[];
  readonly warnings: readonly UsageWarning[];
  readonly guardFormulas: boolean;
}

function send(ctx: ApiContext, type: keyof typeof USAGE_TYPES, sent: Sent): void {
  const { question, moment, lines, end, warnings } = sent;
  const { asOf, settled } = moment;
  const next = end === null ? null : placeText({ asOf, offset: end, key: question.key });
  const shapes = lines.map((line, i) => lineShape(line, question, asOf, sent.finality[i]));
  ctx.set('Nephometer-As-Of', formatInstant(asOf));
  ctx.set('Nephometer-Settled', String(settled));
  if (warnings.length > 0) ctx.set('Nephometer-Warnings', warnings.map(({ warning }) => warning).join(', '));
  if (next !== null && ctx.method !== 'POST') ctx.set('Link', `<${nextUrl(ctx, next)}>; rel="next"`);
  ctx.type = `${USAGE_TYPES[type]}; charset=utf-8`;
  if (type === 'csv') ctx.body = csvText(shapes, question, { asOf, guardFormulas: sent.guardFormulas });
  else if (type === 'ndjson') ctx.body = shapes.map((shape) => `${JSON.stringify(shape)}\n`).join('');
  else ctx.body = frameText(shapes, next, sent);
}

function nextUrl(ctx: ApiContext, next: string): string {
  const asked = new URLSearchParams(ctx.querystring);
  asked.set('cursor', next);
  return `${ctx.path}?${asked.toString()}`;
}

/** `UsageAnswer` of the schemas. */
function frameText(
  lines: readonly LineShape[],
  next: string | null,
  { question, moment, answer, warnings }: Sent,
): string {
  const { query, meter, definition, projection } = question;
  return JSON.stringify({
    lines,
    next,
    as_of: formatInstant(moment.asOf),
    settled: moment.settled,
    from: formatInstant(query.from),
    to: formatInstant(query.to),
    meter,
    kind: query.kind,
    definition,
    estimate: query.estimate,
    projection: projection === null ? null : { policy: projection.policy, to: formatInstant(projection.to) },
    tz: query.tz,
    tzdata: TZDATA_VERSION,
    skipped: skippedShapes(answer.skipped),
    warnings,
  });
}

function skippedShapes(skipped: readonly SkippedSeries[]): Record<string, unknown>[] {
  const counts = new Map<string, { reason: string; type: string; unit: string | null; series: number }>();
  for (const { series, reason } of skipped) {
    const { type, unit } = series;
    const key = JSON.stringify([reason, type, unit]);
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { reason, type, unit, series: 1 });
    else known.series += 1;
  }
  return [...counts].sort(([a], [b]) => compareText(a, b)).map(([, shape]) => shape);
}

import { formatInstant, parseTimestamp } from '@nephometer/core';
import type { Identity, Micros, UsageLine, UsageSample } from '@nephometer/core';
import { identityOf } from '../../auth.ts';
import type { ApiOptions, Handler } from '../../context.ts';
import { badRequest } from '../../errors.ts';
import type { HttpError } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { rowLimit } from '../request.ts';
import { readFields } from './ask.ts';
import { deskOf, fold } from './desk.ts';
import type { Moment, UsageDesk } from './desk.ts';
import type { GatheredFacts } from './facts.ts';
import { lineShape } from './line-shape.ts';
import type { LineShape } from './line-shape.ts';
import { keyOf as questionKey } from './question.ts';
import type { UsageQuestion } from './question.ts';
import { DiffFields } from './fields.ts';
import type { Cause } from './answers.ts';
import type { UsageFields } from './fields.ts';
import { placeText, readPlace } from './usage.ts';

/** `ChangeAnswer`. */
export interface Change {
  readonly id: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly causes: readonly Cause[];
  readonly before: LineShape | null;
  readonly after: LineShape | null;
}

/** A question with the moment that it is asked as of. */
export interface Standpoint {
  readonly question: UsageQuestion;
  readonly asOf: Micros;
}

/** GET and POST /v1/usage/diff: what changed between two moments, and why. */
export function showDiff(options: ApiOptions): Handler {
  const { config } = options;
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, DiffFields, config.api.max_body);
    const place = asked.cursor === undefined ? null : readPlace(asked.cursor);
    const from = desk.moment(asked.from_as_of, asked.tz, 'from_as_of');
    const to = place === null ? desk.moment(asked.to_as_of, asked.tz, 'to_as_of') : desk.momentAt(place.asOf);
    if (from.asOf > to.asOf) throw badRequest('to_as_of: lies before from_as_of; a later moment would be right.');
    const identity = identityOf(ctx);
    const before = await standpoint(desk, asked, identity, from, to);
    const after = await standpoint(desk, asked, identity, to, to);
    if (place !== null && place.key !== after.question.key) throw otherQuestion();
    const changes = await changesBetween(desk, before, after);
    const offset = place?.offset ?? 0;
    const end = offset + rowLimit(asked.limit, config.api);
    const next = end < changes.length ? placeText({ asOf: to.asOf, offset: end, key: after.question.key }) : null;
    const frame = {
      changes: changes.slice(offset, end),
      next,
      from_as_of: formatInstant(from.asOf),
      to_as_of: formatInstant(to.asOf),
      settled: from.settled && to.settled,
      definition: { before: before.question.definition, after: after.question.definition },
    };
    sendJson(ctx, JSON.stringify(frame));
  };
}

/** Both are asked about one period: where its end is not said, up to the later moment. */
export async function standpoint(
  desk: UsageDesk,
  asked: Omit<UsageFields, 'as_of' | 'guard_formulas'>,
  identity: Identity,
  { asOf }: Moment,
  end: Moment,
): Promise<Standpoint> {
  const { evidence: _evidence, ...rest } = asked;
  const whole = { ...rest, evidence: false, to: asked.to ?? formatInstant(end.asOf) };
  const question = await desk.question(whole, identity, asOf);
  // Where the end moves on with each moment it is not part of what is asked.
  const key =
    asked.to === undefined ? questionKey({ ...whole, to: undefined }, [...question.query.filter]) : question.key;
  return { question: { ...question, key }, asOf };
}

/** A cursor that belongs elsewhere. */
export function otherQuestion(): HttpError {
  return badRequest('cursor: comes from another question; the same one would be right, or none to begin anew.');
}

/** @param before null: nothing was known, so that every line is added */
export async function changesBetween(desk: UsageDesk, before: Standpoint | null, after: Standpoint): Promise<Change[]> {
  const old = before === null ? new Map<string, LineShape>() : await answered(desk, before);
  const fresh = await answered(desk, after);
  const changed = [...new Set([...old.keys(), ...fresh.keys()])].filter((id) => isOther(old.get(id), fresh.get(id)));
  const shapes = changed.flatMap((id) => [old.get(id) ?? [], fresh.get(id) ?? []].flat());
  const why = before === null || changed.length === 0 ? [] : await reasons(desk, before, after, shapes);
  return changed.map((id) => {
    const [was, is] = [old.get(id) ?? null, fresh.get(id) ?? null];
    const causes = why.filter(({ shapes }) => isOther(old.get(id), shapes.get(id))).map(({ cause }) => cause);
    const change = was === null ? 'added' : is === null ? 'removed' : 'changed';
    return { id, change, causes: causes.length === 0 && before !== null ? ['late'] : causes, before: was, after: is };
  });
}

/** The lines by id: where there are fold lines, from them. */
async function answered(desk: UsageDesk, { question, asOf }: Standpoint): Promise<Map<string, LineShape>> {
  // The key of a standpoint may leave out where its period ends, which an answer that is remembered has to be of.
  const key = `${question.key} ${question.query.from} ${question.query.to}`;
  const { lines } = await desk.answer({ ...question, key }, { asOf, settled: false });
  return shapesById(lines, { question, asOf });
}

/** @param changed lines whose causes are wanted: samples of other times are not read */
async function reasons(
  desk: UsageDesk,
  before: Standpoint,
  after: Standpoint,
  changed: readonly LineShape[],
): Promise<Variation[]> {
  const [old, fresh] = [narrowed(before, changed), narrowed(after, changed)];
  const then = await desk.facts(old.question, old.asOf);
  return variations(then, await desk.facts(fresh.question, fresh.asOf), old, fresh);
}

/** From the first to the last window with a change. A projection is of the whole period's end, which then stays. */
function narrowed({ question, asOf }: Standpoint, changed: readonly LineShape[]): Standpoint {
  if (question.projection !== null) return { question, asOf };
  const instants = (name: 'from' | 'to'): number[] => changed.map((shape) => parseTimestamp(String(shape[name])));
  const from = instants('from').reduce((least, at) => Math.min(least, at));
  const to = instants('to').reduce((most, at) => Math.max(most, at));
  return { question: { ...question, query: { ...question.query, from, to } }, asOf };
}

function shapesOf(facts: GatheredFacts, standpoint: Standpoint): Map<string, LineShape> {
  const { question } = standpoint;
  return shapesById(fold(facts, question.query, question.projectIds).lines, standpoint);
}

function shapesById(lines: readonly UsageLine[], { question, asOf }: Standpoint): Map<string, LineShape> {
  return new Map(lines.map((line) => lineShape(line, question, asOf)).map((shape) => [shape.id, shape]));
}

function isOther(a: LineShape | undefined, b: LineShape | undefined): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}

interface Variation {
  readonly cause: Cause;
  readonly shapes: ReadonlyMap<string, LineShape>;
}

/**
 * The old answer with one kind of news each: a line that one of them changes has that cause. What was recorded later than
 * the old moment is given to it as if recorded at that moment.
 */
function variations(then: GatheredFacts, now: GatheredFacts, before: Standpoint, after: Standpoint): Variation[] {
  const since = before.asOf;
  const known = new Set(then.samples.map(keyOf));
  const shown = new Set(now.samples.map(keyOf));
  const settled = now.samples.filter((sample) => sample.recordedAt <= since && !known.has(keyOf(sample)));
  const left = then.samples.filter((sample) => shown.has(keyOf(sample)));
  const arrived = now.samples.filter(({ recordedAt }) => recordedAt > since);
  const conflicts = now.lost.filter(({ reason }) => reason === 'conflict');
  const others = now.lost.filter(({ reason }) => reason !== 'conflict');
  const made: Variation[] = [];
  const vary = (cause: Cause, facts: GatheredFacts, standpoint: Standpoint): void => {
    made.push({ cause, shapes: shapesOf(facts, standpoint) });
  };
  const late: GatheredFacts = {
    samples: [...then.samples, ...arrived],
    cycles: now.cycles,
    lost: [...then.lost.filter(({ reason }) => reason === 'conflict'), ...others],
    voids: then.voids,
    silent: now.silent,
  };
  const { question } = before;
  vary('late', late, { asOf: since, question: { ...question, query: { ...question.query, asOf: after.asOf } } });
  if (now.voids.length > then.voids.length) {
    const voids = now.voids.map((one) => ({ ...one, recordedAt: Math.min(one.recordedAt, since) }));
    vary('void', { ...then, voids }, before);
  }
  if (settled.length > 0 || left.length < then.samples.length) {
    const lost = conflicts.map((span) => ({ ...span, recordedAt: Math.min(span.recordedAt, since) }));
    const rest = then.lost.filter(({ reason }) => reason !== 'conflict');
    vary('conflict', { ...then, samples: [...left, ...settled], lost: [...rest, ...lost] }, before);
  }
  if (question.definition.hash !== after.question.definition.hash) {
    const query = { ...after.question.query, asOf: since };
    vary('definition', then, { asOf: since, question: { ...after.question, query } });
  }
  return made;
}

function keyOf({ messageId, recordedAt }: UsageSample): string {
  return `${recordedAt} ${messageId}`;
}

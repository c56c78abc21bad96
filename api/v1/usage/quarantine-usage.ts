import { add, formatInstant, negate, parseDecimal, toText } from '@nephometer/core';
import { identityOf } from '../../auth.ts';
import type { ApiOptions, Handler } from '../../context.ts';
import { sendJson } from '../../respond.ts';
import { rowLimit } from '../request.ts';
import { readFields } from './ask.ts';
import { deskOf, fold } from './desk.ts';
import type { GatheredFacts } from './facts.ts';
import { lineShape } from './line-shape.ts';
import type { LineShape } from './line-shape.ts';
import { refusedFacts } from './quarantined-facts.ts';
import type { RefusedFacts } from './quarantined-facts.ts';
import type { UsageQuestion } from './question.ts';
import { UsageFields } from './fields.ts';
import { placeText, readPlace } from './usage.ts';

/**
 * GET /v1/usage/quarantine: what the lines would come to with the messages that were refused. A what-if: no figure anywhere else has
 * any of it, and what is said here is as true as the word of whoever sent it.
 */
export function showQuarantineUsage(options: ApiOptions): Handler {
  const { config, store } = options;
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, UsageFields, config.api.max_body);
    const place = asked.cursor === undefined ? null : readPlace(asked.cursor);
    const moment = place === null ? desk.moment(asked.as_of, asked.tz) : desk.momentAt(place.asOf);
    const { asOf, settled } = moment;
    const question = await desk.question(asked, identityOf(ctx), asOf);
    const facts = await desk.facts(question, asOf);
    const { meter, query, definition } = question;
    const refused = await refusedFacts(store, { meter, from: query.from, to: query.to, asOf });
    const lines = compared(facts, refused, question, asOf);
    const offset = place?.offset ?? 0;
    const end = offset + rowLimit(asked.limit, config.api);
    const frame = {
      lines: lines.slice(offset, end),
      next:
        end < lines.length
          ? placeText({
              asOf,
              offset: end,
              key: question.key,
            })
          : null,
      refused: refused.map(refusedShape),
      as_of: formatInstant(asOf),
      settled,
      from: formatInstant(query.from),
      to: formatInstant(query.to),
      meter,
      kind: query.kind,
      definition,
    };
    sendJson(ctx, JSON.stringify(frame));
  };
}

/** `QuarantineLineAnswer`: the lines that a refused message bears on. */
function compared(
  facts: GatheredFacts,
  refused: readonly RefusedFacts[],
  question: UsageQuestion,
  asOf: number,
): Record<string, unknown>[] {
  const shapes = (given: GatheredFacts): Map<string, LineShape> => {
    const { lines } = fold(given, question.query, question.projectIds);
    return new Map(lines.map((line) => lineShape(line, question, asOf)).map((shape) => [shape.id, shape]));
  };
  const asIs = shapes(facts);
  const all = shapes(withRefused(facts, refused));
  const alone = refused.map((one) => ({ reason: one.reason, lines: shapes(withRefused(facts, [one])) }));
  return [...all.values()].flatMap((line) => {
    const { id, from, to, group, unit } = line;
    const quantity = textOf(asIs.get(id)?.['quantity']);
    const whole = textOf(line['quantity']);
    const reasons = alone.flatMap(({ reason, lines }): [string, string][] => {
      const more = difference(textOf(lines.get(id)?.['quantity']), quantity);
      return more === null || more === '0' ? [] : [[reason, more]];
    });
    if (whole === quantity && reasons.length === 0) return [];
    const in_quarantine = difference(whole, quantity);
    const by_reason = Object.fromEntries(reasons);
    return [{ id, from, to, group, unit, quantity, in_quarantine, with_quarantine: whole, by_reason }];
  });
}

/** As if those messages had been let in when they came. What is stored under the same message_id stays as it is. */
function withRefused(facts: GatheredFacts, refused: readonly RefusedFacts[]): GatheredFacts {
  const known = new Set(facts.samples.map(({ messageId }) => messageId));
  const entries = new Set(refused.flatMap((one) => [...one.entries]));
  return {
    samples: [
      ...facts.samples,
      ...refused.flatMap(({ samples }) => samples.filter(({ messageId }) => !known.has(messageId))),
    ],
    cycles: [...facts.cycles, ...refused.flatMap(({ cycles }) => cycles)],
    lost: facts.lost.filter(({ reason, recordedAt }) => reason !== 'quarantined' || !entries.has(recordedAt)),
    voids: facts.voids,
    silent: facts.silent,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Where nothing was known before, all of it is new. */
function difference(now: string | null, before: string | null): string | null {
  return now === null ? null : toText(add(parseDecimal(now), negate(parseDecimal(before ?? '0'))));
}

/** `RefusedAnswer`. */
function refusedShape(refused: RefusedFacts): Record<string, unknown> {
  const { reason, messages, unreadableMessages, unreadableSamples, samples } = refused;
  return {
    reason,
    messages,
    samples: samples.length,
    unreadable_messages: unreadableMessages,
    unreadable_samples: unreadableSamples,
  };
}

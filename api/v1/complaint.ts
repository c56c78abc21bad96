import { describedAt, keyText, knownKeys, namesNear, plainMessage, valueAt } from '@nephometer/core';
import type { z } from 'zod';

/** Of what was given, so much is shown. */
const MOST_SHOWN = 60;

/** What is wrong with a request: where, what was found, and what would be right. One line. */
export function complaintOf(error: z.ZodError, given: unknown, schema: z.ZodType): string {
  return error.issues.flatMap((issue) => complaintsOf(issue, given, schema)).join(' ');
}

function complaintsOf(issue: z.core.$ZodIssue, given: unknown, schema: z.ZodType): string[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${keyText([...path, key]).slice(0, MOST_SHOWN)}: ${unknownKey(key, path, schema)}`);
  }
  const where = path.length === 0 ? '' : `${keyText(path)}: `;
  const found = valueAt(given, path);
  if (found === undefined && issue.code !== 'custom') return [`${where}${missing(issue, path, schema)}`];
  const message = plainMessage(issue);
  if (found === undefined || /found/i.test(message)) return [`${where}${sentence(message)}`];
  return [`${where}${message}; found ${shown(found)}.`];
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function unknownKey(key: string, path: readonly PropertyKey[], schema: z.ZodType): string {
  const known = knownKeys(schema, path).map((name) => (name === 'metadata' ? 'metadata.PATH' : name));
  const [near] = namesNear(key, known);
  if (near !== undefined) return `is not known here; ${near} would be right.`;
  return known.length === 0
    ? 'is not known here, where nothing is asked for.'
    : `is not known here; known are ${known.join(', ')}.`;
}

function missing(issue: z.core.$ZodIssue, path: readonly PropertyKey[], schema: z.ZodType): string {
  const described = describedAt(schema, path);
  const words = described === null ? `It ${plainMessage(issue)}.` : described;
  return `found nothing, and it has to be said. ${words}`;
}

function shown(found: unknown): string {
  if (Array.isArray(found) && found.length > 3) return `a list of ${found.length}`;
  const text = JSON.stringify(found);
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}...`;
}

/** An offset whose plus sign a URL has made a blank: `2026-03-01T00:00:00 02:00`. */
const LOST_PLUS = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d[\d:.]*) (\d\d:?\d\d)$/;

/** What to do about that; empty for anything else. */
export function lostPlusHint(text: string): string {
  const parts = LOST_PLUS.exec(text);
  if (parts === null) return '';
  const [, date, time, offset] = parts;
  return ` In a URL a + means a blank: write ${date}T${time}%2B${offset}.`;
}

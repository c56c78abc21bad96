import { formatTimestamp, parseTimestamp } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import { invalidInput } from './faults.ts';

const DAY_ONLY = /^\d{4}-\d\d-\d\d$/;
const TO_THE_MINUTE = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(?!:)(.*)$/;

/** An instant in the forms that API v2 takes: ISO 8601, also a day alone or without seconds; offsets become UTC. */
export function readTimestamp(field: string, text: string): Micros {
  const trimmed = text.trim();
  const minute = TO_THE_MINUTE.exec(trimmed);
  const whole = DAY_ONLY.test(trimmed) ? `${trimmed}T00:00:00` : minute ? `${minute[1]}:00${minute[2]}` : trimmed;
  try {
    return parseTimestamp(whole.replace(/([+-]\d\d)$/, (zone) => (whole.length > 10 ? `${zone}:00` : zone)));
  } catch {
    throw invalidInput(field, text, 'invalid timestamp format');
  }
}

/** Naive ISO, as every time in API v2 is shown. */
export const showTimestamp = formatTimestamp;

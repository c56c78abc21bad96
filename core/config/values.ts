import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { patternListProblem } from '../model/patterns.ts';
import { parseDuration, parseTimestamp } from '../time.ts';

/** A duration as a user writes it (`60s`, `10m`, `PT1H`), read into microseconds. */
export const Duration = z
  .string({ error: 'must be a duration with its unit, such as 60s, 10m or PT1H' })
  .transform((text, context) => {
    try {
      return parseDuration(text);
    } catch (cause) {
      context.addIssue({ code: 'custom', message: messageOf(cause), input: text });
      return z.NEVER;
    }
  });

/** A size as a user writes it (`64KiB`, `256MiB`, `1GB`), read into bytes. */
export const Size = z
  .string({ error: 'must be a size with its unit, such as 64KiB or 1GB' })
  .transform((text, context) => {
    const match = /^(\d+)\s*(B|kB|MB|GB|KiB|MiB|GiB)$/.exec(text.trim());
    const factor = SIZE_FACTORS[match?.[2] ?? ''];
    if (match === null || factor === undefined) {
      const message = `is not a size; write a whole number and a unit, such as 64KiB, 256MiB or 1GB`;
      context.addIssue({ code: 'custom', message, input: text });
      return z.NEVER;
    }
    return Number(match[1]) * factor;
  });

const SIZE_FACTORS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** A list of meter names or globs, `!` excludes. */
export const MeterPatterns = z.array(z.string().min(1)).superRefine((patterns, context) => {
  const problem = patternListProblem(patterns);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem, input: patterns });
});

/** An instant as a user writes it, read into microseconds; without a zone it is UTC. */
export const InstantSetting = z
  .union([z.string(), z.date()], { error: 'must be an instant, such as 2026-03-01T00:00:00Z' })
  .transform((value, context) => {
    try {
      return parseTimestamp(typeof value === 'string' ? value : value.toISOString());
    } catch (cause) {
      context.addIssue({ code: 'custom', message: messageOf(cause), input: value });
      return z.NEVER;
    }
  })
  .meta({ description: 'An instant, such as 2026-03-01T00:00:00Z.' });

/** A TCP port; 0 lets the system choose. */
export const Port = z.int().min(0).max(65535);

/** An address whose scheme is one of these. */
export const url = (schemes: readonly string[], example: string) =>
  z.string().refine((text) => schemes.some((scheme) => text === scheme || text.startsWith(`${scheme}:`)), {
    error: `must begin with ${schemes.map((scheme) => `${scheme}:`).join(', ')}; for example ${example}`,
  });

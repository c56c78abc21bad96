import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { readBounded } from '../bounded.ts';
import { messageOf } from '../errors.ts';
import { globToRegExp, isGlob } from '../model/patterns.ts';

/** An option that is a list of globs: `*`, `?` and `[..]`, case counts; in lists for `matchesPatterns` `!` may stand in front. */
export const Globs = z.array(
  z.string().min(1).refine(isGlob, { error: 'is no glob; in [a-z] the first must not be behind the last' }),
);

/** Whether a name matches one of some globs. None of them: no name does. */
export function matchesAny(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => globToRegExp(glob).test(name));
}

/** The secret in a file of one line. Read it at each use, so that a rotated one is taken up without a restart. @throws Error that names the file only */
export async function secretIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`the secret in ${file} cannot be read: ${messageOf(cause)}`, { cause });
  });
  const secret = text.trimEnd();
  if (secret === '' || /[\r\n]/.test(secret))
    throw new Error(`the secret in ${file} must be one line that is not empty`);
  return secret;
}

/**
 * The text of an HTTP answer, read no further than `maxSize` bytes.
 * @param shown the address as messages may show it
 * @throws Error when there is more, or it is not UTF-8
 */
export async function boundedText(response: Response, shown: string, maxSize: number): Promise<string> {
  const body = (response.body ?? []) as AsyncIterable<Uint8Array>;
  const tooLarge = (): Error => new Error(`${shown} answers more than max_size, ${maxSize} bytes`);
  const bytes = await readBounded(body, maxSize, tooLarge);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${shown} answers what is not UTF-8`, { cause });
  }
}

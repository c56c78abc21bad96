import type { IncomingMessage } from 'node:http';
import { readBounded } from '@nephometer/core';

/** The request says, or turns out, to be larger than is taken. */
export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';
}

/**
 * Reads a request's body of at most `most` bytes. A larger one is not read to its end: by its Content-Length it is refused before
 * the first byte, without one as soon as it is over.
 * @throws BodyTooLarge
 */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > most) throw tooLarge(`${announced} bytes`, most);
  return readBounded(request, most, () => tooLarge(`more than ${most} bytes`, most));
}

function tooLarge(found: string, most: number): BodyTooLarge {
  return new BodyTooLarge(`The body has ${found}; at most ${most} are taken. Post fewer messages at a time.`);
}

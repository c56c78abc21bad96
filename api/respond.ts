import { Readable } from 'node:stream';
import type { ApiContext } from './context.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
/** Characters gathered before something is written; an answer below this goes out whole, with its length. */
const CHUNK = 64 * 1024;

export function sendJson(ctx: ApiContext, text: string): void {
  ctx.type = JSON_TYPE;
  ctx.body = text;
}

/** The pieces of a JSON array, one an item. */
export async function* listPieces<T>(items: AsyncIterable<T>, text: (item: T) => string): AsyncGenerator<string> {
  let separator = '[';
  for await (const item of items) {
    yield separator + text(item);
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

/**
 * Answers JSON that is made piece by piece. What fails before the first chunk is full is an error answer; later the
 * connection is cut, so that nobody takes half a list for a whole one.
 */
export async function streamJson(ctx: ApiContext, pieces: AsyncGenerator<string>): Promise<void> {
  let first = '';
  while (first.length < CHUNK) {
    const { done, value } = await pieces.next();
    if (done === true) return sendJson(ctx, first);
    first += value;
  }
  ctx.type = JSON_TYPE;
  if (ctx.method === 'HEAD') {
    await pieces.return(undefined);
    ctx.body = Readable.from([]);
    return;
  }
  ctx.body = Readable.from(chunks(first, pieces));
}

async function* chunks(first: string, pieces: AsyncGenerator<string>): AsyncGenerator<string> {
  let text = first;
  for await (const piece of pieces) {
    if (text.length >= CHUNK) {
      yield text;
      text = '';
    }
    text += piece;
  }
  yield text;
}

import { StoreRefused } from '@nephometer/core';
import { WriteRejected } from './client.ts';
import type { InfluxClient } from './client.ts';

const LINES_PER_REQUEST = 5000;
const BYTES_PER_REQUEST = 8_000_000;

/** Writes all lines, in requests of bounded size. @throws WriteRejected, StoreUnavailable */
export async function writeLines(client: InfluxClient, lines: readonly string[], timeoutMs?: number): Promise<void> {
  let bytes = 0;
  let request: string[] = [];
  for (const line of lines) {
    const size = Buffer.byteLength(line) + 1;
    if (request.length === LINES_PER_REQUEST || (request.length > 0 && bytes + size > BYTES_PER_REQUEST)) {
      await client.write(request, timeoutMs);
      [request, bytes] = [[], 0];
    }
    request.push(line);
    bytes += size;
  }
  if (request.length > 0) await client.write(request, timeoutMs);
}

/**
 * Halves until one refused line stands alone, or until all are written after all: an answer to many lines does not say
 * which one it means, nor whether the others were stored.
 * @returns what is wrong, or null when every line is written
 */
export async function findRefused(client: InfluxClient, lines: readonly string[]): Promise<StoreRefused | null> {
  try {
    await writeLines(client, lines);
    return null;
  } catch (cause) {
    if (!(cause instanceof WriteRejected)) throw cause;
    if (lines.length === 1) return new StoreRefused(`${cause.message} The line is: ${shortened(lines[0] ?? '')}`);
  }
  const middle = Math.ceil(lines.length / 2);
  return (await findRefused(client, lines.slice(0, middle))) ?? findRefused(client, lines.slice(middle));
}

function shortened(line: string): string {
  return line.length <= 500 ? line : `${line.slice(0, 400)}...${line.slice(-60)}`;
}

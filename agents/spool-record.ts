import { createHash } from 'node:crypto';
import { readMeteringEnvelope } from '@nephometer/core';
import type { Micros } from '@nephometer/core';

/** What is known of a spooled batch without its body. */
export interface SpoolEntry {
  readonly ordinal: number;
  readonly digest: string;
  readonly epoch: string;
  readonly seq: number;
  readonly samples: number;
  readonly created: Micros;
  /** First and last slot of its samples; null when it has none. */
  readonly from: Micros | null;
  readonly to: Micros | null;
  /** Of the body. */
  readonly bytes: number;
}

/**
 * Records carry a mark, their length and a checksum, so that one that is torn or rotten is told from a whole one, even
 * in a file whose own structure is gone.
 *
 * | part     | bytes                                       |
 * |----------|---------------------------------------------|
 * | mark     | 8, of an entry or of a body                 |
 * | ordinal  | 6, big-endian                               |
 * | length   | 4, big-endian                               |
 * | checksum | 32, SHA-256 over ordinal, length and content |
 * | content  | an entry's JSON, or the body                |
 */
export const ENTRY_MARK = Buffer.from('NEPHENT1');
export const BODY_MARK = Buffer.from('NEPHBDY1');
export const HEAD_BYTES = 8 + 6 + 4 + 32;
export const MOST_ENTRY_BYTES = 1024;

export function encodeEntry(entry: SpoolEntry): Buffer {
  return encode(ENTRY_MARK, entry.ordinal, Buffer.from(JSON.stringify(entry)));
}

export function decodeEntry(record: Buffer): SpoolEntry | null {
  const content = decode(ENTRY_MARK, record);
  return content === null ? null : (JSON.parse(content.body.toString()) as SpoolEntry);
}

export function encodeBody(ordinal: number, body: Uint8Array): Buffer {
  return encode(BODY_MARK, ordinal, body);
}

export function decodeBody(record: Buffer): { ordinal: number; body: Buffer } | null {
  return decode(BODY_MARK, record);
}

function encode(mark: Buffer, ordinal: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  mark.copy(head);
  head.writeUIntBE(ordinal, 8, 6);
  head.writeUInt32BE(content.byteLength, 14);
  checksum(head, content).copy(head, 18);
  return Buffer.concat([head, content]);
}

/** Bytes of the whole record by the word of its head; null when the head is cut off. */
export function recordBytes(head: Buffer): number | null {
  return head.length < HEAD_BYTES ? null : HEAD_BYTES + head.readUInt32BE(14);
}

/** The record that begins here, or null when it is not whole. What follows it does not matter. */
function decode(mark: Buffer, record: Buffer): { ordinal: number; body: Buffer } | null {
  if (record.length < HEAD_BYTES || !record.subarray(0, 8).equals(mark)) return null;
  const length = record.readUInt32BE(14);
  const body = record.subarray(HEAD_BYTES, HEAD_BYTES + length);
  if (body.length !== length || !checksum(record, body).equals(record.subarray(18, HEAD_BYTES))) return null;
  return { ordinal: record.readUIntBE(8, 6), body };
}

function checksum(head: Buffer, content: Uint8Array): Buffer {
  return createHash('sha256').update(head.subarray(8, 18)).update(content).digest();
}

/** How the engine opens a spool. */
export const SPOOL_OPTIONS = {
  noSubdir: false,
  encoding: 'binary',
  // A commit is on the disk when it returns.
  overlappingSync: false,
  maxDbs: 4,
} as const;

/** An entry made anew from the body, which says everything of itself. Null when the body is no batch of ours. */
export function entryOf(ordinal: number, body: Uint8Array): SpoolEntry | null {
  try {
    const envelope = readMeteringEnvelope(body);
    if (envelope.kind !== 'batch') return null;
    const { digest, header } = envelope;
    const { epoch, seq, samples, created } = header;
    return { ordinal, digest, epoch, seq, samples, created, ...slotsOf(header.runs), bytes: body.byteLength };
  } catch {
    return null;
  }
}

/** First and last slot among the runs of a batch. */
export function slotsOf(runs: readonly { readonly slot: Micros | null }[]): Pick<SpoolEntry, 'from' | 'to'> {
  const slots = runs.flatMap(({ slot }) => (slot === null ? [] : [slot]));
  return slots.length === 0 ? { from: null, to: null } : { from: Math.min(...slots), to: Math.max(...slots) };
}

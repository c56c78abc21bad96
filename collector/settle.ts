import {
  messageOf,
  MeteringError,
  NEPHOMETER_NAMESPACE,
  parseJson,
  parseTimestamp,
  Refusal,
  sliceMembers,
  uuidv5,
} from '@nephometer/core';
import type { BatchEnvelope, BatchRecord, IngestResult, Logger, Micros, RecordOutcome } from '@nephometer/core';
import type { Consumed } from './consume.ts';
import type { CollectorMetrics } from './metrics.ts';
import { OUR_PUBLISHER } from './open.ts';
import type { Inbound, JudgedMessage, Opened } from './open.ts';
import type { Quarantine, RefusedMessage } from './quarantine.ts';
import type { Recorded } from './record.ts';
import { allDone } from './turns.ts';
import type { Verdict } from './verify.ts';

export interface SettleOptions {
  readonly recorded: ReadonlyMap<string, Recorded>;
  /** Digests whose outcome was given already in this go. */
  readonly told: Set<string>;
  readonly quarantine: Quarantine;
  readonly metrics: CollectorMetrics;
  readonly log: Logger;
}

/** Says what became of one body, after putting what was refused of it into quarantine. @throws StoreUnavailable */
export async function settleOne(opened: Opened, options: SettleOptions): Promise<Consumed> {
  if (opened.kind === 'batch') return settleBatch(opened, options);
  if (opened.kind === 'unreadable') {
    const settled = await keep(nothingKnown(opened.inbound, opened.refusal), options);
    return { results: [], unreadable: opened.refusal, receipt: null, settled };
  }
  if (opened.kind === 'stripped') return settleStripped(opened, options);
  const each = await allDone(opened.messages.map((message) => settleMessage(message, opened.inbound, options)));
  const results = each.map(({ result }) => result);
  return { results, unreadable: null, receipt: null, settled: each.every(({ settled }) => settled) };
}

async function settleBatch(
  { envelope, verdict, inbound }: Extract<Opened, { kind: 'batch' }>,
  options: SettleOptions,
): Promise<Consumed> {
  const { header, digest, texts } = envelope;
  const judged = finalWord(verdict, options);
  if ('refusal' in judged) {
    const { refusal, proven } = judged;
    const settled = await keep(refusedBatch(envelope, inbound, refusal), options);
    options.metrics.batches.add(1, { outcome: 'refused' });
    options.metrics.samples.add(texts.length, { outcome: 'refused' });
    const receipt = proven && settled ? { header, digest, refused: refusal.reason } : null;
    return { results: texts.map((text) => refusedResult(text, refusal)), unreadable: null, receipt, settled };
  }
  options.metrics.batches.add(1, { outcome: judged.outcome.outcome });
  const results = resultsOf(judged);
  count(results, header.agent_id, options);
  return { results, unreadable: null, receipt: { header, digest, refused: null }, settled: true };
}

/** Kept as it came: the whole envelope is the evidence of what was done to it. */
async function settleStripped(
  { inbound, envelope, refusal }: Extract<Opened, { kind: 'stripped' }>,
  options: SettleOptions,
): Promise<Consumed> {
  const { publisherId, texts } = envelope;
  const agentId = publisherId?.startsWith(OUR_PUBLISHER) === true ? publisherId.slice(OUR_PUBLISHER.length) : null;
  const messageId = texts.length === 1 ? messageIdOf(texts[0] ?? '') : null;
  const known = { agentId, samples: texts.length, messageId, ...spanOf(texts) };
  const settled = await keep({ ...nothingKnown(inbound, refusal), ...known }, options);
  options.metrics.samples.add(texts.length, { outcome: 'refused' });
  return { results: texts.map((text) => refusedResult(text, refusal)), unreadable: null, receipt: null, settled };
}

async function settleMessage(
  { text, verdict }: JudgedMessage,
  inbound: Inbound,
  options: SettleOptions,
): Promise<{ result: IngestResult; settled: boolean }> {
  const judged = finalWord(verdict, options);
  if ('refusal' in judged) {
    const bytes = Buffer.from(text);
    const known = { bytes, messageId: messageIdOf(text), samples: 1, ...spanOf([text]) };
    const settled = await keep({ ...nothingKnown(inbound, judged.refusal), ...known }, options);
    options.metrics.samples.add(1, { outcome: 'refused' });
    return { result: refusedResult(text, judged.refusal), settled };
  }
  const results = resultsOf(judged);
  count(results, null, options);
  const [result = refusedResult(text, new Refusal('malformed', 'It holds no sample.'))] = results;
  return { result, settled: true };
}

type FinalWord = { readonly refusal: Refusal; readonly proven: boolean } | Settled;

interface Settled {
  readonly record: BatchRecord;
  readonly outcome: RecordOutcome;
}

/** The verdict, and what the store said; for the same digest again in one go it is a duplicate of itself. */
function finalWord(verdict: Verdict, { recorded, told }: SettleOptions): FinalWord {
  if (!verdict.accepted) return verdict;
  const { record } = verdict;
  const word = recorded.get(record.digest);
  if (word === undefined) throw new TypeError(`The store did not say what became of batch ${record.digest}.`);
  if (word.outcome === undefined) return { refusal: word.poison, proven: true };
  if (told.has(record.digest)) {
    return { record, outcome: { ...word.outcome, outcome: 'duplicate', duplicates: [], conflicts: [] } };
  }
  told.add(record.digest);
  return { record, outcome: word.outcome };
}

function resultsOf({ record, outcome }: Settled): IngestResult[] {
  const conflicts = new Set(outcome.conflicts);
  const duplicates = new Set(outcome.duplicates);
  return record.samples.map(({ messageId }) => {
    if (conflicts.has(messageId)) return { message_id: messageId, ...CONFLICT };
    const again = outcome.outcome === 'duplicate' || duplicates.has(messageId);
    return { message_id: messageId, outcome: again ? 'duplicate' : 'accepted' };
  });
}

const CONFLICT = {
  outcome: 'refused',
  reason: 'conflict',
  detail: 'This message_id is stored with other content; all versions are set aside until one is chosen.',
} as const;

function refusedResult(text: string, { reason, message }: Refusal): IngestResult {
  return { message_id: messageIdOf(text), outcome: 'refused', reason, detail: message };
}

const COUNTED_AS = { accepted: 'recorded', duplicate: 'duplicate', refused: 'conflict' } as const;

function count(results: readonly IngestResult[], agent: string | null, { metrics, log }: SettleOptions): void {
  for (const { outcome } of results) metrics.samples.add(1, { outcome: COUNTED_AS[outcome] });
  const conflicts = results.filter(({ outcome }) => outcome === 'refused').map(({ message_id }) => message_id);
  if (conflicts.length === 0) return;
  const fields = { agent, conflicts: conflicts.length, message_ids: conflicts.slice(0, 10) };
  log.error(fields, 'Samples came with the message_id of stored ones and other content; all versions are set aside.');
}

/** Puts a message into quarantine; false when that failed for a reason of the message's own. @throws StoreUnavailable */
async function keep(message: RefusedMessage, { quarantine, log }: SettleOptions): Promise<boolean> {
  try {
    await quarantine.put(message);
    return true;
  } catch (cause) {
    if (cause instanceof MeteringError && cause.retryable) throw cause;
    const fields = { reason: message.refusal.reason, sender: message.sender, cause: messageOf(cause) };
    log.error(fields, 'A refused message could not be put into quarantine; it stays where it came from.');
    return false;
  }
}

function nothingKnown({ body, transport, sender }: Inbound, refusal: Refusal): RefusedMessage {
  const unknown = { agentId: null, messageId: null, from: null, to: null, samples: 0 };
  return { refusal, bytes: body, transport, sender, ...unknown };
}

function refusedBatch({ header, digest, texts }: BatchEnvelope, inbound: Inbound, refusal: Refusal): RefusedMessage {
  const slots = header.runs.flatMap(({ slot }) => slot ?? []).sort((a, b) => a - b);
  const known = slots.length === 0 ? spanOf(texts) : { from: slots[0] ?? null, to: slots[slots.length - 1] ?? null };
  return {
    ...nothingKnown(inbound, refusal),
    agentId: header.agent_id,
    messageId: uuidv5(NEPHOMETER_NAMESPACE, digest),
    ...known,
    samples: header.samples,
  };
}

/** First and last time that texts say, which may be anything. */
function spanOf(texts: readonly string[]): Pick<RefusedMessage, 'from' | 'to'> {
  const times = texts.flatMap((text) => timeOf(text) ?? []);
  return times.length === 0 ? { from: null, to: null } : { from: Math.min(...times), to: Math.max(...times) };
}

function timeOf(text: string): Micros | null {
  try {
    const time = textIn(text, 'timestamp');
    return time === null ? null : parseTimestamp(time);
  } catch {
    return null;
  }
}

function messageIdOf(text: string): string | null {
  return textIn(text, 'message_id');
}

/** A member that is a text; null of a text that is no object, or has no such member. */
function textIn(text: string, name: string): string | null {
  try {
    const value = parseJson(sliceMembers(text).get(name) ?? 'null');
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

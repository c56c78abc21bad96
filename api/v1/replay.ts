import { busNames, formatInstant, readMeteringEnvelope, uuidv4 } from '@nephometer/core';
import type { Bus, Config, IngestResult, MessageIngest, QuarantinedMessage, Store } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { httpError } from '../errors.ts';
import { sendJson } from '../respond.ts';
import { findQuarantined } from './quarantine.ts';
import { readParameters } from './request.ts';
import { NoQuery } from './requests.ts';

/** POST /v1/quarantine/{id}/replay: gives the original bytes to a collector once more, after what was wrong was put right. */
export function replayQuarantined({ store, config, bus, ingest, clock }: ApiOptions): Handler {
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    const id = ctx.params['id'] ?? '';
    const { message } = await findQuarantined(store, id);
    const bytes = wholeBytes(message);
    const { name } = identityOf(ctx);
    const by = `Replayed ${formatInstant(clock.now())} by ${name}.`;
    const replay = { store, id, message, bytes, by };
    const isNotification = message.transport === 'notification';
    if (ingest !== null && !isNotification) sendJson(ctx, await replayHere(replay, ingest, `replay@${name}`));
    else if (bus !== null && (message.transport !== 'http' || hasHeader(bytes))) {
      sendJson(ctx, await replayByBus(replay, bus, config));
    } else if (bus !== null) throw httpError('MTR_NO_COLLECTOR', POSTED);
    else throw httpError('MTR_NO_COLLECTOR', 'No collector runs in this process and it has no bus: replay elsewhere.');
  };
}

/** On the bus a message without a batch header would be refused for that alone. */
const POSTED =
  "It was posted without a batch header, which the bus does not take: post its bytes to a collector's /v1/messages, or replay it where a collector runs.";

function hasHeader(bytes: Buffer): boolean {
  try {
    return readMeteringEnvelope(bytes).kind === 'batch';
  } catch {
    return false;
  }
}

interface Replay {
  readonly store: Store;
  readonly id: string;
  readonly message: QuarantinedMessage;
  readonly bytes: Buffer;
  /** A sentence that says when and by whom. */
  readonly by: string;
}

function wholeBytes({ bytes, size }: QuarantinedMessage): Buffer {
  const whole = Buffer.from(bytes, 'base64');
  if (whole.length === size) return whole;
  if (whole.length === 0) {
    throw httpError(
      'MTR_QUARANTINE_CUT',
      'Its bytes were let go: they are kept for quarantine.keep, and not of senders with too much refused in a day.',
    );
  }
  const detail = `Only the first ${whole.length} of ${size} bytes were kept (collector.quarantine_max): this cannot be replayed.`;
  throw httpError('MTR_QUARANTINE_CUT', detail);
}

/** Judged at once; what is refused again stays refused. */
async function replayHere(replay: Replay, ingest: MessageIngest, sender: string): Promise<string> {
  const results: readonly IngestResult[] = await ingest.ingest(replay.bytes, sender);
  const isTaken = results.some(({ outcome }) => outcome !== 'refused');
  if (isTaken) await mark(replay, 'replayed', replay.by);
  const state = isTaken ? 'replayed' : replay.message.state;
  return JSON.stringify({ id: replay.id, state, via: 'ingest', results });
}

/** Judged later by a collector, which sets it back to refused; so it is marked before it is on its way. */
async function replayByBus(replay: Replay, bus: Bus, config: Config): Promise<string> {
  await mark(replay, 'replayed', replay.by);
  try {
    const contentType = 'application/json';
    await bus.publish({ ...addressOf(replay.message, config), body: replay.bytes, messageId: uuidv4(), contentType });
  } catch (cause) {
    await mark(replay, 'refused', `${replay.by} The bus did not take it.`);
    throw cause;
  }
  return JSON.stringify({ id: replay.id, state: 'replayed', via: 'bus', results: null });
}

/** Where it came from; what was posted goes where agents publish. */
function addressOf(message: QuarantinedMessage, config: Config): { exchange: string; routingKey: string } {
  const cut = message.sender.lastIndexOf('/');
  if (message.transport !== 'http' && cut > 0) {
    return { exchange: message.sender.slice(0, cut), routingKey: message.sender.slice(cut + 1) };
  }
  const { exchange, sampleKey } = busNames(config.bus.namespace);
  return { exchange, routingKey: sampleKey };
}

/** Appends the new state. The sentence makes each entry another one, so that none is taken for a repetition. */
async function mark(
  { store, id, message }: Replay,
  state: QuarantinedMessage['state'],
  sentence: string,
): Promise<void> {
  const body: QuarantinedMessage = { ...message, state, detail: `${message.detail} ${sentence}` };
  await store.appendEntry({ kind: 'quarantine', id, body: JSON.stringify(body) });
}

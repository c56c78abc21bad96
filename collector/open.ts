import { messageOf, readMeteringEnvelope, Refusal } from '@nephometer/core';
import type { BatchEnvelope, BatchRecord, Clock, Config, HeaderlessEnvelope, Keyring } from '@nephometer/core';
import type { CollectorMetrics } from './metrics.ts';
import { verifyBatch, verifyHeaderless } from './verify.ts';
import type { Verdict } from './verify.ts';

/** A body as it came in, by the bus or by HTTP. */
export interface Inbound {
  readonly body: Uint8Array;
  readonly transport: 'bus' | 'http';
  /** Exchange and routing key, or who posted. */
  readonly sender: string;
  /** Whether others than our agents send by this way: only there a message may lack its batch header. */
  readonly foreign: boolean;
}

export interface OpenOptions {
  readonly config: Config;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly metrics: CollectorMetrics;
}

/** A body, read and judged. */
export type Opened =
  | { readonly kind: 'unreadable'; readonly inbound: Inbound; readonly refusal: Refusal }
  | {
      readonly kind: 'batch';
      readonly inbound: Inbound;
      readonly envelope: BatchEnvelope;
      readonly verdict: Verdict;
    }
  | {
      readonly kind: 'stripped';
      readonly inbound: Inbound;
      readonly envelope: HeaderlessEnvelope;
      readonly refusal: Refusal;
    }
  | { readonly kind: 'headerless'; readonly inbound: Inbound; readonly messages: readonly JudgedMessage[] };

export interface JudgedMessage {
  readonly text: string;
  readonly verdict: Verdict;
}

/** Our agents' envelopes name their publisher so; one that does and has no header was stripped of it. */
export const OUR_PUBLISHER = 'nephometer.';
const LONGEST_TURN_MS = 10;

/** Reads and verifies each body. Never throws for what is in one. */
export async function openAll(inbound: readonly Inbound[], options: OpenOptions): Promise<Opened[]> {
  const opened: Opened[] = [];
  let turn = performance.now();
  for (const one of inbound) {
    opened.push(open(one, options));
    // Signatures take time; heartbeats and other requests get their turn between two bodies.
    if (performance.now() - turn > LONGEST_TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
  }
  return opened;
}

/** The records of all that was accepted. */
export function recordsOf(opened: readonly Opened[]): BatchRecord[] {
  return opened.flatMap((one) => {
    if (one.kind === 'unreadable' || one.kind === 'stripped') return [];
    const verdicts = one.kind === 'batch' ? [one.verdict] : one.messages.map(({ verdict }) => verdict);
    return verdicts.flatMap((verdict) => (verdict.accepted ? [verdict.record] : []));
  });
}

function open(inbound: Inbound, { config, keyring, clock, metrics }: OpenOptions): Opened {
  const { transport, body } = inbound;
  metrics.messages.add(1, { transport });
  try {
    // What is posted was measured at the door.
    if (transport === 'bus') checkSize(body, config.bus.max_message);
    const envelope = readMeteringEnvelope(body);
    const context = { keyring, signing: config.signing, now: clock.now(), transport };
    if (envelope.kind === 'batch') {
      return { kind: 'batch', inbound, envelope, verdict: verifyBatch(envelope, context) };
    }
    const refusal = headerlessRefusal(envelope, inbound, config, keyring);
    if (refusal !== null) return { kind: 'stripped', inbound, envelope, refusal };
    const messages = envelope.texts.map((text) => ({ text, verdict: verifyHeaderless(text, context) }));
    return { kind: 'headerless', inbound, messages };
  } catch (cause) {
    const refusal = cause instanceof Refusal ? cause : new Refusal('malformed', messageOf(cause));
    return { kind: 'unreadable', inbound, refusal };
  }
}

function checkSize(body: Uint8Array, most: number): void {
  if (body.length <= most) return;
  throw new Refusal('oversized', `The message has ${body.length} bytes; at most ${most} are taken (bus.max_message).`);
}

/** Why messages without a batch header are refused here, or null. */
function headerlessRefusal(
  envelope: HeaderlessEnvelope,
  inbound: Inbound,
  config: Config,
  keyring: Keyring,
): Refusal | null {
  if (envelope.publisherId?.startsWith(OUR_PUBLISHER) === true) {
    return new Refusal('headerless', `An envelope of ${envelope.publisherId} came without its batch header.`);
  }
  if (!inbound.foreign) {
    const ways = "Ceilometer's own exchange (ceilometer.enabled) or POST /v1/messages";
    return new Refusal('headerless', `Our own exchange carries signed batches only; without a header, use ${ways}.`);
  }
  if (keyring.sharedKeys().length === 0) {
    return new Refusal(
      'headerless',
      'The message has no batch header, and there is no shared secret here to check it by.',
    );
  }
  const asked = config.signing.accept_headerless;
  if (asked ?? !(keyring.hasAgentKeys && inbound.transport === 'bus')) return null;
  const why = asked === false ? 'signing.accept_headerless is false' : 'agents have keys of their own here';
  return new Refusal('headerless', `The message has no batch header, and ${why} (signing.accept_headerless).`);
}

import {
  formatDuration,
  formatTimestamp,
  merkleRoot,
  messageOf,
  polledSampleId,
  receiveMessage,
  Refusal,
  sha256,
  SHARED_KEY_ID,
  verifyHeader,
  verifyMessage,
} from '@nephometer/core';
import type {
  BatchEnvelope,
  BatchRecord,
  BatchRun,
  Config,
  Keyring,
  Micros,
  ReceivedSample,
  SigningKey,
  Transport,
} from '@nephometer/core';

export interface VerifyContext {
  readonly keyring: Keyring;
  readonly signing: Config['signing'];
  /** When the message was received. */
  readonly now: Micros;
  readonly transport: Transport;
}

export type Verdict =
  | { readonly accepted: true; readonly record: BatchRecord }
  | {
      readonly accepted: false;
      readonly refusal: Refusal;
      /**
       * Whether header and samples are what the agent's key signed. Only then the agent may be told that they are
       * refused: it drops them, and a forger must not be able to make it do so.
       */
      readonly proven: boolean;
    };

/**
 * Checks where a batch comes from and that it is whole. A batch is accepted or refused as one: its ledger row stands for
 * all its samples, so that a part recorded would count as the whole, and its cycle reports would vouch for samples
 * that are not there.
 *
 * Origin is judged before content and content before the clock: of what is forged we believe nothing, not even its time.
 */
export function verifyBatch(envelope: BatchEnvelope, context: VerifyContext): Verdict {
  let proven = false;
  try {
    const key = keyOf(envelope, context);
    checkWhole(envelope);
    proven = true;
    checkValidity(key, 'signed', envelope.header.created);
    checkValidity(key, 'received', context.now);
    const samples = readSamples(envelope, key);
    checkIds(samples);
    checkBatchClock(envelope, samples, context);
    return { accepted: true, record: recordOf(envelope, samples, context.transport) };
  } catch (cause) {
    return { accepted: false, refusal: asRefusal(cause), proven };
  }
}

/** Whatever else a check trips over is the message's fault too: refused, never a crash. */
function asRefusal(cause: unknown): Refusal {
  return cause instanceof Refusal ? cause : new Refusal('malformed', `Cannot be checked: ${messageOf(cause)}`);
}

function recordOf(envelope: BatchEnvelope, samples: readonly ReceivedSample[], transport: Transport): BatchRecord {
  const { header, digest, headerText } = envelope;
  return { digest, header, headerText, keyId: header.key_id, transport, samples };
}

/** The key that signed the header. @throws Refusal `key`, `agent`, `signature` */
function keyOf({ header }: BatchEnvelope, { keyring }: VerifyContext): SigningKey {
  const { key_id: keyId, agent_id: agent } = header;
  const key = keyring.find(keyId, agent);
  if (key === null) throw unknownKey(keyId, agent, keyring);
  if (key.agentId !== null && key.agentId !== agent) {
    throw new Refusal('agent', `The key "${keyId}" belongs to agent ${key.agentId}; it may not sign for ${agent}.`);
  }
  if (!verifyHeader(header, key.secret)) {
    throw new Refusal('signature', `The batch header of agent ${agent} does not match the key "${keyId}".`);
  }
  return key;
}

function unknownKey(keyId: string, agent: string, keyring: Keyring): Refusal {
  if (keyId === SHARED_KEY_ID && keyring.hasAgentKeys) {
    const remedy = 'issue it one, or say signing.accept_shared_batches while agents change over';
    return new Refusal(
      'agent',
      `Agents have keys of their own here, and agent ${agent} signed with the shared secret; ${remedy}.`,
    );
  }
  return new Refusal('key', `The key "${keyId}" is not known here; agent ${agent} signed with it.`);
}

function checkValidity(key: SigningKey, verb: 'signed' | 'received', at: Micros): void {
  const early = key.validFrom !== null && at < key.validFrom;
  if (!early && (key.validUntil === null || at < key.validUntil)) return;
  const bound = early
    ? `is valid from ${formatTimestamp(key.validFrom ?? 0)}`
    : `was valid until ${formatTimestamp(key.validUntil ?? 0)}`;
  throw new Refusal('revoked', `The key "${key.keyId}" ${bound}; this was ${verb} at ${formatTimestamp(at)}.`);
}

/** @throws Refusal `merkle` when the samples are not those of the header */
function checkWhole({ header, texts }: BatchEnvelope): void {
  const inRuns = header.runs.reduce((sum, run) => sum + run.samples, 0);
  if (header.samples !== texts.length || inRuns !== texts.length) {
    const counts = `the header counts ${header.samples}, its runs ${inRuns}`;
    throw new Refusal('merkle', `The batch holds ${texts.length} samples; ${counts}.`);
  }
  if (merkleRoot(texts) !== header.merkle_root) {
    throw new Refusal('merkle', "The samples do not hash to the header's Merkle root.");
  }
}

function readSamples({ header, texts }: BatchEnvelope, key: SigningKey): ReceivedSample[] {
  let first = 0;
  return header.runs.flatMap((run) => {
    const start = first;
    first += run.samples;
    return texts.slice(start, first).map((text, i) => inSample(start + i, () => readSample(text, run, header, key)));
  });
}

function readSample(
  text: string,
  run: BatchRun,
  header: { readonly agent_id: string; readonly epoch: string },
  key: SigningKey,
): ReceivedSample {
  const { sample, fields } = receiveMessage(text, run.slot);
  if (verifyMessage(fields, key.secret) === null) {
    throw new Refusal('signature', `message_signature does not match the key "${key.keyId}".`);
  }
  if (run.slot !== null) {
    const { meter, resourceId } = sample;
    const of = { agentId: header.agent_id, epoch: header.epoch, source: run.source, meter, resourceId, slot: run.slot };
    const expected = polledSampleId(of);
    if (sample.messageId !== expected) {
      throw new Refusal('message_id', `message_id is ${sample.messageId}; its origin gives ${expected}.`);
    }
  }
  return sample;
}

/** Says which sample of the batch a refusal is about. */
function inSample<T>(index: number, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const refusal = asRefusal(cause);
    throw new Refusal(refusal.reason, `Sample ${index}: ${refusal.message}`);
  }
}

function checkIds(samples: readonly ReceivedSample[]): void {
  const seen = new Map<string, number>();
  samples.forEach(({ messageId }, index) => {
    const first = seen.get(messageId);
    if (first !== undefined) {
      throw new Refusal('message_id', `Samples ${first} and ${index} have one message_id, ${messageId}.`);
    }
    seen.set(messageId, index);
  });
}

/**
 * Polled samples may be `clock_behind` old (a spool that waited), those made from notifications as old as foreign messages:
 * the service that sent them set their time.
 */
function checkBatchClock({ header }: BatchEnvelope, samples: readonly ReceivedSample[], context: VerifyContext): void {
  const { clock_behind: polled, headerless_behind: notified } = context.signing;
  checkClock('The batch was created', header.created, polled, context);
  for (const { slot } of header.runs) if (slot !== null) checkClock('A run has the slot', slot, polled, context);
  samples.forEach(({ timestamp, slot }, index) => {
    checkClock(`Sample ${index} has the timestamp`, timestamp, slot === null ? notified : polled, context);
  });
}

/** @throws Refusal `future` or `past` */
function checkClock(what: string, at: Micros, behind: Micros | undefined, { now, signing }: VerifyContext): void {
  const received = `it was received at ${formatTimestamp(now)}`;
  if (at > now + signing.clock_ahead) {
    const allowed = `${formatDuration(signing.clock_ahead)} ahead is allowed (signing.clock_ahead)`;
    throw new Refusal('future', `${what} ${formatTimestamp(at)}; ${received}, and ${allowed}.`);
  }
  if (behind !== undefined && at < now - behind) {
    throw new Refusal('past', `${what} ${formatTimestamp(at)}; ${received}, and ${formatDuration(behind)} is allowed.`);
  }
}

/**
 * Checks one metering message that came without a batch header, by the signature that Ceilometer gives to it. It
 * becomes a record of its own, so that one bad message in an array leaves the others.
 */
export function verifyHeaderless(text: string, context: VerifyContext): Verdict {
  try {
    const { sample, fields } = receiveMessage(text, null);
    const key = context.keyring.sharedKeys().find(({ secret }) => verifyMessage(fields, secret) !== null);
    if (key === undefined) throw new Refusal('signature', unsignedText(sample.signature));
    checkValidity(key, 'received', context.now);
    checkClock('The message has the timestamp', sample.timestamp, context.signing.headerless_behind, context);
    const digest = sha256(text);
    const { transport } = context;
    const record = { digest, header: null, headerText: null, keyId: key.keyId, transport, samples: [sample] };
    return { accepted: true, record };
  } catch (cause) {
    return { accepted: false, refusal: asRefusal(cause), proven: false };
  }
}

function unsignedText(signature: string): string {
  return signature === ''
    ? 'The message is not signed; give its sender the shared secret (telemetry_secret).'
    : 'message_signature does not match the shared secret; compare telemetry_secret of the sender and signing.secret_file here.';
}

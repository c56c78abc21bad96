import { DAY, QuarantinedMessage, readMessage, readMeteringEnvelope } from '@nephometer/core';
import type { AgentCycle, Micros, RefusalReason, Sample, Store, UsageSample } from '@nephometer/core';
import { httpError } from '../../errors.ts';

/** What was refused for one reason, as far as it can be read. */
export interface RefusedFacts {
  readonly reason: RefusalReason;
  messages: number;
  /** Messages of which not one sample can be read, and samples that cannot: what they hold is not known. */
  unreadableMessages: number;
  unreadableSamples: number;
  readonly samples: UsageSample[];
  readonly cycles: AgentCycle[];
  /** `recorded_at` of the entries whose samples are here: their time is a gap no more, were they let in. */
  readonly entries: Set<Micros>;
}

export interface RefusedQuery {
  readonly meter: string;
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
}

/** Of a clock that is ahead the messages come before their time: they are looked for so long before the period. */
const AHEAD: Micros = 32 * DAY;
/** Refused messages hold their bytes: few are read at a time. */
const PAGE = 16;
const MOST_SAMPLES = 1_000_000;

/** The refused messages of a period that were not let in later, by reason. @throws HttpError 413, StoreUnavailable */
export async function refusedFacts(store: Store, query: RefusedQuery): Promise<RefusedFacts[]> {
  const byReason = new Map<RefusalReason, RefusedFacts>();
  const seen = new Set<string>();
  let count = 0;
  for (let before = query.asOf + 1; ;) {
    const entries = await store.entries({ kind: 'quarantine', after: query.from - AHEAD, before, limit: PAGE });
    for (const { id, body, recordedAt } of entries) {
      // The newest entry of an id tells its state, and comes first.
      if (seen.has(id)) continue;
      seen.add(id);
      const read = QuarantinedMessage.safeParse(JSON.parse(body));
      if (!read.success || read.data.state !== 'refused' || !isWithin(read.data, query)) continue;
      count += addMessage(byReason, read.data, recordedAt, query);
      if (count > MOST_SAMPLES)
        throw httpError('MTR_TOO_MUCH', `More than ${MOST_SAMPLES} refused samples; ask for less.`);
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < PAGE) break;
    before = last.recordedAt;
  }
  return [...byReason.values()].sort((a, b) => (a.reason < b.reason ? -1 : 1));
}

/** What has no time that could be read is taken to be of when it came. */
function isWithin({ from, to, received }: QuarantinedMessage, query: RefusedQuery): boolean {
  return (from ?? received) < query.to && (to ?? from ?? received) >= query.from;
}

function addMessage(
  byReason: Map<RefusalReason, RefusedFacts>,
  message: QuarantinedMessage,
  recordedAt: Micros,
  { meter }: RefusedQuery,
): number {
  const { reason } = message;
  const none = { samples: [], cycles: [], entries: new Set<Micros>() };
  const facts = byReason.get(reason) ?? { reason, messages: 0, unreadableMessages: 0, unreadableSamples: 0, ...none };
  byReason.set(reason, facts);
  facts.messages += 1;
  const read = readRefused(message, recordedAt);
  if (read === null) {
    facts.unreadableMessages += 1;
    facts.unreadableSamples += message.samples;
    return 0;
  }
  facts.unreadableSamples += read.unreadable;
  facts.entries.add(recordedAt);
  const own = read.samples.filter((sample) => sample.meter === meter);
  for (const sample of own) facts.samples.push(sample);
  for (const cycle of read.cycles) if (cycle.report.meters.includes(meter)) facts.cycles.push(cycle);
  return own.length;
}

interface ReadMessage {
  readonly samples: readonly UsageSample[];
  readonly cycles: readonly AgentCycle[];
  readonly unreadable: number;
}

/** Null when nothing of it can be read: not kept whole, no envelope, another service's notification. */
function readRefused({ bytes, size, transport }: QuarantinedMessage, recordedAt: Micros): ReadMessage | null {
  const whole = Buffer.from(bytes, 'base64');
  if (whole.length !== size || transport === 'notification') return null;
  try {
    const envelope = readMeteringEnvelope(whole);
    const header = envelope.kind === 'batch' ? envelope.header : null;
    const agentId = header?.agent_id ?? null;
    const slots = header?.runs.flatMap(({ slot, samples }) => Array.from({ length: samples }, () => slot)) ?? [];
    const read = envelope.texts.map((text, i) => {
      const sample = sampleOf(text);
      return sample === null ? null : usageSample(sample, slots[i] ?? null, agentId, recordedAt);
    });
    const samples = read.filter((sample) => sample !== null);
    if (samples.length === 0 && read.length > 0) return null;
    const cycles = (header?.cycles ?? []).map((report) => ({ agentId: agentId ?? '', recordedAt, report }));
    return { samples, cycles, unreadable: read.length - samples.length };
  } catch {
    return null;
  }
}

function sampleOf(text: string): Sample | null {
  try {
    return readMessage(text).sample;
  } catch {
    return null;
  }
}

function usageSample(
  { messageId, source, meter, type, unit, volume, resourceId, projectId, userId, timestamp, metadata }: Sample,
  slot: Micros | null,
  agentId: string | null,
  recordedAt: Micros,
): UsageSample {
  const series = { source, meter, type, unit, resourceId };
  return { messageId, ...series, volume, projectId, userId, timestamp, metadata, slot, agentId, recordedAt };
}

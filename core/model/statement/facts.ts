import { parseDecimal } from '../../decimal.ts';
import { fromPlain, isJsonObject } from '../../json.ts';
import { parseTimestamp } from '../../time.ts';
import type { Micros } from '../../time.ts';
import type { SignedHeader } from '../batch.ts';
import { readMessage } from '../message.ts';
import type { Sample } from '../sample.ts';
import { ledgerFacts } from '../usage/ledger.ts';
import type { LostSpan, UsageFacts, UsageSample, UsageVoid } from '../usage/types.ts';
import { voidOf } from '../void.ts';
import type { EvidenceRecord } from './evidence.ts';

type Of<K extends EvidenceRecord['kind']> = Extract<EvidenceRecord, { kind: K }>;

/** Facts for `foldUsage`, out of the records of an evidence file. Nothing is verified here. */
export class EvidenceFacts {
  readonly #samples: UsageSample[] = [];
  readonly #lost: LostSpan[] = [];
  readonly #voids: UsageVoid[] = [];
  readonly #batches: { digest: string; recordedAt: Micros; headerText: string }[] = [];
  readonly #headers = new Map<string, SignedHeader>();

  /** Batches have to come before their samples. @throws Refusal, RangeError, SyntaxError for what cannot be read */
  add(record: EvidenceRecord): void {
    if (record.kind === 'batch') this.#addBatch(record);
    else if (record.kind === 'sample') this.#samples.push(this.#ownSample(record, readMessage(record.text).sample));
    else if (record.kind === 'other') this.#samples.push(otherSample(record));
    else if (record.kind === 'lost') this.#lost.push(lostSpan(record));
    else if (record.kind === 'void') this.#addVoid(record);
  }

  header(digest: string): SignedHeader | null {
    return this.#headers.get(digest) ?? null;
  }

  /** What bears on one meter. */
  of(meter: string): UsageFacts {
    const { cycles, lost } = ledgerFacts(this.#batches);
    return {
      samples: this.#samples.filter((sample) => sample.meter === meter),
      cycles: cycles.filter(({ report }) => report.meters.includes(meter)),
      lost: [...lost, ...this.#lost],
      voids: this.#voids,
    };
  }

  #addBatch({ digest, recorded_at, header }: Of<'batch'>): void {
    this.#batches.push({ digest, recordedAt: parseTimestamp(recorded_at), headerText: header });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `ledgerFacts` says what is wrong with it
    this.#headers.set(digest, JSON.parse(header) as SignedHeader);
  }

  #addVoid({ body, recorded_at }: Of<'void'>): void {
    const made = voidOf({ body, recordedAt: parseTimestamp(recorded_at) });
    if (made !== null) this.#voids.push(made);
  }

  #ownSample({ batch, index, recorded_at }: Of<'sample'>, sample: Sample): UsageSample {
    const header = this.#headers.get(batch) ?? null;
    const { messageId, source, meter, type, unit, resourceId, projectId, userId, timestamp, metadata, volume } = sample;
    return {
      messageId,
      source,
      meter,
      type,
      unit,
      resourceId,
      projectId,
      userId,
      timestamp,
      metadata,
      volume,
      slot: header === null ? null : slotAt(header, index),
      agentId: header?.agent_id ?? null,
      recordedAt: parseTimestamp(recorded_at),
    };
  }
}

/** The slot that a sample's run says. */
export function slotAt({ runs }: Pick<SignedHeader, 'runs'>, index: number): Micros | null {
  let end = 0;
  for (const run of runs) {
    end += run.samples;
    if (index < end) return run.slot;
  }
  return null;
}

/** Stands for whoever it belongs to: no project can have this name. */
const ANOTHER = '\u0000another project';

function otherSample(record: Of<'other'>): UsageSample {
  const { order, source, meter, type, unit, resource_id: resourceId, agent_id: agentId, volume } = record;
  const metadata = fromPlain(record.metadata);
  return {
    messageId: order,
    source,
    meter,
    type,
    unit,
    resourceId,
    agentId,
    projectId: ANOTHER,
    userId: null,
    timestamp: parseTimestamp(record.timestamp),
    slot: record.slot === null ? null : parseTimestamp(record.slot),
    recordedAt: parseTimestamp(record.recorded_at),
    volume: parseDecimal(volume ?? '0'),
    metadata: isJsonObject(metadata) ? metadata : new Map(),
  };
}

function lostSpan({ reason, from, to, agent_id, source, meter, resource_id, recorded_at }: Of<'lost'>): LostSpan {
  return {
    reason,
    from: parseTimestamp(from),
    to: parseTimestamp(to),
    agentId: agent_id,
    source,
    meter,
    resourceId: resource_id,
    recordedAt: parseTimestamp(recorded_at),
  };
}

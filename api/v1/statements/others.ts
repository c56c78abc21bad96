import { compareText, formatInstant, isDeletion, metadataText, RESTART_MARKERS, toText } from '@nephometer/core';
import type { EvidenceRecord, LostSpan, UsageSample } from '@nephometer/core';

export function lineageOf({ source, meter, type, unit, resourceId }: UsageSample): string {
  return JSON.stringify([source, meter, type, unit, resourceId]);
}

export function seriesOf(sample: UsageSample): string {
  return JSON.stringify([lineageOf(sample), sample.agentId]);
}

export function compareInSeries(a: UsageSample, b: UsageSample): number {
  return compareText(seriesOf(a), seriesOf(b)) || a.timestamp - b.timestamp || compareText(a.messageId, b.messageId);
}

export function otherRecord(sample: UsageSample, order: number, detail: number): EvidenceRecord {
  const { source, meter, type, unit, resourceId, timestamp, slot, agentId, recordedAt, volume } = sample;
  const isCounter = type === 'cumulative';
  const markers = RESTART_MARKERS.flatMap((name) => {
    const text = isCounter ? metadataText(sample.metadata, name) : null;
    return text === null ? [] : [[name, text]];
  });
  return {
    kind: 'other',
    order: `other-${String(order).padStart(8, '0')}`,
    source,
    meter,
    type,
    unit,
    resource_id: resourceId,
    timestamp: formatInstant(timestamp),
    slot: slot === null ? null : formatInstant(slot),
    agent_id: agentId,
    recorded_at: formatInstant(recordedAt),
    volume: isCounter || detail > 1 ? toText(volume) : null,
    metadata: {
      ...(isDeletion(sample.metadata) ? { deleted: true } : {}),
      ...(Object.fromEntries(markers) as object),
    },
  };
}

/** Null for what follows from the batch headers. */
export function lostText({
  reason,
  from,
  to,
  agentId,
  source,
  meter,
  resourceId,
  recordedAt,
}: LostSpan): string | null {
  if (reason === 'not-yet-arrived' || reason === 'spool-overflow') return null;
  const times = { from: formatInstant(from), to: formatInstant(to), recorded_at: formatInstant(recordedAt) };
  return JSON.stringify({ kind: 'lost', reason, ...times, agent_id: agentId, source, meter, resource_id: resourceId });
}

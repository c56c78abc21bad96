import type { StoredSample } from './sample.ts';
import type { UsageSample } from './usage/types.ts';

/** What usage needs of a stored sample, and nothing else: a month of them is held in memory. */
export function usageSampleOf(sample: StoredSample): UsageSample {
  const { messageId, source, meter, type, unit, resourceId, projectId, userId, timestamp, metadata, slot } = sample;
  const { agentId, recordedAt } = sample;
  const volume = { coefficient: sample.volume.coefficient, scale: sample.volume.scale };
  const series = { source, meter, type, unit, resourceId };
  return { messageId, ...series, volume, projectId, userId, timestamp, metadata, slot, agentId, recordedAt };
}

import { formatInstant, toText } from '@nephometer/core';
import type { Identity, Micros, StoredSample } from '@nephometer/core';
import { strictJson } from '../strict-json.ts';

const json = JSON.stringify as (value: string | number | null) => string;

export function instantText(at: Micros | null): string {
  return at === null ? 'null' : `"${formatInstant(at)}"`;
}

/** `SampleAnswer`. Metadata keep their literals. */
export function sampleText(sample: StoredSample): string {
  return (
    `{"message_id":${json(sample.messageId)},"source":${json(sample.source)},"counter_name":${json(sample.meter)},` +
    `"counter_type":"${sample.type}","counter_unit":${json(sample.unit)},"counter_volume":"${toText(sample.volume)}",` +
    `"user_id":${json(sample.userId)},"project_id":${json(sample.projectId)},"resource_id":${json(sample.resourceId)},` +
    `"timestamp":${instantText(sample.timestamp)},"resource_metadata":${strictJson(sample.metadata)},` +
    `"recorded_at":${instantText(sample.recordedAt)},"slot":${instantText(sample.slot)},` +
    `"agent_id":${json(sample.agentId)},"epoch":${json(sample.epoch)},"seq":${json(sample.seq)},` +
    `"key_id":${json(sample.keyId)}}`
  );
}

/** `IdentityAnswer`. */
export function identityShape({ name, role, projects, userId }: Identity): Record<string, unknown> {
  return { name, role, projects, user_id: userId };
}

import type { SampleAnswer } from './store-view.ts';
import type { Issued } from './values.ts';

/** What names a reading wherever it is met: no two readings have one key. */
export function issuedKey({ issue, resource, meter }: Pick<Issued, 'issue' | 'resource' | 'meter'>): string {
  return `${issue} ${resource} ${meter}`;
}

/** The key of the reading that a stored sample says it is. */
export function keyOf(sample: SampleAnswer): string {
  return `${String(sample.resource_metadata['issue'])} ${sample.resource_id} ${sample.counter_name}`;
}

import { HOUR, MINUTE, parseTimestamp } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import type { Reading } from '../conformance/fixtures.ts';
import { arrivalsOf } from './cloud.ts';
import type { CloudPlan } from './cloud.ts';

export const at = (text: string): Micros => parseTimestamp(text.length === 10 ? `${text}T00:00:00` : text);

/** Two instances of p1 and one that moves to p2 and is resized, a volume that grows, a counter that starts again. */
export function readingsAt(slot: Micros): Reading[] {
  const hours = Math.floor((slot - at('2026-02-27')) / HOUR);
  const moved = slot >= at('2026-03-12T10:30:00');
  const small = slot < at('2026-03-20T05:20:00');
  const restarted = slot >= at('2026-03-08T03:00:00');
  const bytes = restarted ? slot - at('2026-03-08T03:00:00') : slot - at('2026-02-27');
  return [
    {
      meter: 'vcpus',
      type: 'gauge',
      unit: 'vcpu',
      volume: '2',
      resource: 'i1',
      project: 'p1',
      metadata: { flavor_name: 'm1.small' },
    },
    {
      meter: 'vcpus',
      type: 'gauge',
      unit: 'vcpu',
      volume: small ? '1' : '4',
      resource: 'i2',
      project: moved ? 'p2' : 'p1',
      metadata: { flavor_name: small ? 'm1.tiny' : 'm1.large' },
    },
    {
      meter: 'volume.size',
      type: 'gauge',
      unit: 'GiB',
      volume: `${10 + Math.floor(hours / 100)}`,
      resource: 'v1',
      project: 'p1',
    },
    {
      meter: 'network.outgoing.bytes',
      type: 'cumulative',
      unit: 'B',
      volume: `${Math.floor(bytes / 1000)}`,
      resource: 'port1',
      project: 'p1',
    },
  ];
}

export const METERS = ['vcpus', 'volume.size', 'network.outgoing.bytes'];

/** A month around its edges, every 15 minutes; the agent was down and failed for a while. */
const MONTH: CloudPlan = {
  from: at('2026-02-27'),
  to: at('2026-04-02'),
  interval: 15 * MINUTE,
  batchEvery: 4 * HOUR,
  agents: [
    {
      id: 'node-1',
      meters: METERS,
      readings: readingsAt,
      down: [[at('2026-03-15T08:00:00'), at('2026-03-15T14:00:00')]],
      failing: [[at('2026-03-17T00:00:00'), at('2026-03-17T03:00:00')]],
    },
  ],
};

export const ARRIVALS = arrivalsOf(MONTH);

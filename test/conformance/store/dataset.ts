import { HOUR, parseJson } from '@nephometer/core';
import type { BatchRecord, JsonObject } from '@nephometer/core';
import { makeBatch, makeHeaderless, NOON } from '../fixtures.ts';
import type { Reading } from '../fixtures.ts';

const METADATA: readonly (Record<string, unknown> | JsonObject)[] = [
  {},
  { flavor: { id: 1, name: 'small' }, active: true, host: 'node-1' },
  { flavor: { id: '1', name: 'large' }, active: false, host: null },
  { flavor: { id: 1.5 }, active: 'true', 'flavor.name': 'dotted', tags: ['a', 'b'] },
  { 'a.b': { 'c.d': 'deep' }, 'metering.stack': 's1', 'x:y': 1, flavor: 'plain' },
  parseJson('{"size": 1.0, "big": 9007199254740993, "flavor": {"id": 1e0}}') as JsonObject,
];

const UNITS = ['B', 'GiB', null] as const;
const TYPES = ['gauge', 'delta', 'cumulative'] as const;

/** Samples that differ in everything that a filter looks at, at times that often coincide. */
export function variedBatches(): BatchRecord[] {
  const readings = Array.from({ length: 90 }, (_, i) => variedReading(i));
  const parts = [readings.slice(0, 40), readings.slice(40, 41), readings.slice(41, 85)];
  return [...parts.map((part) => makeBatch(part)), ...readings.slice(85).map((reading) => makeHeaderless(reading))];
}

function variedReading(i: number): Reading {
  return {
    id: `id-${String((i * 37) % 90).padStart(3, '0')}`,
    meter: ['disk.size', 'cpu', 'cpu.util'][i % 3] as string,
    type: TYPES[i % 3] as 'gauge',
    unit: UNITS[i % 7 === 0 ? 2 : i % 2] as string | null,
    volume: ['1', '-2.50', '1e3', '0.1', '18446744073709551616', '0'][i % 6] as string,
    resource: `resource-${i % 5}`,
    project: [null, 'project-1', 'project-2'][i % 4 === 3 ? 1 : i % 3] as string | null,
    user: [null, 'user-1'][(i >> 1) % 2] as string | null,
    source: i % 11 === 0 ? 'other' : 'openstack',
    at: NOON + Math.floor((i * 7) % 30) * HOUR + (i % 4 === 0 ? 1 : 0),
    metadata: METADATA[i % METADATA.length] as Record<string, unknown>,
    slot: i % 2 === 0 ? null : NOON,
  };
}

import { CONTRACT_VERSION } from '@nephometer/core';
import type { ActivePlugin, Pollster } from '@nephometer/core';
import type { IssuedLine } from './settings.ts';

const METERS = {
  'fleet.counter': { unit: 'ns', type: 'cumulative', description: 'Grows beyond the largest exact double.' },
  'fleet.level': { unit: 'GiB', type: 'gauge', description: 'A decimal.' },
} as const;

/** A pollster that tells what it gives before it gives it. Its values are a function of resource and poll. */
export function meterOf(
  agent: string,
  count: number,
  padding: number,
  tell: (line: IssuedLine) => void,
): ActivePlugin<Pollster> {
  let polls = 0;
  const plugin: Pollster = {
    kind: 'pollster',
    name: 'fleet',
    contract: CONTRACT_VERSION,
    meters: METERS,
    discovery: () => Array.from({ length: count }, (_, index) => ({ id: `${agent}-${index}`, projectId: 'project' })),
    poll(resources) {
      const issue = String((polls += 1));
      const metadata = { issue, ...(padding > 0 ? { padding: 'x'.repeat(padding) } : {}) };
      const readings = resources.flatMap((resource, index) => [
        {
          meter: 'fleet.counter',
          resource,
          volume: String(2n ** 60n + BigInt(polls * 1000 + index)),
          metadata,
        },
        {
          meter: 'fleet.level',
          resource,
          volume: `${index}.${String(polls % 1000).padStart(3, '0')}5`,
          metadata,
        },
      ]);
      const told = readings.map(({ meter, resource, volume }) => [resource.id, meter, volume, issue] as const);
      tell({ kind: 'issued', agent, readings: told });
      return readings;
    },
  };
  const entry = {
    namespace: 'nephometer.poll.compute',
    name: 'fleet',
    packageName: 'fleet',
    version: '0.0.0',
    folder: '.',
    module: 'fleet.js',
  } as const;
  return { entry, plugin, context: { options: {}, host: agent, config: {}, log: SILENT } };
}

const nothing = (): void => undefined;
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

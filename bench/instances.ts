import type { AgentPlan } from '@nephometer/test/usage';

const PROJECTS = 3;

/** An agent that reads a gauge of so many instances, spread over a few projects and flavors. */
export function instancesOf(meter: string, instances: number): AgentPlan {
  return {
    id: 'node-1',
    meters: [meter],
    readings: () =>
      Array.from({ length: instances }, (_, i) => ({
        meter,
        type: 'gauge',
        unit: 'vcpu',
        volume: `${1 + (i % 8)}`,
        resource: `instance-${i}`,
        project: `project-${i % PROJECTS}`,
        metadata: { flavor_name: `m1.${i % 4}` },
      })),
  };
}

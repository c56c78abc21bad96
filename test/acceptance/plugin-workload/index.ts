/** Reads the resources of workload.ts as they are now, by a plan that stands in a file. */
import { readFileSync } from 'node:fs';
import { definePollster, z } from '@nephometer/core/plugin';
import type { Resource } from '@nephometer/core/plugin';
import { counterAt, isThere, levelAt, RESOURCES } from './workload.ts';
import type { Plan, ResourceName } from './workload.ts';

const Options = z.strictObject({ plan: z.string().meta({ description: 'JSON file with the plan.' }) });

const planOf = (file: string): Plan => JSON.parse(readFileSync(file, 'utf8')) as Plan;

interface Worker extends Resource {
  readonly id: ResourceName;
}

export default definePollster<z.infer<typeof Options>, Worker>({
  name: 'workload',
  contract: 1,
  options: Options,
  meters: {
    'work.level': { unit: 'GiB', type: 'gauge', description: 'Memory that it was given.' },
    'work.cpu': { unit: 'ns', type: 'cumulative', description: 'CPU time since it was started.' },
  },
  discovery({ options }) {
    const plan = planOf(options.plan);
    const now = Date.now();
    return RESOURCES.filter((id) => isThere(id, now, plan)).map((id) => ({ id, projectId: 'p1' }));
  },
  *poll(resources, { options }) {
    const plan = planOf(options.plan);
    const at = Date.now();
    for (const resource of resources) {
      const metadata = { issued_at: at, ...(resource.id === 'steady' ? { boot_id: 'first' } : {}) };
      yield { meter: 'work.level', resource, volume: levelAt(resource.id, at, plan), metadata };
      yield { meter: 'work.cpu', resource, volume: counterAt(resource.id, at, plan), metadata };
    }
  },
});

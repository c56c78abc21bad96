/** A pollster beside the one that is told to misbehave: one resource, always at once. */
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { definePollster, z } from '@nephometer/core/plugin';
import type { Resource } from '@nephometer/core/plugin';
import { METERS, valueOf } from '../values.ts';
import type { Issued } from '../values.ts';

const METER = 'steady.level';
const RUN = randomBytes(6).toString('hex');
let polls = 0;

export default definePollster({
  name: 'steady',
  contract: 1,
  options: z.strictObject({ oracle: z.string(), prefix: z.string() }),
  meters: { [METER]: METERS[METER] },
  discovery: ({ options }): Resource[] => [{ id: `${options.prefix}-steady` }],
  *poll(resources, { options }) {
    const issue = `${RUN}.${(polls += 1)}`;
    const at = Date.now();
    for (const resource of resources) {
      const value = valueOf(METER, resource.id, at);
      const line: Issued = { issue, resource: resource.id, meter: METER, value, at };
      appendFileSync(options.oracle, `${JSON.stringify(line)}\n`);
      yield { meter: METER, resource, volume: value, metadata: { issue, issued_at: at } };
    }
  },
});

import { DEFAULT_DEFINITIONS, definitionQuery } from '@nephometer/core';
import type { Config, UsageField } from '@nephometer/core';

const ALWAYS: readonly UsageField[] = ['project_id', 'user_id'];

/** What fold lines of a meter are cut by: owners, and what the definitions in the configuration group by. Sorted. */
export function wantedAttributes({ usage }: Pick<Config, 'usage'>, meter: string): UsageField[] {
  const all = [...(usage.default_definitions ? DEFAULT_DEFINITIONS : []), ...usage.definitions];
  const grouped = all.filter((definition) => definition.meter === meter).flatMap((one) => definitionQuery(one).groupBy);
  return [...new Set([...ALWAYS, ...grouped])].filter((field) => field !== 'resource_id' && field !== 'source').sort();
}

import { compareText, skipReason } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import type { ExportPlan } from './plan.ts';
import type { ExportPlanAnswer } from './schemas.ts';

type Skipped = ExportPlanAnswer['skipped'][number];

/** Series with samples in the period that a definition has no answer for: another type, or a unit that it does not convert. */
export async function skippedSeries(store: Store, { definitions, asOf }: ExportPlan): Promise<Skipped[]> {
  const counts = new Map<string, Skipped & { readonly seen: Set<string> }>();
  for (const { definition, question } of definitions) {
    const { query, projectIds } = question;
    const rows = await store.meters({
      meter: definition.meter,
      from: { at: query.from, inclusive: true },
      to: { at: query.to, inclusive: false },
      asOf,
      ...(projectIds === null ? {} : { projectIds }),
    });
    for (const { source, meter, type, unit, resourceId } of rows) {
      const reason = skipReason(query, { source, meter, type, unit, resourceId });
      if (reason === null) continue;
      const key = JSON.stringify([definition.name, reason, type, unit]);
      const known = counts.get(key) ?? { definition: definition.name, reason, type, unit, series: 0, seen: new Set() };
      known.seen.add(JSON.stringify([source, resourceId]));
      counts.set(key, known);
    }
  }
  return [...counts]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, { seen, ...skipped }]) => ({ ...skipped, series: seen.size }));
}

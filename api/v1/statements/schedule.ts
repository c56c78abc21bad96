import { cutWindows, DAY, formatInstant, parseAnchor } from '@nephometer/core';
import type { Micros, Period, StatementSchedule } from '@nephometer/core';
import type { ApiOptions } from '../../context.ts';
import { statementsOf } from './close.ts';
import { closeAll, closeEvery } from './create.ts';
import type { ClosedAll } from './create.ts';
import { StatementRequest } from './schemas.ts';

/** Longer than any two months. */
const BACK: Micros = 63 * DAY;

/** The last whole period of a schedule before a moment. */
export function scheduledPeriod({ period, tz, anchor }: StatementSchedule, at: Micros): Period {
  const windows = cutWindows({
    from: at - BACK,
    to: at,
    window: period,
    tz,
    ...(anchor === undefined ? {} : { anchor: parseAnchor(anchor) }),
  });
  const edges = windows.map(({ from }) => from).slice(1);
  // Where the moment is itself an edge, the window before it is whole.
  if (isEdge({ period, tz, anchor }, at)) edges.push(at);
  const [from, to] = edges.slice(-2);
  if (from === undefined || to === undefined)
    throw new RangeError(`There is no whole ${period} before ${formatInstant(at)}.`);
  return { from, to };
}

function isEdge(
  { period, tz, anchor }: Pick<StatementSchedule, 'period' | 'tz'> & { anchor: string | undefined },
  at: Micros,
): boolean {
  const rule = { window: period, tz, ...(anchor === undefined ? {} : { anchor: parseAnchor(anchor) }) };
  return cutWindows({ ...rule, from: at - 1, to: at + 1 }).length > 1;
}

/**
 * Closes what a schedule names as of a moment. The same on every server that does it: whoever comes second finds the
 * statements there, or makes the same bytes.
 */
export async function closeScheduled(
  options: ApiOptions,
  rule: StatementSchedule,
  { tick, asOf, below }: { readonly tick: Micros; readonly asOf: Micros; readonly below: 'refuse' | 'flag' },
): Promise<ClosedAll> {
  const desk = statementsOf(options);
  const { from, to } = scheduledPeriod(rule, tick);
  const asked = StatementRequest.parse({
    from: formatInstant(from),
    to: formatInstant(to),
    tz: rule.tz,
    window: rule.window,
    ...(rule.definitions === undefined ? {} : { definitions: rule.definitions }),
    ...(rule.min_coverage === undefined ? {} : { min_coverage: rule.min_coverage }),
    below,
  });
  const closing = { ...desk.closing({ ...asked, as_of: formatInstant(asOf) }, rule.name), asked };
  return rule.projects === 'all' ? closeEvery(desk, closing) : closeAll(desk, rule.projects, closing);
}

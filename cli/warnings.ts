import type { Statement } from '@nephometer/core';
import { printable } from './format.ts';

/** What no line can show: of `GET /v1/usage`, or signed in a statement. */
export interface Warning {
  readonly warning: string;
  readonly meter?: string | null;
  readonly near?: readonly string[];
  readonly agents?: number;
  readonly agent_ids?: readonly string[];
  readonly resources?: number;
  readonly count?: number;
}

/** In a sentence, for a person. */
export function warningText(one: Warning): string {
  const { warning, meter = null, near = [], agents, agent_ids: ids = [], resources, count } = one;
  const number = count ?? agents ?? resources ?? 0;
  const of = meter === null ? '' : ` of ${meter}`;
  switch (warning) {
    case 'unknown-meter':
      return `No sample of meter ${meter ?? '?'} was ever seen${near.length > 0 ? `; near: ${near.join(', ')}` : ''}.`;
    case 'agent-not-heard': {
      const names = ids.length > 0 ? `: ${ids.join(', ')}` : '';
      return `${plural(number, 'expected agent was', 'expected agents were')} not heard in the period at all${names}. The figures may be low.`;
    }
    case 'never-sampled':
      return `${plural(number, 'listed resource has', 'listed resources have')} no sample${of} in the period.`;
    case 'not-sampled-then':
      return `${plural(number, 'listed resource was', 'listed resources were')} not sampled${of} when the list was made.`;
    case 'unknown-resource':
      return `${plural(number, 'resource was', 'resources were')} sampled${of} and stand in no list.`;
    default:
      return `${warning}${of}: ${number}.`;
  }
}

function plural(number: number, one: string, more: string): string {
  return `${number} ${number === 1 ? one : more}`;
}

/** Each on a line of its own; empty when there is none. */
export function warningLines(warnings: readonly Warning[]): string {
  return warnings.map((one) => `warning: ${printable(warningText(one))}\n`).join('');
}

/** How many lines of a statement were below the coverage that was asked for; empty when none. */
export function flaggedLine({ flagged, min_coverage: least }: Pick<Statement, 'flagged' | 'min_coverage'>): string {
  if (flagged.length === 0) return '';
  const names = [...new Set(flagged.map(({ definition }) => definition))].join(', ');
  const text = `warning: ${plural(flagged.length, 'line was', 'lines were')} below the coverage ${least ?? 'asked for'}: ${names}.`;
  return `${printable(text)}\n`;
}

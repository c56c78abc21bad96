import { EXIT_CODES } from '@nephometer/core';
import { ApiError } from './client.ts';
import type { QueryPairs } from './client.ts';

const OPERATORS: Readonly<Record<string, string>> = {
  '>=': 'ge',
  '<=': 'le',
  '!=': 'ne',
  '=': 'eq',
  '>': 'gt',
  '<': 'lt',
};

/**
 * Conditions as python-ceilometerclient writes them (`timestamp>=2013-01-01T00:00:00`, `metadata.x=string::foo`) into
 * the API's `q` lists. Several may stand in one argument, cut by `;`.
 */
export function queryPairs(conditions: readonly string[]): QueryPairs {
  return conditions
    .flatMap((text) => text.split(';'))
    .filter((text) => text.trim() !== '')
    .flatMap((text) => {
      const match = /^\s*([\w.:-]+?)\s*(>=|<=|!=|=|>|<)\s*(?:(string|integer|float|boolean|datetime)::)?(.*)$/s.exec(
        text,
      );
      const [, field = '', operator = '', type = '', value = ''] = match ?? [];
      if (match === null) {
        throw new ApiError(
          `"${text}" is not a condition; write FIELD OP VALUE with OP one of = != < <= > >=, for example resource_id=abc`,
          EXIT_CODES.usage.code,
        );
      }
      return [
        ['q.field', field],
        ['q.op', OPERATORS[operator] ?? 'eq'],
        ['q.type', type],
        ['q.value', value],
      ] as const;
    });
}

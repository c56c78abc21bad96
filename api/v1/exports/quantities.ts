import { definitionHash } from '@nephometer/core';
import type { Micros, UsageDefinition } from '@nephometer/core';
import { badRequest } from '../../errors.ts';
import type { UsageDesk } from '../usage/desk.ts';
import { spelledOut } from '../usage/question.ts';
import type { ExportRequest } from './schemas.ts';

/** What an export is asked to be of. */
export interface Quantity {
  readonly definition: UsageDefinition;
  readonly hash: string;
}

type Asked = Pick<ExportRequest, 'definitions' | 'meter' | 'kind'>;

/** The quantities asked for: named ones, all named ones, or one that the question spells out itself. @throws HttpError 400 */
export async function quantitiesOf(desk: UsageDesk, asked: Asked, asOf: Micros): Promise<Quantity[]> {
  const { definitions: names } = asked;
  if (isUnnamed(asked)) {
    if (names === undefined) return [unnamed(asked)];
    const found = asked.meter === undefined ? 'kind' : 'meter';
    throw badRequest(`${found}: found beside definitions, which say it already; one of the two would be right.`);
  }
  const known =
    names === undefined
      ? await desk.definitions.list(asOf)
      : await Promise.all(names.map((name) => desk.definitions.find(name, asOf)));
  if (known.length > 0) return known;
  throw badRequest('definitions: found none in force; a usage definition would be right.');
}

/** One of those that an export was made of, as it stands now. */
export async function quantityOf(desk: UsageDesk, asked: Asked, name: string, asOf: Micros): Promise<Quantity> {
  return isUnnamed(asked) ? unnamed(asked) : desk.definitions.find(name, asOf);
}

export function isUnnamed({ meter, kind }: Asked): boolean {
  return meter !== undefined || kind !== undefined;
}

/** Called by what it is, `integral(vcpus)`, where rows and totals have the name of the quantity. */
function unnamed({ meter, kind }: Asked): Quantity {
  const definition = spelledOut({ meter, kind });
  return {
    definition: { ...definition, name: `${definition.kind}(${definition.meter})` },
    hash: definitionHash(definition),
  };
}

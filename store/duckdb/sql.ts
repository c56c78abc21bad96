import { DuckDBListValue } from '@duckdb/node-api';
import type { DuckDBValue } from '@duckdb/node-api';
import type { Row } from './engine.ts';

/** An integer as SQL text. Integers are written into the SQL: bound numbers would arrive as doubles. */
export function int(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`Found ${value}; a safe integer would be right.`);
  return String(value);
}

/** Collects the texts that a statement binds; `bind` gives the placeholder. */
export class Bindings {
  readonly values: string[] = [];
  bind(text: string): string {
    this.values.push(text);
    return `$${this.values.length}`;
  }
}

/** `IN` for keys or ids that are numbers; an empty list matches nothing. */
export function among(column: string, values: readonly (number | bigint)[]): string {
  return values.length === 0 ? 'false' : `${column} IN (${values.join(',')})`;
}

export function textAt(row: Row, column: number): string {
  return String(row[column]);
}

export function optionalTextAt(row: Row, column: number): string | null {
  const value: DuckDBValue | undefined = row[column];
  return value === null || value === undefined ? null : String(value);
}

export function numberAt(row: Row, column: number): number {
  return Number(row[column]);
}

export function optionalNumberAt(row: Row, column: number): number | null {
  const value: DuckDBValue | undefined = row[column];
  return value === null || value === undefined ? null : Number(value);
}

export function bigintAt(row: Row, column: number): bigint {
  const value = row[column];
  return typeof value === 'bigint' ? value : BigInt(Number(value));
}

export function textsAt(row: Row, column: number): string[] {
  const value = row[column];
  return value instanceof DuckDBListValue ? value.items.map(String) : [];
}

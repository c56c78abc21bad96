import { csvRow } from '@nephometer/core';
import type { ExportFormat } from './schemas.ts';
import { parquetBytes } from './parquet.ts';
import type { Cell, ExportColumn } from './table.ts';

/** Raised when a format is written with other bytes than before: exports made earlier are then refused, not changed. */
export const ENCODING = 2;

export const FORMAT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

export interface EncodeOptions {
  readonly format: ExportFormat;
  /** In CSV, `'` before texts that begin as a formula does. */
  readonly guardFormulas: boolean;
}

/** The bytes of one file: the same rows give the same bytes. @throws HttpError 422 for what a format cannot hold */
export function encodeRows(
  columns: readonly ExportColumn[],
  rows: readonly (readonly Cell[])[],
  { format, guardFormulas }: EncodeOptions,
): Buffer {
  switch (format) {
    case 'csv':
      return csvBytes(columns, rows, guardFormulas);
    case 'ndjson':
      return ndjsonBytes(columns, rows);
    case 'parquet':
      return parquetBytes(columns, rows);
  }
}

/** A header row, then the rows, as `csvRow` of core writes them. */
function csvBytes(
  columns: readonly ExportColumn[],
  rows: readonly (readonly Cell[])[],
  guardFormulas: boolean,
): Buffer {
  const isOurs = (i: number): boolean => columns[i]?.type !== 'string';
  const header = csvRow(columns.map(({ name }) => name));
  return Buffer.from([header, ...rows.map((row) => csvRow(row, { guardFormulas, isOurs }))].join(''));
}

/** One object a row. Decimals are texts, so that no reader makes doubles of them. */
function ndjsonBytes(columns: readonly ExportColumn[], rows: readonly (readonly Cell[])[]): Buffer {
  const names = columns.map(({ name }) => `${JSON.stringify(name)}:`);
  const lines = rows.map(
    (row) => `{${row.map((value, i) => `${names[i] ?? ''}${JSON.stringify(value)}`).join(',')}}\n`,
  );
  return Buffer.from(lines.join(''));
}

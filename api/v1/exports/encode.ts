import type { ExportFormat } from './schemas.ts';
import { parquetBytes } from './parquet.ts';
import type { Cell, ExportColumn } from './table.ts';

/** Raised when a format is written with other bytes than before: exports made earlier are then refused, not changed. */
export const ENCODING = 1;

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

/** RFC 4180 with line feeds and a header row. Not known is an empty cell, the empty text is `""`. */
function csvBytes(columns: readonly ExportColumn[], rows: readonly (readonly Cell[])[], guards: boolean): Buffer {
  const isText = columns.map(({ type }) => type === 'string');
  const cellText = (value: Cell, i: number): string => {
    if (value === null) return '';
    const text = String(value);
    return quoted(guards && isText[i] === true && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
  };
  const header = columns.map(({ name }) => quoted(name)).join(',');
  const lines = rows.map((row) => row.map(cellText).join(','));
  return Buffer.from(`${[header, ...lines].join('\n')}\n`);
}

function quoted(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One object a row. Decimals are texts, so that no reader makes doubles of them. */
function ndjsonBytes(columns: readonly ExportColumn[], rows: readonly (readonly Cell[])[]): Buffer {
  const names = columns.map(({ name }) => `${JSON.stringify(name)}:`);
  const lines = rows.map(
    (row) => `{${row.map((value, i) => `${names[i] ?? ''}${JSON.stringify(value)}`).join(',')}}\n`,
  );
  return Buffer.from(lines.join(''));
}

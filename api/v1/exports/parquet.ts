import { parseDecimal, parseTimestamp, toText } from '@nephometer/core';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { httpError } from '../../errors.ts';
import type { Cell, ExportColumn } from './table.ts';

const PRECISION = 38;
const SCALE = 12;
const MOST = 10n ** BigInt(PRECISION);

type Options = Parameters<typeof parquetWriteBuffer>[0];
type Element = NonNullable<Options['schema']>[number];

/**
 * One Parquet file with one row group. Decimals are DECIMAL(38, 12), exact; times are TIMESTAMP in microseconds of UTC.
 * @throws HttpError 422 for a decimal that does not fit
 */
export function parquetBytes(columns: readonly ExportColumn[], rows: readonly (readonly Cell[])[]): Buffer {
  const schema: Element[] = [{ name: 'usage', num_children: columns.length }, ...columns.map(elementOf)];
  const columnData = columns.map((column, i) => ({
    name: column.name,
    data: rows.map((row) => valueOf(column, row[i] ?? null)),
  }));
  const bytes = parquetWriteBuffer({
    columnData,
    schema,
    rowGroupSize: Math.max(rows.length, 1),
    createdBy: 'nephometer',
  });
  return Buffer.from(bytes);
}

function elementOf({ name, type, nullable }: ExportColumn): Element {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
  switch (type) {
    case 'decimal':
      return {
        name,
        repetition_type,
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 16,
        converted_type: 'DECIMAL',
        precision: PRECISION,
        scale: SCALE,
        logical_type: { type: 'DECIMAL', precision: PRECISION, scale: SCALE },
      };
    case 'integer':
      return { name, repetition_type, type: 'INT64' };
    case 'timestamp':
      return {
        name,
        repetition_type,
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      };
    case 'string':
      return { name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
  }
}

function valueOf({ name, type }: ExportColumn, value: Cell): string | bigint | null {
  if (value === null) return null;
  switch (type) {
    case 'decimal':
      return unscaled(name, String(value));
    case 'integer':
      return BigInt(value);
    case 'timestamp':
      return BigInt(parseTimestamp(String(value)));
    case 'string':
      return String(value);
  }
}

function unscaled(name: string, text: string): bigint {
  const exact = parseDecimal(text);
  const shifted = exact.scale > SCALE ? null : exact.coefficient * 10n ** BigInt(SCALE - exact.scale);
  if (shifted !== null && shifted < MOST && shifted > -MOST) return shifted;
  const detail = `${name}: found ${toText(exact)}, which does not fit into DECIMAL(${PRECISION}, ${SCALE})`;
  throw httpError('MTR_EXPORT_DECIMAL', `${detail}; the format csv or ndjson would take it.`);
}

/** How rows are shown. */
export type Format = 'table' | 'json' | 'csv';
export const FORMATS: readonly Format[] = ['table', 'json', 'csv'];

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null | undefined;
  /** Numbers stand right-aligned. */
  readonly align?: 'right';
  /** However long: it is there to be copied. */
  readonly isWhole?: boolean;
}

/** Rows as text: for a person, or for a program. `json` gives the rows as they came, not the columns. */
export function formatRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], format: Format): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(rows, null, 2)}\n`;
    case 'csv':
      return csv([columns.map(({ title }) => title), ...rows.map((row) => columns.map((column) => cell(column, row)))]);
    case 'table':
      return table(rows, columns);
  }
}

function cell<Row>(column: Column<Row>, row: Row): string {
  const value = column.value(row);
  return value === null || value === undefined ? '' : String(value);
}

/** RFC 4180, with line feeds. */
function csv(lines: readonly (readonly string[])[]): string {
  const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  return lines.map((line) => `${line.map(quote).join(',')}\n`).join('');
}

function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const shown = (column: Column<Row>, text: string): string => (column.isWhole === true ? text : short(text));
  const cells = rows.map((row) => columns.map((column) => shown(column, printable(cell(column, row)))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => width(line[index] ?? ''))),
  );
  const lines = [columns.map(({ title }) => title), ...cells].map((line) =>
    line
      .map((text, index) => pad(text, widths[index] ?? 0, columns[index]?.align))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n${rows.length === 0 ? '(none)\n' : ''}`;
}

/** Names come from tenants: control characters must not reach the terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is to be replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\uFFFD');
}

/** One name of thousands of characters must not push the other columns off every line; csv and json have it whole. */
const MAX_CELL = 200;

function short(text: string): string {
  return text.length <= MAX_CELL ? text : `${Array.from(text.slice(0, MAX_CELL)).slice(0, -1).join('')}…`;
}

function width(text: string): number {
  return Array.from(text).length;
}

function pad(text: string, to: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, to - width(text)));
  return align === 'right' ? space + text : text + space;
}

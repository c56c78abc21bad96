/** Null is what is not known. */
export type CsvCell = string | number | null | undefined;

export interface CsvOptions {
  /**
   * Puts `'` before texts that a spreadsheet would take for a formula: those that begin with = + - @, a tab or a carriage
   * return. Numbers are numbers and stay.
   */
  readonly guardFormulas?: boolean;
  /** Which cells are figures or times of ours, not texts of tenants, so that a minus stays one. Default: none. */
  readonly isOurs?: (index: number) => boolean;
}

/**
 * A row as RFC 4180 has it, with a line feed behind it. What is not known is an empty cell, the empty text is `""`: a
 * reader that tells the two apart finds both.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvRow(cells: readonly CsvCell[], { guardFormulas = false, isOurs }: CsvOptions = {}): string {
  const texts = cells.map((cell, i) => {
    if (cell === null || cell === undefined) return '';
    const text = String(cell);
    const isTheirs = typeof cell === 'string' && isOurs?.(i) !== true;
    return quoted(guardFormulas && isTheirs && FORMULA.test(text) ? `'${text}` : text);
  });
  return `${texts.join(',')}\n`;
}

const FORMULA = /^[=+\-@\t\r]/;

function quoted(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

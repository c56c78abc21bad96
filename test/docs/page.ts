/** A file that `npm run docs` writes: its path from the root of the project, and its text. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

export const GENERATED_NOTE = '<!-- Written by `npm run docs`; do not edit. -->';

/** A Markdown table; cells are escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\|/g, '\\|').replace(/\n/g, ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- ').join('|')}|`, ...rows.map(line)].join('\n');
}

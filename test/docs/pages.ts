import { cliPage } from './cli-page.ts';
import { configPage } from './config-page.ts';
import { errorsPage } from './errors-page.ts';
import { metricsPage } from './metrics-page.ts';
import { pluginReadmes } from './plugin-readmes.ts';

/** A file that `npm run docs` writes: its path from the root of the project, and its text. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

export const GENERATED_NOTE = '<!-- Written by `npm run docs`; do not edit. -->';

/** Every generated page as the code says it should be now. */
export async function generatedPages(root: string): Promise<Page[]> {
  return [
    { path: 'docs/reference/config.md', text: configPage() },
    { path: 'docs/reference/cli.md', text: cliPage() },
    { path: 'docs/reference/metrics.md', text: await metricsPage() },
    { path: 'docs/reference/errors.md', text: errorsPage(root) },
    ...(await pluginReadmes(root)),
  ];
}

/** A Markdown table; cells are escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\|/g, '\\|').replace(/\n/g, ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- ').join('|')}|`, ...rows.map(line)].join('\n');
}

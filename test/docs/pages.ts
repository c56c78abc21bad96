import { v1Document } from '@nephometer/api';
import { cliPage } from './cli-page.ts';
import { clientSource } from './client-page.ts';
import { configPage } from './config-page.ts';
import { errorsPage } from './errors-page.ts';
import { metricsPage } from './metrics-page.ts';
import type { Page } from './page.ts';
import { pluginReadmes } from './plugin-readmes.ts';

/** Every generated page as the code says it should be now. */
export async function generatedPages(root: string): Promise<Page[]> {
  return [
    { path: 'docs/reference/config.md', text: configPage() },
    { path: 'docs/reference/cli.md', text: cliPage() },
    { path: 'docs/reference/metrics.md', text: await metricsPage() },
    { path: 'docs/reference/errors.md', text: errorsPage(root) },
    { path: 'docs/reference/openapi.json', text: `${JSON.stringify(v1Document(), null, 2)}\n` },
    { path: 'client/generated.ts', text: clientSource(v1Document()) },
    ...(await pluginReadmes(root)),
  ];
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricRegistry, parseConfig, silentLogger } from '@nephometer/core';
import type { MetricDescription } from '@nephometer/core';
import { createAmqpBus } from '@nephometer/bus-amqp';
import { compose, ownSecretFile, ROLES } from 'nephometer';
import { GENERATED_NOTE, markdownTable } from './page.ts';

/** Reference of the self-metrics, asked of a process with every role. */
export async function metricsPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nephometer-docs-'));
  try {
    const rows = (await describeAll(folder)).map(({ name, type, help }) => [`\`${name}\``, type, help]);
    return `${GENERATED_NOTE}

# Metrics

Each process answers \`/metrics\` in OpenMetrics text and \`/varz\` in JSON. Names end in their unit, counters in \`_total\`.

${markdownTable(['metric', 'type', 'meaning'], rows)}
`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function describeAll(folder: string): Promise<MetricDescription[]> {
  const first = parseConfig('', 'docs', {
    overrides: { data_dir: folder, bus: { url: 'memory:' }, store: { url: 'duckdb:' } },
  });
  const secret = await ownSecretFile(first.config);
  const loaded = { ...first, config: { ...first.config, signing: { ...first.config.signing, secret_file: secret } } };
  const composition = await compose(ROLES, loaded, silentLogger);
  const amqp = new MetricRegistry();
  const bus = createAmqpBus({
    url: 'amqp://127.0.0.1',
    config: first.config.bus,
    name: 'docs',
    log: silentLogger,
    metrics: amqp,
  });
  const all = new Map([...composition.metrics.describe(), ...amqp.describe()].map((one) => [one.name, one]));
  await bus.close();
  await composition.release();
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

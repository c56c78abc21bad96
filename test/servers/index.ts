import { randomBytes } from 'node:crypto';
import { startInflux } from './influxdb.ts';
import { startRabbit } from './rabbitmq.ts';
import { startVictoria } from './victoria.ts';

export { makeAuthority, type Authority, type Certificate } from './certificates.ts';
export { startInflux } from './influxdb.ts';
export { startLibvirt, type Guest, type LibvirtHost, type LibvirtOptions } from './libvirt.ts';
export { ensurePythonCeilometer, ensureTools, findTool, TOOLS, type ToolName } from './packages.ts';
export { freePort } from './ports.ts';
export { launch, removeFolder, temporaryFolder, type LaunchOptions, type OwnProcess, type User } from './process.ts';
export { startRabbit, type RabbitOptions, type RabbitServer } from './rabbitmq.ts';
export { startRabbitCluster, type RabbitCluster } from './rabbitmq-cluster.ts';
export { startVictoria } from './victoria.ts';
export { until } from './wait.ts';
export type { HttpServer } from './http-server.ts';

/** URLs by which the test command tells each test file of the servers that all of them share. */
export const URL_VARIABLES = {
  rabbitmq: 'NEPHOMETER_TEST_AMQP_URL',
  influxdb: 'NEPHOMETER_TEST_INFLUX_URL',
  victoria: 'NEPHOMETER_TEST_VICTORIA_URL',
} as const;

/** `amqp://...` of the shared RabbitMQ. Use exchanges, queues and vhosts of your own: `uniqueName`. */
export const rabbitmqUrl = shared(URL_VARIABLES.rabbitmq, startRabbit);

/** `http://...` of the shared InfluxDB 1.x. Use a database of your own: `uniqueName`. */
export const influxUrl = shared(URL_VARIABLES.influxdb, startInflux);

/** `http://...` of the shared VictoriaMetrics. It has one database for all: use measurements of your own. */
export const victoriaUrl = shared(URL_VARIABLES.victoria, startVictoria);

/** The URL from the environment; else of a server started at the first call, which ends with this process. */
function shared(variable: string, start: () => Promise<{ readonly url: string }>): () => Promise<string> {
  let own: Promise<{ readonly url: string }> | undefined;
  return async () => process.env[variable] || (await (own ??= start())).url;
}

/** A name that no other test has: letters, digits and `_`, beginning with `prefix`. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`;
}

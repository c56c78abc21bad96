import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureTools } from './packages.ts';
import { freePort } from './ports.ts';
import { temporaryFolder } from './process.ts';
import { startHttpServer, type HttpServer } from './http-server.ts';

/** InfluxDB 1.x on loopback, without limits on series and body size, data in a temporary folder. */
export async function startInflux(): Promise<HttpServer> {
  const { influxdb } = await ensureTools('influxdb');
  const folder = temporaryFolder('nephometer-influx');
  const [port, backupPort] = [await freePort(), await freePort()];
  const configFile = join(folder, 'influxdb.conf');
  mkdirSync(join(folder, 'home'));
  writeFileSync(configFile, configuration(folder, port, backupPort));
  return startHttpServer({
    command: influxdb,
    args: ['-config', configFile],
    env: { ...process.env, HOME: join(folder, 'home') },
    folder,
    port,
    readyPath: '/ping',
  });
}

function configuration(folder: string, port: number, backupPort: number): string {
  return `
reporting-disabled = true
bind-address = "127.0.0.1:${backupPort}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  index-version = "tsi1"
  query-log-enabled = false
  max-series-per-database = 0
  max-values-per-tag = 0
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
  max-body-size = 0
[monitor]
  store-enabled = false
`;
}

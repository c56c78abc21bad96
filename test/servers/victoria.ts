import { join } from 'node:path';
import { startHttpServer, type HttpServer } from './http-server.ts';
import { ensureTools } from './packages.ts';
import { freePort } from './ports.ts';
import { temporaryFolder } from './process.ts';

/** VictoriaMetrics on loopback, which keeps everything and answers with the newest data at once. */
export async function startVictoria(): Promise<HttpServer> {
  const { victoria } = await ensureTools('victoria');
  const folder = temporaryFolder('nephometer-victoria');
  const port = await freePort();
  return startHttpServer({
    command: victoria,
    args: [
      `-storageDataPath=${join(folder, 'data')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      '-retentionPeriod=100y',
      '-search.latencyOffset=0s',
      '-search.disableCache',
      '-memory.allowedPercent=10',
    ],
    folder,
    port,
    readyPath: '/health',
  });
}

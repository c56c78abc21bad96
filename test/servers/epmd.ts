import { join } from 'node:path';
import { ensureTools } from './packages.ts';
import { freePort } from './ports.ts';
import { launch, type OwnProcess, type User } from './process.ts';
import { until } from './wait.ts';
import { connect } from 'node:net';

/** Erlang's name service, of our own: the one that a node would start by itself outlives the node. */
export interface Epmd {
  readonly port: number;
  readonly process: OwnProcess;
}

export async function startEpmd(folder: string, runAs?: User): Promise<Epmd> {
  const { epmd } = await ensureTools('epmd');
  const port = await freePort();
  const process = launch(epmd, ['-port', String(port), '-address', '127.0.0.1'], {
    logFile: join(folder, 'epmd.log'),
    ...(runAs ? { runAs } : {}),
  });
  const describe = (): string => `epmd does not listen on port ${port}:\n${process.lastOutput()}`;
  await until(() => accepts(port), { timeoutMs: 20_000, describe });
  return { port, process };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

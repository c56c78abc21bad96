import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface InfluxProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /**
   * Called with each request before it is passed on, until it answers true: then that request is swallowed, and its
   * connection cut.
   */
  onRequest: ((request: { path: string; body: string }) => boolean | Promise<boolean>) | null;
  /** As `onRequest`, but the server gets the request, and only its answer is lost. */
  onAnswer: ((request: { path: string; body: string }) => boolean) | null;
  close(): void;
}

/** HTTP through here to an InfluxDB, so that a test can cut the line at the request it means. */
export async function startInfluxProxy(target: string): Promise<InfluxProxy> {
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => void pass());
    const pass = async (): Promise<void> => {
      const asked = { path: incoming.url ?? '', body: Buffer.concat(parts).toString() };
      if (await proxy.onRequest?.(asked)) return void incoming.socket.destroy();
      const { method, headers } = incoming;
      const onward = send(target + asked.path, { method: method ?? 'GET', headers }, (answer) => {
        if (proxy.onAnswer?.(asked)) return void incoming.socket.destroy();
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => incoming.socket.destroy());
      onward.end(Buffer.concat(parts));
    };
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: InfluxProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    onRequest: null,
    onAnswer: null,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return proxy;
}

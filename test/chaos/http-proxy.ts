import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request on its way to the store. */
export interface Asked {
  readonly path: string;
  readonly body: string;
}

/** What becomes of a request. */
export interface Fate {
  /** Milliseconds that it waits before it is passed on. */
  readonly delayMs?: number;
  /** The server gets it, and its answer is lost with the connection. */
  readonly loseAnswer?: boolean;
  /** Answered so, in place of the server. */
  readonly answer?: { readonly status: number; readonly body: string };
}

export interface HttpProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Decides over each request; null passes all. */
  decide: ((asked: Asked) => Fate) | null;
  close(): void;
}

/** HTTP through here to an InfluxDB. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts);
      const fate = proxy.decide?.({ path: incoming.url ?? '', body: body.toString() }) ?? {};
      setTimeout(() => pass({ incoming, outgoing, body, target, fate }), fate.delayMs ?? 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const proxy: HttpProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    decide: null,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return proxy;
}

interface Passing {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly body: Buffer;
  readonly target: string;
  readonly fate: Fate;
}

function pass({ incoming, outgoing, body, target, fate }: Passing): void {
  if (fate.answer !== undefined) {
    outgoing.writeHead(fate.answer.status, { 'content-type': 'application/json' });
    outgoing.end(fate.answer.body);
    return;
  }
  const { method = 'GET', headers, url = '' } = incoming;
  const onward = send(target + url, { method, headers }, (answer) => {
    if (fate.loseAnswer === true) {
      answer.resume();
      answer.on('end', () => incoming.socket.destroy());
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => incoming.socket.destroy());
  onward.end(body);
}

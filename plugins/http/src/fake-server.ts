import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeServer {
  readonly url: string;
  /** `GET /path?query` of each request, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, server: FakeServer) => void;

/** A web server on a free port of the loopback. */
export async function startServer(answer: Answer): Promise<FakeServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response, fake);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

/** Answers by path and query: text, or a status. `URL` in a text stands for the server's own. */
export function byPath(paths: Readonly<Record<string, string | number>>): Answer {
  return (request, response, { url }) => {
    const answer = paths[request.url ?? ''] ?? 404;
    response.statusCode = typeof answer === 'number' ? answer : 200;
    response.end(typeof answer === 'number' ? 'no luck here' : answer.replaceAll('URL', url));
  };
}

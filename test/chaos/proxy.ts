import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** How bytes pass. Changing it holds for connections that are there already. */
export interface Weather {
  /** Milliseconds that each piece waits. */
  delayMs: number;
  /** Bytes a second, in small pieces; null: as fast as they come. */
  trickle: number | null;
  /** Bytes of the client are swallowed; nobody is told, no FIN passes. */
  dropUp: boolean;
  /** The same for bytes of the server. */
  dropDown: boolean;
  /** New connections are closed at once. */
  refuse: boolean;
}

const FAIR: Weather = { delayMs: 0, trickle: null, dropUp: false, dropDown: false, refuse: false };
const TRICKLE_MS = 50;

/** A TCP line of loopback that can be slow, deaf, or cut. */
export interface Proxy {
  readonly port: number;
  /** Where new connections lead, as a load balancer would have it. */
  target: number;
  readonly weather: Weather;
  /** All is well again for what is sent from now on. */
  clear(): void;
  /** Neither side hears from the other; no FIN, no RST. */
  blackHole(): void;
  /** Ends all connections at once with a reset. */
  cut(): void;
  /** Connections since the start, those that are open, and those that their client ended by itself. */
  readonly connections: number;
  readonly open: number;
  readonly ended: number;
  close(): void;
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const weather: Weather = { ...FAIR };
  const open = new Set<Socket>();
  let connections = 0;
  let ended = 0;
  const server = createServer((client) => {
    connections += 1;
    if (weather.refuse) {
      client.destroy();
      return;
    }
    const upstream = connect({ port: proxy.target, host: '127.0.0.1' });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    client.on('end', () => (ended += 1));
    pass(client, upstream, () => weather.dropUp, weather);
    pass(upstream, client, () => weather.dropDown, weather);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  const proxy: Proxy = {
    target: targetPort,
    port: (server.address() as AddressInfo).port,
    weather,
    clear: () => void Object.assign(weather, FAIR),
    blackHole: () => void Object.assign(weather, { dropUp: true, dropDown: true }),
    cut,
    get connections() {
      return connections;
    },
    get ended() {
      return ended;
    },
    get open() {
      return open.size / 2;
    },
    close() {
      cut();
      server.close();
    },
  };
  return proxy;
}

/** One direction. Pieces keep their order, whatever the weather does meanwhile. */
function pass(from: Socket, to: Socket, drops: () => boolean, weather: Weather): void {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  from.on('data', (piece: Buffer) => {
    if (drops()) return;
    waiting += piece.length;
    if (waiting > 2 ** 20) from.pause();
    last = last.then(async () => {
      await forward(piece, to, weather);
      waiting -= piece.length;
      if (waiting <= 2 ** 20) from.resume();
    });
  });
  const ended = (): void => {
    if (drops()) return;
    void last.then(() => to.end());
  };
  from.on('end', ended);
  from.on('close', () => {
    if (!drops()) void last.then(() => to.destroy());
  });
}

async function forward(piece: Buffer, to: Socket, weather: Weather): Promise<void> {
  if (weather.delayMs > 0) await pause(weather.delayMs);
  for (let at = 0; at < piece.length;) {
    const size =
      weather.trickle === null ? piece.length : Math.max(1, Math.floor((weather.trickle * TRICKLE_MS) / 1000));
    if (to.destroyed) return;
    to.write(piece.subarray(at, at + size));
    at += size;
    if (weather.trickle !== null) await pause(TRICKLE_MS);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

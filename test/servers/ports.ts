import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile, chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LOWEST = 20_000;

/**
 * A TCP port of loopback on which nothing listens, held for this process until it ends.
 *
 * Ports stay below the range from which the kernel takes client ports: a server whose port lies in it may find the port
 * taken by a client socket at its restart. A marker file with our pid keeps parallel test files from choosing the same
 * port between this answer and the server's `listen`; the marker of a process that is gone does not count.
 */
export async function freePort(): Promise<number> {
  const highest = Math.min(ephemeralRangeStart(), 32_768) - 1;
  for (let attempt = 0; attempt < 500; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (highest - LOWEST));
    if ((await claim(port)) && (await isFree(port))) return port;
  }
  throw new Error(`No free port on 127.0.0.1 between ${LOWEST} and ${highest} after 500 attempts.`);
}

function ephemeralRangeStart(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  } catch {
    return 32_768; // not Linux
  }
}

async function claim(port: number): Promise<boolean> {
  const folder = join(tmpdir(), 'nephometer-test-ports');
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o1777).catch(() => undefined); // made by another user: already open to all
  const marker = join(folder, String(port));
  try {
    await writeFile(marker, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = Number(await readFile(marker, 'utf8').catch(() => ''));
    // The port is left to the next attempt, after the removal of a dead owner's marker.
    if (owner > 0 && !isRunning(owner)) await rm(marker, { force: true }).catch(() => undefined);
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

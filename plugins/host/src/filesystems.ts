import { join } from 'node:path';
import { matchesAny } from '@nephometer/core/plugin';
import type { HostConfig } from './config.ts';
import type { Measured, NodeFiles } from './node-files.ts';

/** What is asked of a file system; `fs.statfs` with big integers gives it. */
export interface Statfs {
  readonly bsize: bigint;
  readonly blocks: bigint;
  readonly bfree: bigint;
}
export type StatfsCall = (path: string) => Promise<Statfs>;

export interface Mount {
  readonly device: string;
  readonly path: string;
  readonly type: string;
}

/** A file system that does not answer in this time is left for the next poll. */
const PATIENCE_MS = 2000;

/**
 * Size and use of the mounted file systems. A file system that hangs holds a thread until it answers, so it is asked again
 * only when it has.
 */
export class Filesystems {
  readonly #statfs: StatfsCall;
  readonly #asked = new Map<string, Promise<Statfs>>();

  constructor(statfs: StatfsCall) {
    this.#statfs = statfs;
  }

  async *read(
    files: NodeFiles,
    signal: AbortSignal,
    failed: (device: string, cause: unknown) => void,
  ): AsyncGenerator<Measured> {
    const mounts = wantedMounts(parseMounts(await mountTable(files)), files.config);
    const answers = mounts.map((mount) => ({ mount, answer: this.#ask(join(files.config.root, mount.path), signal) }));
    // A failure is looked at when its turn comes, not before.
    for (const { answer } of answers) answer.catch(() => undefined);
    for (const { mount, answer } of answers) {
      try {
        yield* measured(mount, await answer);
      } catch (cause) {
        failed(mount.device, cause);
      }
    }
  }

  #ask(path: string, signal: AbortSignal): Promise<Statfs> {
    let asked = this.#asked.get(path);
    if (asked === undefined) {
      asked = this.#statfs(path);
      this.#asked.set(path, asked);
      const done = (): void => void this.#asked.delete(path);
      asked.then(done, done);
    }
    return withPatience(asked, path, signal);
  }
}

async function withPatience(asked: Promise<Statfs>, path: string, signal: AbortSignal): Promise<Statfs> {
  const impatience = new AbortController();
  const timer = setTimeout(() => impatience.abort(), PATIENCE_MS);
  try {
    return await Promise.race([
      asked,
      new Promise<never>((_resolve, reject) => {
        const giveUp = (): void => reject(new Error(`the file system at ${path} does not answer`));
        if (signal.aborted) giveUp();
        for (const one of [signal, impatience.signal]) one.addEventListener('abort', giveUp, { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** In kibibytes, as `df -k`: used is what is not free, reserved blocks included in the size. */
function measured({ device, path, type }: Mount, { bsize, blocks, bfree }: Statfs): Measured[] {
  const metadata = { device, path, type };
  return [
    { meter: 'hardware.disk.size.total', volume: (blocks * bsize) / 1024n, part: device, metadata },
    { meter: 'hardware.disk.size.used', volume: ((blocks - bfree) * bsize) / 1024n, part: device, metadata },
  ];
}

/** Our own view fits our own root; of a node mounted below another root, that of its first process. */
function mountTable(files: NodeFiles): Promise<string> {
  return files.config.root === '/' ? files.proc('mounts') : files.procOfInit('mounts');
}

function parseMounts(text: string): Mount[] {
  return text
    .split('\n')
    .map((line) => line.split(' ').map(unescapeMount))
    .flatMap(([device, path, type]) =>
      device === undefined || path === undefined || type === undefined ? [] : [{ device, path, type }],
    );
}

/** Spaces and their like are written as octal. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** Each device once, at its shortest path: the other mounts of it are the same space. */
function wantedMounts(mounts: readonly Mount[], config: HostConfig): Mount[] {
  const byDevice = new Map<string, Mount>();
  for (const mount of mounts) {
    const { device, path, type } = mount;
    // The root of a container is an overlay; every other overlay lies on a file system that is counted.
    if (type === 'overlay' && path !== '/') continue;
    if (matchesAny(config.exclude_filesystems, type) || matchesAny(config.exclude_mounts, path)) continue;
    const known = byDevice.get(device);
    if (known === undefined || path.length < known.path.length) byDevice.set(device, mount);
  }
  return [...byDevice.values()];
}

import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { domainXml, tickingBootDisk, type Guest } from './libvirt-guest.ts';
import { ensureTools } from './packages.ts';
import { atOurEnd, launch, removeFolder, temporaryFolder, type OwnProcess } from './process.ts';
import { until } from './wait.ts';

export type { Guest } from './libvirt-guest.ts';

const run = promisify(execFile);
const URI = 'qemu:///system';

export interface LibvirtOptions {
  /** Number of guests, 1 by default. */
  readonly guests?: number;
}

/** A libvirtd with running guests. */
export interface LibvirtHost {
  readonly uri: string;
  readonly guests: readonly Guest[];
  /** `virsh ARGS...`, resolves to what it printed. */
  virsh(...args: string[]): Promise<string>;
  /** Destroys the guests and ends the daemons that were started for them. */
  stop(): Promise<void>;
}

/**
 * Starts virtlogd, libvirtd (or uses the one that answers) and guests that compute, read and write at each tick of their
 * clock. Emulated, so it works where there is no KVM. The first guest of a new libvirtd may take a minute.
 * @throws Error when we are not root or a program is missing and cannot be installed
 */
export async function startLibvirt({ guests: count = 1 }: LibvirtOptions = {}): Promise<LibvirtHost> {
  if (process.getuid?.() !== 0) throw new Error('A test with real libvirt guests must run as root.');
  const tools = await ensureTools('virsh', 'virtlogd', 'libvirtd', 'qemu');
  const folder = temporaryFolder('nephometer-libvirt');
  chmodSync(folder, 0o755); // QEMU runs as another user
  const virsh = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(tools.virsh, ['-q', '-c', URI, ...args], { timeout: 150_000 });
    return stdout.trim();
  };
  const daemons = (await answers(virsh)) ? [] : await startDaemons(tools, folder, virsh);
  const indexes = Array.from({ length: count }, (_, index) => index + 1);
  const guests: Guest[] = [];
  let release = (): void => undefined;
  const host: LibvirtHost = {
    uri: URI,
    guests,
    virsh,
    async stop() {
      for (const { name } of guests) await virsh('destroy', name).catch(() => undefined); // ended by the test
      release();
      for (const daemon of daemons.toReversed()) await daemon.end();
      removeFolder(folder);
    },
  };
  try {
    const made = await Promise.allSettled(indexes.map((index) => createGuest(folder, index, virsh)));
    for (const one of made) if (one.status === 'fulfilled') guests.push(one.value);
    release = killWithUs(guests.map(({ pid }) => pid));
    for (const one of made) if (one.status === 'rejected') throw one.reason;
    return host;
  } catch (error) {
    await host.stop();
    throw error;
  }
}

type Virsh = LibvirtHost['virsh'];

function answers(virsh: Virsh): Promise<boolean> {
  return virsh('version').then(
    () => true,
    () => false,
  );
}

async function startDaemons(
  tools: { virtlogd: string; libvirtd: string },
  folder: string,
  virsh: Virsh,
): Promise<OwnProcess[]> {
  const logs = launch(tools.virtlogd, [], { logFile: join(folder, 'virtlogd.log') });
  const [command, args] = await withOurConfiguration(tools.libvirtd, folder);
  const main = launch(command, args, { logFile: join(folder, 'libvirtd.log') });
  const describe = (): string => `libvirtd does not answer on ${URI}:\n${main.lastOutput()}${logs.lastOutput()}`;
  await until(() => answers(virsh), { timeoutMs: 60_000, everyMs: 200, describe });
  return [logs, main];
}

// As root, as we are ourselves, QEMU may open /dev/kvm wherever there is one. Where libvirt's own user may not, libvirt
// takes its record of what QEMU can do for outdated and asks QEMU anew, dozens of times, for most of a minute a guest.
const QEMU_CONFIGURATION = `
user = "root"
group = "root"
security_driver = "none"
namespaces = []
`;

/** libvirtd reads qemu.conf at one place only, so ours is laid over it, in a mount namespace that no one else sees. */
async function withOurConfiguration(libvirtd: string, folder: string): Promise<[command: string, args: string[]]> {
  const place = '/etc/libvirt/qemu.conf';
  const canMount = await run('unshare', ['--mount', 'true']).then(
    () => true,
    () => false,
  );
  if (!canMount || !existsSync(place)) return [libvirtd, []];
  const file = join(folder, 'qemu.conf');
  writeFileSync(file, QEMU_CONFIGURATION);
  return ['unshare', ['--mount', 'sh', '-c', 'mount --bind "$0" "$1"; exec "$2"', file, place, libvirtd]];
}

async function createGuest(folder: string, index: number, virsh: Virsh): Promise<Guest> {
  const disk = join(folder, `guest-${index}.img`);
  writeFileSync(disk, tickingBootDisk());
  chmodSync(disk, 0o666);
  const { xml, ...guest } = domainXml({ index, disk });
  const file = join(folder, `guest-${index}.xml`);
  writeFileSync(file, xml);
  await virsh('create', file);
  return { ...guest, pid: Number(readFileSync(`/run/libvirt/qemu/${guest.name}.pid`, 'utf8')) };
}

/**
 * libvirtd's guests are not our children and outlive it. A small shell waits for the end of its standard input, which
 * comes when we end, however we end, and kills them by pid. Returns the way to call that off.
 */
function killWithUs(pids: readonly number[]): () => void {
  const script = 'read _; for pid; do grep -q qemu /proc/$pid/comm 2>/dev/null && kill -KILL $pid; done';
  const guard = spawn('sh', ['-c', script, 'sh', ...pids.map(String)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as { unref?: () => void }).unref?.();
  const forget = atOurEnd(() => guard.stdin.destroy());
  return () => {
    forget();
    guard.kill('SIGKILL');
  };
}

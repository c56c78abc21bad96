import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Tool {
  /** Names of the program; upstream and distributions differ. */
  readonly names: readonly string[];
  readonly debianPackage: string;
  /** Looked at before PATH: where the program itself is when the one on PATH is a wrapper. */
  readonly folders?: readonly string[];
  /** Environment variable with the URL of a server to use instead, if there is one. */
  readonly urlVariable?: string;
}

/** Every program outside npm that a test starts. */
export const TOOLS = {
  // Debian's program on PATH is a wrapper that insists on its own user and folders.
  rabbitmq: tool('rabbitmq-server', 'rabbitmq-server', 'NEPHOMETER_TEST_AMQP_URL', ['/usr/lib/rabbitmq/bin']),
  epmd: tool('epmd', 'rabbitmq-server', 'NEPHOMETER_TEST_AMQP_URL'),
  influxdb: tool('influxd', 'influxdb', 'NEPHOMETER_TEST_INFLUX_URL'),
  victoria: tool(['victoria-metrics', 'victoria-metrics-prod'], 'victoria-metrics', 'NEPHOMETER_TEST_VICTORIA_URL'),
  libvirtd: tool('libvirtd', 'libvirt-daemon-system'),
  virtlogd: tool('virtlogd', 'libvirt-daemon-system'),
  virsh: tool('virsh', 'libvirt-clients'),
  openssl: tool('openssl', 'openssl'),
  qemu: tool('qemu-system-x86_64', 'qemu-system-x86'),
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

function tool(
  names: string | readonly string[],
  debianPackage: string,
  urlVariable?: string,
  folders?: string[],
): Tool {
  return {
    names: typeof names === 'string' ? [names] : names,
    debianPackage,
    ...(urlVariable === undefined ? {} : { urlVariable }),
    ...(folders === undefined ? {} : { folders }),
  };
}

/** Absolute path of the program, or undefined when it is not here. Administrators' folders count as on the PATH. */
export function findTool(name: ToolName): string | undefined {
  const { names, folders = [] }: Tool = TOOLS[name];
  const path = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const places = [...folders, ...path, '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin'];
  return places.flatMap((place) => names.map((each) => join(place, each))).find(isExecutable);
}

/**
 * Absolute paths of these programs. What is missing is installed with apt-get when we are root on Debian.
 * @throws Error naming what to install, and the variable that names a server to use instead
 */
export async function ensureTools<Name extends ToolName>(...names: Name[]): Promise<Record<Name, string>> {
  let missing = names.filter((name) => !findTool(name));
  if (missing.length > 0 && canInstall()) {
    await install(new Set(missing.map((name) => TOOLS[name].debianPackage)));
    missing = missing.filter((name) => !findTool(name));
  }
  if (missing.length > 0) throw new Error(missing.map(howToGet).join('\n'));
  return Object.fromEntries(names.map((name) => [name, findTool(name)])) as Record<Name, string>;
}

/**
 * Python of the system with Ceilometer's own code, for tests that let it judge ours.
 * @throws Error naming what to install
 */
export async function ensurePythonCeilometer(): Promise<string> {
  const python = '/usr/bin/python3';
  const works = (): Promise<boolean> =>
    run(python, ['-c', 'import ceilometer.publisher.utils']).then(
      () => true,
      () => false,
    );
  if (await works()) return python;
  if (canInstall()) await install(new Set(['python3-ceilometer']));
  if (await works()) return python;
  throw new Error(
    `The tests need Ceilometer's code for ${python}. Install it (Debian: apt-get install python3-ceilometer).`,
  );
}

function howToGet(name: ToolName): string {
  const { names, debianPackage, urlVariable }: Tool = TOOLS[name];
  return (
    `The tests need ${names[0]}, which is not on the PATH. Install it (Debian: apt-get install ${debianPackage})` +
    (urlVariable ? `, or name a running server in ${urlVariable}.` : '.')
  );
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && isExecutable('/usr/bin/apt-get');
}

// Debian starts a service at its installation; a policy-rc.d that answers 101 forbids that. One that is already there
// was put by the machine's owner and stays.
const INSTALL = `
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
fi
apt-get -q update
apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"
`;

/** The lock lets test files that run side by side wait for each other instead of failing on apt's own lock. */
async function install(packages: ReadonlySet<string>): Promise<void> {
  process.stderr.write(`# installing ${[...packages].join(', ')} with apt-get\n`);
  try {
    await run('flock', ['/run/nephometer-test-apt.lock', 'sh', '-c', INSTALL, 'sh', ...packages], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (cause) {
    const output = (cause as { stderr?: string }).stderr?.trimEnd().split('\n').slice(-15).join('\n') ?? String(cause);
    throw new Error(`apt-get could not install ${[...packages].join(', ')}:\n${output}`, { cause });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

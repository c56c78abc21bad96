import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError, createLogger, loadConfigFile, parseConfig } from '@nephometer/core';
import type { Config, ConfigInput, LoadedConfig, Logger } from '@nephometer/core';

/** Options of the agent's commands; environment variables and keys of the configuration stand for the same. */
export interface SettingFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly bus?: string;
  readonly port?: string;
}

const DEFAULT_CONFIG_FILES = ['nephometer.yaml', '/etc/nephometer/nephometer.yaml'];

/** The configuration file with environment and flags on top. @throws ConfigError */
export async function loadSettings(
  flags: SettingFlags,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<LoadedConfig> {
  refusePassword(flags.bus);
  const port = flags.port ?? env['NEPHOMETER_PORT'];
  const overrides: ConfigInput = {
    ...given('data_dir', flags.dataDir ?? env['NEPHOMETER_DATA_DIR']),
    ...section('bus', given('url', flags.bus ?? env['NEPHOMETER_BUS_URL'])),
    ...section('signing', given('secret_file', env['NEPHOMETER_SECRET_FILE'])),
    ...section('listen', given('port', port !== undefined && /^\d+$/.test(port) ? Number(port) : port)),
  };
  const named = flags.config ?? env['NEPHOMETER_CONFIG'];
  const file = named === undefined || named === '' ? DEFAULT_CONFIG_FILES.find((path) => existsSync(path)) : named;
  return file === undefined ? parseConfig('', 'command line', { overrides }) : loadConfigFile(file, { overrides });
}

function given(key: string, value: unknown): Record<string, unknown> {
  return value === undefined || value === '' ? {} : { [key]: value };
}

function section(name: string, members: Record<string, unknown>): Record<string, unknown> {
  return Object.keys(members).length === 0 ? {} : { [name]: members };
}

/** What stands on a command line can be read by everyone on the machine. */
function refusePassword(url: string | undefined): void {
  if (url === undefined || !/:\/\/[^:/@]*:[^@/]+@/.test(url) || url.includes('://guest:guest@')) return;
  const message =
    'holds a password, which everyone on this machine can read in the process list; ' +
    'put it into a file and name it in bus.password_file, or give the URL in NEPHOMETER_BUS_URL';
  throw new ConfigError([{ file: 'command line', line: null, key: '--bus', message }]);
}

/** The log of the daemon: text at a terminal, JSON lines elsewhere, always on standard error. */
export function daemonLogger({ log: { level, format } }: Config): Logger {
  const shown = format === 'auto' ? (process.stderr.isTTY ? 'text' : 'json') : format;
  return createLogger({ level, format: shown, write: (line) => void process.stderr.write(line) });
}

/** Where plugins are looked for: beside this package, and in the folder the command is started in. */
export function searchFolders(): string[] {
  return [fileURLToPath(new URL('..', import.meta.url)), process.cwd()];
}

import { existsSync } from 'node:fs';
import { loadConfigFile, parseConfig } from './config-file.ts';
import type { LoadedConfig } from './config-file.ts';
import type { Config, ConfigInput } from './config.ts';
import { ConfigError } from './errors.ts';
import { createLogger } from './log.ts';
import type { Logger } from './log.ts';

/** Options that several commands share; each has an environment variable and a key of the configuration. */
export interface SettingFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly port?: string;
  readonly bus?: string;
  readonly store?: string;
}

/** Environment variables and the keys they stand for. */
export const ENVIRONMENT = {
  NEPHOMETER_CONFIG: 'Path of the configuration file.',
  NEPHOMETER_DATA_DIR: 'data_dir',
  NEPHOMETER_PORT: 'listen.port',
  NEPHOMETER_BUS_URL: 'bus.url; may hold a password, unlike the command line.',
  NEPHOMETER_STORE_URL: 'store.url',
  NEPHOMETER_STORE_PASSWORD: 'Password or token of the store, where no store.password_file is given.',
  NEPHOMETER_SECRET_FILE: 'signing.secret_file',
  NEPHOMETER_MASTER_KEY_FILE: 'signing.master_key_file',
  NEPHOMETER_KEY_FILE: 'signing.key_file',
  NEPHOMETER_URL: 'Address of the API, for the commands that ask it.',
  NEPHOMETER_TOKEN_FILE: 'File with the token, for the commands that ask the API.',
  NEPHOMETER_TOKEN: 'The token itself, where no file is given.',
} as const;

/** Where the configuration is looked for when nobody names one. */
const DEFAULT_CONFIG_FILES = ['nephometer.yaml', '/etc/nephometer/nephometer.yaml'];

/** Reads the configuration with flags and environment on top. @throws ConfigError */
export async function loadSettings(flags: SettingFlags, defaults: ConfigInput = {}): Promise<LoadedConfig> {
  const env = process.env;
  refusePassword('--bus', flags.bus);
  refusePassword('--store', flags.store);
  const overrides: ConfigInput = {
    ...given('data_dir', flags.dataDir ?? env['NEPHOMETER_DATA_DIR']),
    ...nested('bus', 'url', flags.bus ?? env['NEPHOMETER_BUS_URL']),
    ...nested('store', 'url', flags.store ?? env['NEPHOMETER_STORE_URL']),
    ...section('signing', {
      secret_file: env['NEPHOMETER_SECRET_FILE'],
      master_key_file: env['NEPHOMETER_MASTER_KEY_FILE'],
      key_file: env['NEPHOMETER_KEY_FILE'],
    }),
    ...nested('listen', 'port', portOf(flags.port ?? env['NEPHOMETER_PORT'])),
  };
  const file = flags.config ?? env['NEPHOMETER_CONFIG'] ?? DEFAULT_CONFIG_FILES.find((path) => existsSync(path));
  const layers = { overrides, defaults };
  return file === undefined ? parseConfig('', 'command line', layers) : loadConfigFile(file, layers);
}

function given(key: string, value: unknown): Record<string, unknown> {
  return value === undefined || value === '' ? {} : { [key]: value };
}

function nested(section: string, key: string, value: unknown): Record<string, unknown> {
  return value === undefined || value === '' ? {} : { [section]: { [key]: value } };
}

/** The members of a section that are said. */
function section(name: string, members: Record<string, unknown>): Record<string, unknown> {
  const said = Object.entries(members).filter(([, value]) => value !== undefined && value !== '');
  return said.length === 0 ? {} : { [name]: Object.fromEntries(said) };
}

function portOf(text: string | undefined): unknown {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

/** A password on the command line can be read by everyone on the machine. */
function refusePassword(flag: string, url: string | undefined): void {
  if (url === undefined || !/:\/\/[^:/@]*:[^@/]+@/.test(url) || /:\/\/guest:guest@/.test(url)) return;
  const section = flag === '--bus' ? 'bus' : 'store';
  const remedy = `put it into a file and name it in ${section}.password_file, or give the URL in NEPHOMETER_${section.toUpperCase()}_URL`;
  const message = `holds a password, which everyone on this machine can read in the process list; ${remedy}`;
  throw new ConfigError([{ file: 'command line', line: null, key: flag, message }]);
}

/** The log of a daemon: text at a terminal, JSON lines elsewhere, always on standard error. */
export function daemonLogger(config: Config): Logger {
  const { level, format } = config.log;
  const shown = format === 'auto' ? (process.stderr.isTTY ? 'text' : 'json') : format;
  return createLogger({ level, format: shown, write: (line) => void process.stderr.write(line) });
}

import type { Command } from 'commander';
import { runUntilSignal, daemonLogger, keepFilesPrivate, loadSettings } from '@nephometer/core';
import type { SettingFlags } from '@nephometer/core';
import { relative, resolve } from 'node:path';
import type { Config } from '@nephometer/core';
import { compose } from '../compose.ts';
import type { Composition } from '../compose.ts';
import { ROLES } from '../roles.ts';
import type { Role } from '../roles.ts';
import { print, withConfig } from '../command.ts';
import { makeDataDir, ownAdminToken, ownSecretFile } from '../secret.ts';
import { VERSION } from '../version.ts';

/** What `up` takes for granted where the configuration says nothing: no server needed, quick first figures. */
const UP_DEFAULTS = {
  interval: '10s',
  bus: { url: 'memory:' },
  store: { url: 'duckdb:' },
  log: { level: 'warn' },
} as const;

/** `up`: every role in one process on the embedded defaults. */
export function addUp(program: Command): void {
  withConfig(program.command('up').description('run everything in one process; no server needed'))
    .option('--port <port>', 'port of the API (default 8777)')
    .option('--no-agents', 'measure nothing here; only collector and API')
    .action(async (flags: SettingFlags & { agents: boolean }) => {
      const loaded = await loadSettings(flags, UP_DEFAULTS);
      keepFilesPrivate();
      await makeDataDir(loaded.config);
      const config = await withSecret(loaded.config);
      const log = daemonLogger(config);
      const roles = ROLES.filter((role) => flags.agents || !role.endsWith('-agent'));
      const composition = await compose(roles, { ...loaded, config }, log);
      // Before anyone is told that it is ready, so that the token is good from the first request on.
      const tokenFile = await ownAdminToken(config, composition.tokens).catch(async (cause: unknown) => {
        await composition.release();
        throw cause;
      });
      await runUntilSignal(composition.service, log, {
        onReady: composition.onFatal,
        onStarted: () => print(banner(composition, roles, config.data_dir, tokenFile)),
      });
    });
}

/** Where no key is configured, `up` makes a shared secret of its own. */
async function withSecret(config: Config): Promise<Config> {
  const { secret_file: shared, master_key_file: master, keys } = config.signing;
  if (shared !== undefined || master !== undefined || keys.length > 0) return config;
  return { ...config, signing: { ...config.signing, secret_file: await ownSecretFile(config) } };
}

function banner(composition: Composition, roles: readonly Role[], dataDir: string, tokenFile: string): string {
  const { plugins } = composition;
  const url = composition.address();
  const token = shortPath(tokenFile);
  const measured = plugins.pollsters.map(({ entry }) => entry.name).join(', ') || 'nothing';
  const off = plugins.idle.map(({ entry, reason }) => `${entry.name} (${reason})`).join(', ');
  const lines = [
    `Nephometer ${VERSION} is up.`,
    `  API     ${url}`,
    `  token   ${token} (admin)`,
    `  data    ${shortPath(dataDir)}`,
    `  polls   ${roles.some((role) => role.endsWith('-agent')) ? measured : 'nothing (--no-agents)'}`,
    ...(off === '' ? [] : [`  off     ${off}`]),
    `  try     curl -H "X-Auth-Token: $(cat ${token})" ${url}/v2/meters`,
    '  stop    Ctrl-C',
  ];
  return `${lines.join('\n')}\n`;
}

/** Relative below the folder we are in, else absolute. */
function shortPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') ? resolve(path) : near;
}

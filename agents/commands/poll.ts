import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EXIT_CODES, formatInstant, loadPlugins, messageFields, stringifyJson, toText } from '@nephometer/core';
import type { Counter, CycleReport, LoadedConfig, LoadedPlugins, Logger } from '@nephometer/core';
import { agentNamespaces } from '../roles.ts';
import type { AgentRole } from '../roles.ts';
import { pollPlugins } from '../poll-plugins.ts';
import { searchFolders } from '../plugins.ts';
import { table } from './table.ts';

const ROLES: readonly AgentRole[] = ['compute-agent', 'central-agent'];

/** Polls once, writes samples to standard output and failures to standard error; gives the exit code. */
export async function pollOnceCommand(
  wanted: readonly string[],
  asJson: boolean,
  loaded: LoadedConfig,
  log: Logger,
): Promise<number> {
  const folders = wanted.filter((word) => existsSync(join(word, 'package.json'))).map((folder) => resolve(folder));
  const names = wanted.filter((word) => !folders.includes(resolve(word)));
  const searchFrom = [...folders, ...searchFolders()];
  const found = await loadPlugins({ namespaces: agentNamespaces(ROLES), loaded, log, searchFrom });
  const missing = missingOf(found, names);
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    return EXIT_CODES.usage.code;
  }
  const pollsters = found.pollsters.filter(
    ({ entry }) => wanted.length === 0 || names.includes(entry.name) || folders.includes(entry.folder),
  );
  const plugins: LoadedPlugins = { ...found, pollsters };
  const { counters, report } = await pollPlugins({ config: loaded.config, plugins, log, roles: ROLES });
  process.stdout.write(asJson ? jsonLines(counters) : table(HEADINGS, counters.map(rowOf)));
  const failures = failuresOf(report);
  if (failures.length > 0) process.stderr.write(`${failures.join('\n')}\n`);
  return failures.length > 0 && counters.length === 0 ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
}

function missingOf(found: LoadedPlugins, names: readonly string[]): string | null {
  const missing = names.filter((name) => !found.pollsters.some(({ entry }) => entry.name === name));
  if (missing.length === 0) return null;
  const off = found.idle.filter(({ entry }) => missing.includes(entry.name));
  const why = off.map(({ entry, reason }) => ` ${entry.name} is off: ${reason}.`).join('');
  const here = found.pollsters.map(({ entry }) => entry.name).join(', ') || 'none';
  return `No pollster ${missing.join(', ')} here.${why} Pollsters here: ${here}.`;
}

function failuresOf({ pollsters }: CycleReport): string[] {
  return pollsters.flatMap(({ name, error, failed }) => [
    ...(error === null ? [] : [`${name}: ${error}`]),
    ...failed.map(({ resource_id, reason }) => `${name}: ${resource_id}: ${reason}`),
  ]);
}

/** As metering messages, without what only sending gives them. */
function jsonLines(counters: readonly Counter[]): string {
  return counters
    .map((counter) => {
      const fields = messageFields(counter, '', '');
      for (const name of ['message_id', 'source']) fields.delete(name);
      return `${stringifyJson(fields)}\n`;
    })
    .join('');
}

const HEADINGS = ['time (UTC)', 'meter', 'resource', 'volume', 'unit', 'type', 'project'];

function rowOf(counter: Counter): string[] {
  const { timestamp, meter, resourceId, volume, unit, type, projectId } = counter;
  return [formatInstant(timestamp), meter, resourceId, toText(volume), unit ?? '', type, projectId ?? ''];
}

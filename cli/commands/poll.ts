import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  EXIT_CODES,
  formatInstant,
  loadPlugins,
  loadSettings,
  silentLogger,
  systemClock,
  toPlain,
  toText,
} from '@nephometer/core';
import type { Counter, LoadedPlugins, SettingFlags } from '@nephometer/core';
import { agentNamespaces, pollPlugins } from 'nephometer-agent';
import { ApiError } from '../client.ts';
import { print, withConfig, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { searchFolders } from '../plugins.ts';

interface PollFlags extends SettingFlags, FormatFlag {
  readonly once?: boolean;
}

/** `poll [PLUGIN...] --once`: what the pollsters of this machine would measure now; sends nothing. */
export function addPoll(program: Command): void {
  withFormat(
    withConfig(
      program
        .command('poll')
        .description('poll once and show the samples; sends nothing')
        .argument('[plugins...]', 'names of pollsters, or folders of plugin packages'),
    ),
  )
    .requiredOption('--once', 'poll one time and stop')
    .action(async (wanted: string[], flags: PollFlags) => {
      const loaded = await loadSettings(flags);
      const folders = wanted.filter(
        (name) => /[/\\]|^\.$/.test(name) || (existsSync(name) && existsSync(`${name}/package.json`)),
      );
      const absent = folders.find((folder) => !existsSync(folder));
      if (absent !== undefined) throw new ApiError(`There is no folder ${absent}.`, EXIT_CODES.usage.code);
      const names = wanted.filter((name) => !folders.includes(name));
      const found = await loadPlugins({
        namespaces: [...agentNamespaces(['compute-agent', 'central-agent'])],
        loaded,
        log: silentLogger,
        searchFrom: [...folders, ...searchFolders()],
      });
      const plugins = chosen(found, names, folders);
      const { counters, report } = await pollPlugins({
        plugins,
        config: loaded.config,
        clock: systemClock,
        log: silentLogger,
      });
      print(formatRows(counters.map(rowOf), COLUMNS, flags.format));
      const failures = report.pollsters.flatMap(({ name, error, failed }) => [
        ...(error === null ? [] : [`${name}: ${error}`]),
        ...failed.map(({ resource_id: id, reason }) => `${name}: ${id}: ${reason}`),
      ]);
      if (failures.length > 0) process.stderr.write(`${failures.join('\n')}\n`);
      if (failures.length > 0 && counters.length === 0) process.exitCode = EXIT_CODES.failed.code;
    });
}

function chosen(found: LoadedPlugins, names: readonly string[], folders: readonly string[]): LoadedPlugins {
  if (names.length === 0 && folders.length === 0) return found;
  const inFolder = (folder: string): boolean => folders.some((given) => folder === resolve(given));
  const pollsters = found.pollsters.filter(({ entry }) => names.includes(entry.name) || inFolder(entry.folder));
  const missing = names.filter((name) => !pollsters.some(({ entry }) => entry.name === name));
  if (missing.length > 0 || pollsters.length === 0) throw notFound(found, missing.length > 0 ? missing : folders);
  return { ...found, pollsters };
}

/** What was asked for by name or folder is not among the pollsters that work here. */
function notFound(found: LoadedPlugins, wanted: readonly string[]): ApiError {
  const paths = wanted.map((one) => resolve(one));
  const off = found.idle.filter(({ entry }) => wanted.includes(entry.name) || paths.includes(entry.folder));
  const why = off.map(({ entry, reason }) => ` ${entry.name} is off: ${reason}.`).join('');
  const there = found.pollsters.map(({ entry }) => entry.name).join(', ');
  return new ApiError(`No pollster ${wanted.join(', ')}.${why} Here: ${there}.`, EXIT_CODES.usage.code);
}

/** A counter as JSON shows it: Ceilometer's names, the volume as exact decimal text. */
interface CounterRow {
  readonly counter_name: string;
  readonly counter_type: string;
  readonly counter_unit: string | null;
  readonly counter_volume: string;
  readonly resource_id: string;
  readonly project_id: string | null;
  readonly user_id: string | null;
  readonly timestamp: string;
  readonly resource_metadata: unknown;
}

function rowOf(counter: Counter): CounterRow {
  return {
    counter_name: counter.meter,
    counter_type: counter.type,
    counter_unit: counter.unit,
    counter_volume: toText(counter.volume),
    resource_id: counter.resourceId,
    project_id: counter.projectId,
    user_id: counter.userId,
    timestamp: formatInstant(counter.timestamp),
    resource_metadata: toPlain(counter.metadata),
  };
}

const COLUMNS: readonly Column<CounterRow>[] = [
  { title: 'time (UTC)', value: (row) => row.timestamp },
  { title: 'meter', value: (row) => row.counter_name },
  { title: 'resource', value: (row) => row.resource_id },
  { title: 'volume', value: (row) => row.counter_volume, align: 'right' },
  { title: 'unit', value: (row) => row.counter_unit },
  { title: 'type', value: (row) => row.counter_type },
  { title: 'project', value: (row) => row.project_id },
];

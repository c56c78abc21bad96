import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeName } from '../config.ts';
import type { LoadedConfig } from '../config-file.ts';
import { ConfigError, messageOf, PluginError } from '../errors.ts';
import type { ConfigProblem } from '../errors.ts';
import type { Logger } from '../log.ts';
import { maskSecrets } from '../mask.ts';
import { matchesPatterns } from '../model/patterns.ts';
import { CONTRACT_VERSION } from './contract.ts';
import type { Discovery, Listener, OptionsSchema, PluginContext, Pollster } from './contract.ts';

/** Where plugins of a kind are named in a package.json, below the key `nephometer`. */
export const PLUGIN_NAMESPACES = {
  'nephometer.poll.compute': 'pollster',
  'nephometer.poll.central': 'pollster',
  'nephometer.discover': 'discovery',
  'nephometer.collector': 'listener',
} as const;
export type PluginNamespace = keyof typeof PLUGIN_NAMESPACES;

/** An entry point found on this machine. */
export interface PluginEntry {
  readonly namespace: PluginNamespace;
  readonly name: string;
  readonly packageName: string;
  readonly version: string;
  readonly folder: string;
  readonly module: string;
}

export type AnyPlugin = Pollster | Discovery | Listener;

/** A plugin ready for work: loaded, options checked, of use on this machine. */
export interface ActivePlugin<P extends AnyPlugin = AnyPlugin> {
  readonly entry: PluginEntry;
  readonly plugin: P;
  readonly context: PluginContext<unknown>;
}

/** A plugin that is found but does not work here, and why. */
export interface IdlePlugin {
  readonly entry: PluginEntry;
  readonly state: 'disabled' | 'not-useful' | 'refused';
  readonly reason: string;
}

export interface LoadedPlugins {
  readonly pollsters: readonly ActivePlugin<Pollster>[];
  readonly discoveries: readonly ActivePlugin<Discovery>[];
  readonly listeners: readonly ActivePlugin<Listener>[];
  readonly idle: readonly IdlePlugin[];
}

export interface LoadRequest {
  readonly namespaces: readonly PluginNamespace[];
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  /** Folders whose node_modules, and those of the folders above, are searched. */
  readonly searchFrom: readonly string[];
}

/**
 * Finds, loads and checks plugins. A plugin that cannot be loaded is idle with the reason and hurts nobody.
 * @throws ConfigError when options of a plugin are wrong, or name a plugin that is not there, or a plugin path is no folder
 */
export async function loadPlugins(request: LoadRequest): Promise<LoadedPlugins> {
  const { config } = request.loaded;
  const entries = await findPlugins([...request.searchFrom, ...config.plugin_paths]);
  const problems: ConfigProblem[] = [...missingFolders(request.loaded), ...unknownPlugins(entries, request.loaded)];
  const active: ActivePlugin[] = [];
  const idle: IdlePlugin[] = [];
  for (const entry of entries.filter(({ namespace }) => request.namespaces.includes(namespace))) {
    const result = await activate(entry, request).catch((cause: unknown) => refused(entry, cause));
    if (Array.isArray(result)) problems.push(...result);
    else if ('plugin' in result) active.push(result);
    else idle.push(result);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  for (const { entry, state, reason } of idle) {
    const fields = { plugin: entry.name, package: entry.packageName, reason };
    if (state === 'refused') request.log.warn(fields, 'A plugin was refused and stays off.');
    else request.log.debug(fields, 'A plugin stays off.');
  }
  const ofKind = <P extends AnyPlugin>(kind: P['kind']): ActivePlugin<P>[] =>
    active.filter((one): one is ActivePlugin<P> => one.plugin.kind === kind);
  return {
    pollsters: ofKind<Pollster>('pollster'),
    discoveries: ofKind<Discovery>('discovery'),
    listeners: ofKind<Listener>('listener'),
    idle,
  };
}

/** A folder that was named but is not there is a slip of the pen, and its meters would be missing without a word. */
function missingFolders({ config, problemAt }: LoadedConfig): ConfigProblem[] {
  return config.plugin_paths.flatMap((path, index) =>
    existsSync(path) ? [] : [problemAt(['plugin_paths', index], `there is no folder ${path}.`)],
  );
}

async function activate(
  entry: PluginEntry,
  request: LoadRequest,
): Promise<ActivePlugin | IdlePlugin | ConfigProblem[]> {
  const { config, problemAt } = request.loaded;
  if (matchesAny(config.disabled_plugins, entry.name)) {
    return { entry, state: 'disabled', reason: 'named in disabled_plugins' };
  }
  const plugin = await importPlugin(entry);
  const checked = await checkOptions(plugin.options, config.plugins[entry.name] ?? {});
  if ('problems' in checked) {
    return checked.problems.map(({ path, message }) => problemAt(['plugins', entry.name, ...path], message));
  }
  const context: PluginContext<unknown> = {
    options: checked.options,
    host: nodeName(config),
    config: maskSecrets(config),
    log: request.log.child({ plugin: entry.name }),
  };
  const useful = (await plugin.enabled?.(context)) ?? true;
  return useful === true ? { entry, plugin, context } : { entry, state: 'not-useful', reason: useful };
}

function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.length > 0 && matchesPatterns(patterns, name);
}

function refused(entry: PluginEntry, cause: unknown): IdlePlugin {
  return { entry, state: 'refused', reason: messageOf(cause) };
}

/** Loads one plugin module and checks that it is what its entry point says. @throws PluginError */
export async function importPlugin(entry: PluginEntry): Promise<AnyPlugin> {
  const where = `Plugin ${entry.name} of ${entry.packageName} ${entry.version}`;
  const module = (await import(pathToFileURL(entry.module).href)) as { default?: Partial<AnyPlugin> };
  const plugin = module.default;
  const expected = PLUGIN_NAMESPACES[entry.namespace];
  if (plugin === undefined || typeof plugin !== 'object') {
    throw new PluginError(`${where} has no default export; export default define${capital(expected)}({...}).`);
  }
  if (plugin.contract !== CONTRACT_VERSION) {
    throw new PluginError(
      `${where} is made for contract ${String(plugin.contract)}; this Nephometer speaks contract ${CONTRACT_VERSION}.`,
    );
  }
  if (plugin.kind !== expected) {
    throw new PluginError(
      `${where} is a ${String(plugin.kind)}; its namespace ${entry.namespace} wants a ${expected}.`,
    );
  }
  return plugin as AnyPlugin;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Options that name no plugin would be silently without effect: an error, as any unknown key. */
function unknownPlugins(entries: readonly PluginEntry[], { config, problemAt }: LoadedConfig): ConfigProblem[] {
  const names = new Set(entries.map(({ name }) => name));
  return Object.keys(config.plugins)
    .filter((name) => !names.has(name))
    .map((name) =>
      problemAt(
        ['plugins', name],
        `no plugin of this name is installed; installed: ${[...names].sort().join(', ') || 'none'}`,
      ),
    );
}

export interface OptionProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Validates the options of a plugin by its own schema; one without a schema takes none. */
export async function checkOptions(
  schema: OptionsSchema<unknown> | undefined,
  value: unknown,
): Promise<{ options: unknown } | { problems: readonly OptionProblem[] }> {
  if (schema === undefined) {
    const keys = Object.keys(value as object);
    return keys.length === 0
      ? { options: {} }
      : { problems: keys.map((key) => ({ path: [key], message: 'this plugin takes no options' })) };
  }
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { options: result.value };
  const problems = result.issues.map(({ message, path }) => ({
    message,
    path: (path ?? []).map((step) => (typeof step === 'object' ? step.key : step)),
  }));
  return { problems };
}

/** All entry points in the node_modules reachable from some folders, and in folders that are plugin packages themselves. */
export async function findPlugins(folders: readonly string[]): Promise<PluginEntry[]> {
  const found = new Map<string, PluginEntry>();
  for (const folder of folders.map((path) => resolve(path))) {
    for (const candidate of [folder, ...(await installedPackages(folder))]) {
      for (const entry of await entryPoints(candidate)) {
        const key = `${entry.namespace} ${entry.name}`;
        // The first one found wins: a package beside the daemon before one of a folder above.
        if (!found.has(key)) found.set(key, entry);
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

async function installedPackages(from: string): Promise<string[]> {
  const packages: string[] = [];
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    for (const name of await listFolder(modules)) {
      if (!name.startsWith('@')) packages.push(join(modules, name));
      else packages.push(...(await listFolder(join(modules, name))).map((below) => join(modules, name, below)));
    }
    if (folder === dirname(folder)) return packages;
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch {
    return [];
  }
}

/** The entry points that one package names; none when it has no readable package.json. */
async function entryPoints(folder: string): Promise<PluginEntry[]> {
  let manifest: { name?: string; version?: string; nephometer?: Record<string, Record<string, string>> };
  try {
    manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as typeof manifest;
  } catch {
    return [];
  }
  return Object.entries(manifest.nephometer ?? {}).flatMap(([namespace, points]) =>
    namespace in PLUGIN_NAMESPACES
      ? Object.entries(points).map(([name, module]) => ({
          namespace: namespace as PluginNamespace,
          name,
          packageName: manifest.name ?? folder,
          version: manifest.version ?? '0.0.0',
          folder,
          module: join(folder, module),
        }))
      : [],
  );
}

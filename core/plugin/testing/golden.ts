/**
 * Golden cases: one folder a situation, the data is text, a new case is a new folder.
 *
 *   cases/<situation>/
 *     config.yaml      a configuration as an operator writes it, the options below plugins.<name>; or options.json
 *     input/           the files that the plugin reads; `${input}` in the options is this folder
 *     input.2/ ...     what the folder holds at the second, third ... poll
 *     expected.json    what comes out; or expected.error, the message of the error
 *
 * Of a listener, input/ holds notifications, one a file (*.json), heard in the order of their names. With
 * NEPHOMETER_UPDATE_GOLDEN=1 the expected files are written instead of compared: read the difference before you commit.
 */
import { AssertionError } from 'node:assert';
import { cp, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { messageOf } from '../../errors.ts';
import type { Discovery, Listener, Pollster, Resource } from '../contract.ts';
import type { PluginSetting } from './context.ts';
import { discoverPlugin } from './discover.ts';
import { hearNotification } from './hear.ts';
import { openPollster, plainJson } from './poll.ts';

/** A plugin of any kind, whatever its options and resources. */
export interface AnyPlugin {
  readonly kind: 'pollster' | 'discovery' | 'listener';
  readonly name: string;
  readonly contract: number;
}

/** What a case needs beside its folder. */
export interface PreparedCase {
  /** In place of the plugin itself: one made with a stand-in for what files cannot give. */
  readonly plugin?: AnyPlugin;
  /** Filled in for `${name}` in the options, and shown as `${name}` in what comes out. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly close?: () => Promise<void> | void;
}

export interface GoldenSetting extends PluginSetting {
  /** What a pollster measures. Default: what its own discovery finds, or this node. */
  readonly resources?: readonly Resource[];
  /** Called before each case with the folder that `${input}` stands for: starts a server that serves it, for example. */
  readonly prepare?: (input: string) => Promise<PreparedCase> | PreparedCase;
}

/** One case; `check` throws an AssertionError when it does not come out as expected. */
export interface GoldenCase {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/**
 * The cases below a folder, to be handed to the test framework one by one.
 * @throws AssertionError when there is none
 */
export async function goldenCases(
  plugin: AnyPlugin,
  folder: URL | string,
  setting: GoldenSetting = {},
): Promise<readonly GoldenCase[]> {
  const root = typeof folder === 'string' ? folder : fileURLToPath(folder);
  const entries = await readdir(root, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (names.length === 0) throw new AssertionError({ message: `${root} has no case: no folder in it` });
  return names.sort().map((name) => ({ name, check: () => checkCase(plugin, join(root, name), setting) }));
}

async function checkCase(plugin: AnyPlugin, folder: string, setting: GoldenSetting): Promise<void> {
  const work = await realpath(await mkdtemp(join(tmpdir(), 'nephometer-case-')));
  const input = join(work, 'input');
  await fill(folder, 'input', input);
  let prepared: PreparedCase = {};
  try {
    prepared = (await setting.prepare?.(input)) ?? {};
    const variables = { ...prepared.variables, input };
    const outcome = await outcomeOf(() => run(prepared.plugin ?? plugin, folder, variables, setting));
    await compareOutcome(folder, mask(outcome, variables));
  } finally {
    await prepared.close?.();
    await rm(work, { recursive: true, force: true });
  }
}

interface Outcome {
  readonly file: 'expected.json' | 'expected.error';
  readonly text: string;
}

async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { file: 'expected.json', text: `${JSON.stringify(await work(), null, 2)}\n` };
  } catch (cause) {
    return { file: 'expected.error', text: `${messageOf(cause)}\n` };
  }
}

async function run(
  plugin: AnyPlugin,
  folder: string,
  variables: Readonly<Record<string, string>>,
  setting: GoldenSetting,
): Promise<unknown> {
  const { options, host } = await readOptions(folder, plugin.name, variables);
  const own: GoldenSetting = host === undefined ? setting : { ...setting, host };
  if (plugin.kind === 'pollster')
    return runPolls(plugin as Pollster, options, folder, variables['input'] as string, own);
  if (plugin.kind === 'listener') return runListener(plugin as Listener, options, variables['input'] as string, own);
  const resources = await discoverPlugin(plugin as Discovery, options, null, own);
  return resources.map(plainJson);
}

async function runPolls(
  plugin: Pollster,
  options: unknown,
  folder: string,
  input: string,
  setting: GoldenSetting,
): Promise<unknown> {
  const open = await openPollster(plugin, options, setting);
  try {
    const first = await open.poll();
    const results = [first];
    for (let number = 2; await fill(folder, `input.${number}`, input); number++) results.push(await open.poll());
    return results.length === 1 ? first : results;
  } finally {
    await open.close();
  }
}

async function runListener(
  plugin: Listener,
  options: unknown,
  input: string,
  setting: GoldenSetting,
): Promise<unknown> {
  const heard: Record<string, unknown> = {};
  for (const name of (await readdir(input)).filter((file) => file.endsWith('.json')).sort()) {
    const text = await readFile(join(input, name), 'utf8');
    heard[name] = await hearNotification(plugin, text, options, setting);
  }
  return heard;
}

/** Makes the folder `to` a copy of the case's folder `name`. @returns false, and nothing changed, when there is none */
async function fill(folder: string, name: string, to: string): Promise<boolean> {
  if (!(await readdir(folder)).includes(name)) return false;
  await rm(to, { recursive: true, force: true });
  await cp(join(folder, name), to, { recursive: true, verbatimSymlinks: true });
  return true;
}

async function readOptions(
  folder: string,
  plugin: string,
  variables: Readonly<Record<string, string>>,
): Promise<{ options: unknown; host: string | undefined }> {
  const files = await readdir(folder);
  const read = async (name: string): Promise<string> =>
    substitute(await readFile(join(folder, name), 'utf8'), variables);
  if (files.includes('options.json')) return { options: JSON.parse(await read('options.json')), host: undefined };
  if (!files.includes('config.yaml')) return { options: {}, host: undefined };
  const config = (parse(await read('config.yaml')) ?? {}) as {
    host?: string;
    plugins?: Record<string, unknown>;
  };
  return { options: config.plugins?.[plugin] ?? {}, host: config.host };
}

function substitute(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole);
}

/** Folders and ports differ from run to run; the expected files show their names. */
function mask(outcome: Outcome, variables: Readonly<Record<string, string>>): Outcome {
  const longestFirst = Object.entries(variables).sort(([, a], [, b]) => b.length - a.length);
  const text = longestFirst.reduce((masked, [name, value]) => masked.replaceAll(value, `\${${name}}`), outcome.text);
  return { ...outcome, text };
}

async function compareOutcome(folder: string, outcome: Outcome): Promise<void> {
  if (process.env['NEPHOMETER_UPDATE_GOLDEN'] === '1') {
    const other = outcome.file === 'expected.json' ? 'expected.error' : 'expected.json';
    await rm(join(folder, other), { force: true });
    await writeFile(join(folder, outcome.file), outcome.text);
    return;
  }
  const expected = await expectedOutcome(folder);
  const same =
    expected.file === outcome.file &&
    (outcome.file === 'expected.json'
      ? isDeepStrictEqual(JSON.parse(outcome.text), JSON.parse(expected.text))
      : outcome.text.trim() === expected.text.trim());
  if (same) return;
  throw new AssertionError({
    message: difference(folder, expected, outcome),
    actual: outcome.text,
    expected: expected.text,
    operator: 'golden',
  });
}

async function expectedOutcome(folder: string): Promise<Outcome> {
  const files = await readdir(folder);
  for (const file of ['expected.json', 'expected.error'] as const) {
    if (files.includes(file)) return { file, text: await readFile(join(folder, file), 'utf8') };
  }
  throw new AssertionError({
    message: `${folder} has neither expected.json nor expected.error; write one, or set NEPHOMETER_UPDATE_GOLDEN=1 once and read what it wrote`,
  });
}

function difference(folder: string, expected: Outcome, actual: Outcome): string {
  if (expected.file !== actual.file) {
    return `${folder}: ${expected.file} was expected, and it came to this: ${actual.text.slice(0, 500)}`;
  }
  const now = actual.file === 'expected.json' ? canonical(actual.text) : actual.text.split('\n');
  const then = actual.file === 'expected.json' ? canonical(expected.text) : expected.text.split('\n');
  const at = now.findIndex((line, index) => line !== then[index]);
  const around = (lines: readonly string[]): string => lines.slice(Math.max(0, at - 4), at + 8).join('\n');
  return `${folder}: differs from ${expected.file}, first in line ${at + 1}\nexpected:\n${around(then)}\nfound:\n${around(now)}`;
}

function canonical(json: string): string[] {
  return JSON.stringify(JSON.parse(json), null, 2).split('\n');
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { parseConfig } from '../config-file.ts';
import { ConfigError } from '../errors.ts';
import { silentLogger } from '../log.ts';
import { maskSecrets } from '../mask.ts';
import { findPlugins, loadPlugins } from './loader.ts';
import type { LoadedPlugins } from './loader.ts';

/** An empty folder outside the project, where no plugin of ours is found. */
function emptyFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'nephometer-loader-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with one installed plugin package; `module` is the text of its module. */
function installed(folder: string, name: string, module: string, namespace = 'nephometer.poll.compute'): void {
  const home = join(folder, 'node_modules', name);
  mkdirSync(home, { recursive: true });
  const manifest = { name, version: '1.2.3', type: 'module', nephometer: { [namespace]: { [name]: './index.js' } } };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(home, 'index.js'), module);
}

const POLLSTER = `export default { kind: 'pollster', name: 'p', contract: 1, discovery: 'local-node', meters: {}, *poll() {} };`;
const CHOOSY = `export default { kind: 'pollster', name: 'c', contract: 1, discovery: 'local-node', meters: {}, *poll() {},
  enabled: ({ options }) => options.on ?? 'no such hardware here',
  options: { '~standard': { version: 1, vendor: 'test', validate: (value) =>
    'wrong' in value ? { issues: [{ message: 'must not be there', path: ['wrong'] }] } : { value } } } };`;

function load(folder: string, yaml = ''): Promise<LoadedPlugins> {
  const loaded = parseConfig(yaml, 'test.yaml');
  return loadPlugins({ namespaces: ['nephometer.poll.compute'], loaded, log: silentLogger, searchFrom: [folder] });
}

void t.test('an installed package with an entry point is active without further configuration', async (t) => {
  const folder = emptyFolder(t);
  installed(folder, 'p', POLLSTER);
  const { pollsters, idle } = await load(folder);
  t.same(
    pollsters.map(({ entry }) => [entry.name, entry.version]),
    [['p', '1.2.3']],
  );
  t.same(idle, []);
  t.same((await load(join(folder, 'below', 'deeper'))).pollsters.length, 1, 'found from folders below too');
});

void t.test('a plugin that cannot work here stays off and says why, and the others go on', async (t) => {
  const folder = emptyFolder(t);
  installed(folder, 'good', POLLSTER);
  installed(folder, 'choosy', CHOOSY);
  installed(folder, 'other-contract', POLLSTER.replace('contract: 1', 'contract: 7'));
  installed(folder, 'broken', 'throw new Error("boom")');
  installed(folder, 'empty', 'export const nothing = 1;');
  installed(folder, 'listener', POLLSTER.replace("'pollster'", "'listener'"));
  const { pollsters, idle } = await load(folder, 'disabled_plugins: [nothing-of-that-name]');
  t.same(
    pollsters.map(({ entry }) => entry.name),
    ['good'],
  );
  const reasons = Object.fromEntries(idle.map(({ entry, state, reason }) => [entry.name, `${state}: ${reason}`]));
  t.match(reasons, {
    choosy: /^not-useful: no such hardware here$/,
    'other-contract': /^refused: .*contract 7; .*contract 1/,
    broken: /^refused: boom$/,
    empty: /^refused: .*no default export/,
    listener: /^refused: .*is a listener.*wants a pollster/,
  });
});

void t.test('a plugin path that is not there stops the start, naming file, line and key', async (t) => {
  const folder = emptyFolder(t);
  installed(folder, 'p', POLLSTER);
  const path = join(folder, 'node_modules', 'p');
  t.same((await load(emptyFolder(t), `plugin_paths: [${path}]`)).pollsters.length, 1);
  await t.rejects(load(folder, `plugin_paths:\n  - ${path}\n  - ${path}-misspelt`), {
    code: 'MTR_CONFIG',
    message: `test.yaml:3: plugin_paths[1]: there is no folder ${path}-misspelt.`,
  });
});

void t.test('plugins are switched off by name or glob', async (t) => {
  const folder = emptyFolder(t);
  installed(folder, 'net-one', POLLSTER);
  installed(folder, 'net-two', POLLSTER);
  const { pollsters, idle } = await load(folder, 'disabled_plugins: ["net-*"]');
  t.same(pollsters, []);
  t.same(
    idle.map(({ state }) => state),
    ['disabled', 'disabled'],
  );
});

void t.test('wrong options stop the start with their line', async (t) => {
  const folder = emptyFolder(t);
  installed(folder, 'choosy', CHOOSY);
  installed(folder, 'plain', POLLSTER);
  const refused = (yaml: string): Promise<string> =>
    load(folder, yaml).then(
      () => 'accepted',
      (cause: unknown) => (cause instanceof ConfigError ? cause.message : `threw ${String(cause)}`),
    );
  t.equal(
    await refused('plugins:\n  choosy:\n    wrong: 1\n'),
    'test.yaml:3: plugins.choosy.wrong: must not be there.',
  );
  t.equal(
    await refused('plugins:\n  plain:\n    x: 1\n'),
    'test.yaml:3: plugins.plain.x: this plugin takes no options.',
  );
  t.match(
    await refused('plugins:\n  chosy: {}\n'),
    /^test\.yaml:2: plugins\.chosy: no plugin of this name is installed; installed: choosy, plain\.$/,
  );
  t.equal((await load(folder, 'plugins:\n  choosy:\n    on: true\n')).pollsters.length, 2);
});

void t.test('a folder that is a plugin package itself is found', async (t) => {
  const folder = emptyFolder(t);
  installed(folder, 'p', POLLSTER);
  const found = await findPlugins([join(folder, 'node_modules', 'p')]);
  t.ok(found.some(({ name }) => name === 'p'));
});

void t.test('plugins see the configuration without its secrets', (t) => {
  const { config } = parseConfig(
    'bus: {url: "amqp://u:hush@h"}\n' +
      'plugins: {x: {api_key: hush, deep: {password: hush}, headers: [{x-auth-key: hush}], at: "http://h/?a=1&apikey=hush"}}\n',
    'f',
  );
  const masked = JSON.stringify(maskSecrets(config));
  t.notMatch(masked, /hush/);
  t.match(masked, /amqp:\/\/u:\*\*\*@h/);
  t.match(masked, /a=1&apikey=\*\*\*/);
  t.end();
});

void t.test('what a wrong file says is shown without its secrets', (t) => {
  const wrong = (text: string): string => {
    try {
      parseConfig(text, 'f');
      return 'nothing is wrong';
    } catch (cause) {
      return String(cause);
    }
  };
  t.match(wrong('bus: {url: "amqqp://u:hush@h"}\n'), /Found "amqqp:\/\/u:\*\*\*@h"/);
  t.match(wrong('store: {url: "influx://u:hush@h/db"}\n'), /Found "influx:\/\/u:\*\*\*@h\/db"/);
  t.match(wrong('api: {tokens: [{name: a, role: admin, hash: hush}]}\n'), /tokens\[0\]\.hash.*Found "\*\*\*"/);
  t.end();
});

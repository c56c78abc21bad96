import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { ConfigError, EXIT_CODES, parseConfig } from '@nephometer/core';
import { sampleConfig } from 'nephometer';
import { temporaryFolder } from './servers/index.ts';

const folder = fileURLToPath(new URL('../fixtures/config/', import.meta.url));
const wrong = readdirSync(folder).filter((name) => name.endsWith('.bad.yaml'));

/** The message that `text` is refused with; null when it is accepted. */
function refusal(text: string, file: string): string | null {
  try {
    parseConfig(text, file);
    return null;
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.message;
    throw cause;
  }
}

void t.test('each wrong file is refused with its exact message', (t) => {
  t.ok(wrong.length >= 20, `${wrong.length} wrong files`);
  for (const name of wrong) {
    const expected = readFileSync(`${folder}${name.replace('.bad.yaml', '.expected.txt')}`, 'utf8').trimEnd();
    t.equal(refusal(readFileSync(`${folder}${name}`, 'utf8'), name), expected, name);
  }
  t.end();
});

void t.test('`nephometer config check` says it on standard error and exits 78', async (t) => {
  const main = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
  const [name = ''] = wrong;
  const child = spawn(process.execPath, [main, 'config', 'check', '--config', `${folder}${name}`]);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  t.equal(code, EXIT_CODES.config.code);
  t.match(said, basename(name));
});

/** Runs the command with a configuration of its own to its end. */
async function ended(t: Test, args: readonly string[], config: string): Promise<{ code: unknown; said: string }> {
  const home = temporaryFolder('nephometer-config');
  const file = join(home, 'mine.yaml');
  writeFileSync(file, config);
  const main = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, ...args, '--config', file, '--data-dir', join(home, 'data')]);
  t.teardown(() => child.kill());
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, said };
}

void t.test(
  'a plugin that cannot be loaded fails `config check`, which names it; a disabled one does not',
  async (t) => {
    const folder = temporaryFolder('nephometer-plugins');
    const home = join(folder, 'node_modules', 'torn');
    mkdirSync(home, { recursive: true });
    const nephometer = { 'nephometer.poll.compute': { torn: './index.js' } };
    writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'torn', version: '1.0.0', nephometer }));
    writeFileSync(join(home, 'index.js'), 'throw new Error("boom");');
    const config = `plugin_paths: ['${folder}']`;
    const { code, said } = await ended(t, ['config', 'check'], config);
    t.equal(code, EXIT_CODES.config.code);
    t.match(said, /torn: the plugin of torn cannot be loaded: .*boom.*disabled_plugins/);
    t.match(await ended(t, ['config', 'check'], `${config}\ndisabled_plugins: [torn]`), { code: 0 });
  },
);

void t.test('a wrong schedule of a source ends a start with the line of the file', async (t) => {
  const config = `sources:\n  - name: nightly\n    meters: ['*']\n    cron: '0 99 * * *'\n`;
  const run = ['--bus', 'amqp://127.0.0.1:1', '--store', 'memory:'];
  for (const args of [
    ['config', 'check'],
    ['up', '--port', '0'],
    ['run', 'compute-agent', ...run],
  ]) {
    const { code, said } = await ended(t, args, config);
    t.equal(code, EXIT_CODES.config.code, args.join(' '));
    t.match(said, /mine\.yaml:4.*sources\[0\]\.cron/, said);
  }
});

void t.test('the file that `config init` writes is right as it stands, and when every default is written out', (t) => {
  const sample = sampleConfig();
  t.equal(refusal(sample, 'sample'), null);
  const spelled = sample
    .split('\n')
    .filter((line) => /^# *[\w-]+:/.test(line) || /^# +- /.test(line))
    .map((line) => line.slice(1));
  t.ok(spelled.length > 40, 'every key is there');
  t.end();
});

void t.test('an empty file is a configuration: every key is optional', (t) => {
  t.equal(refusal('', 'empty'), null);
  t.equal(refusal('# nothing\n', 'comment'), null);
  t.end();
});

void t.test('flags win over the file, the file over the defaults of a role', (t) => {
  const { config } = parseConfig('interval: 30s\nbus: {window: 5}\n', 'file', {
    defaults: { interval: '10s', store: { url: 'memory:' } },
    overrides: { bus: { url: 'amqp://other' } },
  });
  t.equal(config.interval, 30_000_000);
  t.equal(config.store.url, 'memory:');
  t.equal(config.bus.window, 5);
  t.equal(config.bus.url, 'amqp://other');
  t.end();
});

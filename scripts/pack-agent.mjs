#!/usr/bin/env node
/**
 * Packs the agent of one node into one tarball: `npm run pack:agent [-- OUT]`. The parts of ours that it needs (core,
 * the RabbitMQ adapter, the pollsters) travel inside; what others publish comes from the registry at install. No
 * database engine is among them.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = resolve(process.argv[2] ?? root);

const manifestOf = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** Plugins that an agent polls: listeners are the collector's. */
const plugins = readdirSync(join(root, 'plugins'))
  .map((name) => join('plugins', name))
  .filter((folder) =>
    Object.keys(manifestOf(folder).nephometer ?? {}).some((namespace) => /poll|discover/.test(namespace)),
  );

const bundled = ['core', join('bus', 'amqp'), ...plugins];
const stage = mkdtempSync(join(tmpdir(), 'nephometer-agent-'));
try {
  const agent = manifestOf('agents');
  const parts = bundled.map((folder) => manifestOf(folder));
  const ours = new Set(parts.map(({ name }) => name));
  const foreign = Object.assign({}, ...[...parts, agent].map(({ dependencies = {} }) => dependencies));
  for (const name of ours) delete foreign[name];

  unpack(['agents', ...bundled], stage);
  const { devDependencies: _unused, ...manifest } = agent;
  manifest.dependencies = { ...Object.fromEntries(parts.map(({ name, version }) => [name, version])), ...foreign };
  manifest.bundleDependencies = [...ours];
  const staged = join(stage, 'nephometer-agent');
  writeFileSync(join(staged, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(staged, 'LICENSE'));
  mkdirSync(out, { recursive: true });
  const [{ filename }] = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', out], staged);
  process.stdout.write(`${join(out, filename)}\n`);
} finally {
  rmSync(stage, { recursive: true, force: true });
}

/** Packs each folder as npm would publish it, and lays the content where the agent's package wants it. */
function unpack(folders, into) {
  const packed = npm(
    ['pack', '--json', '--ignore-scripts', '--pack-destination', into, ...folders.map((folder) => `./${folder}`)],
    root,
  );
  for (const { name, filename } of packed) {
    const base = join(into, 'nephometer-agent');
    const target = name === 'nephometer-agent' ? base : join(base, 'node_modules', name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', join(into, filename), '--strip-components=1', '-C', target]);
  }
}

function npm(args, cwd) {
  return JSON.parse(
    execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 }),
  );
}

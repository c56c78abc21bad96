#!/usr/bin/env node
/**
 * Makes a plugin folder that is green at once:
 *
 *   npm run new:plugin NAME -- [--kind pollster|discovery|listener] [--dir FOLDER] [--ts | --js]
 *
 * Without --dir it is a workspace under plugins/, in TypeScript. With --dir it is a package of its own at FOLDER/NAME, in
 * plain JavaScript unless --ts is given, and takes the contract from this clone by its path.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pluginFiles } from './new-plugin/files.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const KINDS = ['pollster', 'discovery', 'listener'];
const USAGE = 'npm run new:plugin NAME -- [--kind pollster|discovery|listener] [--dir FOLDER] [--ts | --js]';

function fail(message) {
  process.stderr.write(`${message}\nUsage: ${USAGE}\n`);
  process.exit(2);
}

function readRequest() {
  const options = {
    kind: { type: 'string' },
    dir: { type: 'string' },
    ts: { type: 'boolean' },
    js: { type: 'boolean' },
  };
  let parsed;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (cause) {
    fail(cause.message);
  }
  const { values, positionals } = parsed;
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) fail('Give one name.');
  if (!/^[a-z][a-z0-9-]*$/.test(name)) fail(`"${name}" is no plugin name; use lower-case letters, digits and dashes.`);
  const kind = values.kind ?? 'pollster';
  if (!KINDS.includes(kind)) fail(`"${kind}" is no kind of plugin; use one of ${KINDS.join(', ')}.`);
  if (values.ts && values.js) fail('Give --ts or --js, not both.');
  const inside = values.dir === undefined;
  if (inside && values.js) fail('Plugins of this repository are TypeScript; use --js together with --dir.');
  // npm runs scripts in the root; INIT_CWD is where the author stands.
  const base = inside ? join(ROOT, 'plugins') : resolve(process.env.INIT_CWD ?? process.cwd(), values.dir);
  return { name, kind, inside, language: inside || values.ts ? 'ts' : 'js', folder: join(base, name) };
}

function addToBuild(name) {
  const path = join(ROOT, 'tsconfig.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const reference = { path: `plugins/${name}` };
  if (config.references.some((one) => one.path === reference.path)) return;
  const last = config.references.findLastIndex((one) => one.path.startsWith('plugins/'));
  config.references.splice(last + 1, 0, reference);
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`);
}

const request = readRequest();
if (existsSync(request.folder)) fail(`${request.folder} is there already.`);
const corePath = relative(request.folder, join(ROOT, 'core'));
for (const [path, text] of Object.entries(pluginFiles({ ...request, corePath }))) {
  const file = join(request.folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
if (request.inside) {
  addToBuild(request.name);
  const prettier = join(ROOT, 'node_modules/prettier/bin/prettier.cjs');
  if (existsSync(prettier))
    execFileSync(process.execPath, [prettier, '--write', '--log-level', 'warn', request.folder]);
}
const shown = relative(process.env.INIT_CWD ?? process.cwd(), request.folder) || '.';
process.stdout.write(`Made ${shown}, a ${request.kind}. Next:\n\n  cd ${shown}\n  npm install\n  npm test\n`);

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { sourceFiles } from './docs/errors-page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Who may import whom of ours; a package may always import itself. */
const ALLOWED: Readonly<Record<string, readonly RegExp[]>> = {
  core: [],
  'bus/amqp': [/^@nephometer\/core$/],
  'bus/memory': [/^@nephometer\/core$/],
  'store/duckdb': [/^@nephometer\/core$/],
  'store/influxdb': [/^@nephometer\/core$/],
  'store/memory': [/^@nephometer\/core$/],
  agents: [/^@nephometer\/core$/, /^@nephometer\/bus-amqp$/],
  collector: [/^@nephometer\/core$/],
  api: [/^@nephometer\/core$/],
  client: [],
  cli: [/./],
  test: [/./],
  bench: [/./],
};
const PLUGIN: readonly RegExp[] = [/^@nephometer\/core\/plugin(\/testing)?$/];

/** What core may take from outside besides Node: see docs/decisions. */
const CORE_OUTSIDE = ['zod', 'yaml'];

function packageOf(file: string): string {
  return /^(bus|store|plugins)\/[^/]+/.exec(file)?.[0] ?? file.split('/')[0] ?? '';
}

function importsOf(text: string): string[] {
  const statements = text.matchAll(
    /^(?:import|export)\s[^'";]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map(([, a, b, c]) => a ?? b ?? c ?? '');
}

const ours = (specifier: string): boolean =>
  specifier.startsWith('@nephometer/') || /^nephometer(-agent)?($|\/)/.test(specifier);

void t.test('nobody imports whom he may not', (t) => {
  let edges = 0;
  for (const file of sourceFiles(root)) {
    const home = packageOf(file);
    const allowed = home.startsWith('plugins/') ? PLUGIN : ALLOWED[home];
    if (allowed === undefined) {
      t.ok(file.startsWith('scripts/'), `${file} lives in a folder that the plan of the house knows`);
      continue;
    }
    for (const specifier of importsOf(readFileSync(join(root, file), 'utf8'))) {
      edges += 1;
      if (ours(specifier))
        t.ok(
          allowed.some((pattern) => pattern.test(specifier)),
          `${file} imports ${specifier}`,
        );
      if (home !== 'test') t.notMatch(specifier, /\/fixture[^/]*$/, `${file} builds on nothing that is made for tests`);
      if (specifier.startsWith('.')) t.notMatch(join(file, '..', specifier), /^\.\./, `${file} stays in the tree`);
      if (specifier.startsWith('.'))
        t.equal(packageOf(join(file, '..', specifier)), home, `${file} reaches ${specifier} by its package`);
      if (home === 'core' && !/^(\.|node:)/.test(specifier))
        t.ok(CORE_OUTSIDE.includes(specifier), `core imports ${specifier}`);
    }
  }
  t.ok(edges > 100, `${edges} imports were looked at`);
  t.end();
});

void t.test('each package declares what it imports', (t) => {
  const shared = new Set(['tap']);
  for (const file of sourceFiles(root)) {
    const home = packageOf(file);
    if (ALLOWED[home] === undefined && !home.startsWith('plugins/')) continue;
    const manifest = JSON.parse(readFileSync(join(root, home, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    const declared = new Set([
      manifest['name'] as unknown as string,
      ...['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies'].flatMap((kind) =>
        Object.keys(manifest[kind] ?? {}),
      ),
    ]);
    for (const specifier of importsOf(readFileSync(join(root, file), 'utf8')).filter(
      (name) => !/^(\.|node:)/.test(name),
    )) {
      const name = specifier.startsWith('@')
        ? specifier.split('/').slice(0, 2).join('/')
        : (specifier.split('/')[0] ?? '');
      if (!shared.has(name)) t.ok(declared.has(name), `${home} declares ${name} (${file})`);
    }
  }
  t.end();
});

void t.test('agents bring no database engine', (t) => {
  const reachable = new Set<string>();
  const visit = (folder: string): void => {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
      name: string;
      dependencies?: Record<string, string>;
    };
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (reachable.has(name)) continue;
      reachable.add(name);
      const below = workspaces().get(name);
      if (below !== undefined) visit(below);
    }
  };
  visit('agents');
  for (const engine of ['@duckdb/node-api', 'influx', '@influxdata/influxdb-client', 'koa'])
    t.notOk(reachable.has(engine), engine);
  t.ok(reachable.has('amqplib'));
  t.end();
});

void t.test('each command is a file of the clone: npm links none that is built later', (t) => {
  const commands = [...workspaces().values()].flatMap((folder) => {
    const { bin = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
      bin?: Record<string, string>;
    };
    return Object.entries(bin).map(([name, path]) => ({ name, path: join(folder, path) }));
  });
  t.same(commands.map(({ name }) => name).sort(), ['nephometer', 'nephometer-agent']);
  for (const { name, path } of commands) {
    t.notMatch(path, /(^|\/)dist\//, `${name} is ${path}`);
    t.match(readFileSync(join(root, path), 'utf8'), /^#!\/usr\/bin\/env node\n/, path);
  }
  t.end();
});

void t.test('each package says in a README what it is', (t) => {
  for (const [name, folder] of workspaces()) {
    if (name === '@nephometer/test') continue;
    const readme = readFileSync(join(root, folder, 'README.md'), 'utf8');
    if (folder.startsWith('plugins/')) continue;
    t.equal(readme.split('\n', 1)[0], `# ${name}`, `${folder}/README.md begins with the name of the package`);
    t.match(readme, /npm test -- /, `${folder}/README.md says how it is tested`);
  }
  t.end();
});

/** Folders of the workspaces by package name. */
function workspaces(): Map<string, string> {
  const nested = ['bus', 'store', 'plugins'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  );
  const folders = ['core', 'agents', 'collector', 'api', 'client', 'cli', 'test', 'bench', ...nested];
  return new Map(
    folders.map((folder) => [
      (JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { name: string }).name,
      folder,
    ]),
  );
}

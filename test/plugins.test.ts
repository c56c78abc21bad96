import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { checkOptions, findPlugins, importPlugin } from '@nephometer/core';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What a README must tell, by words of its headings. */
const README_SECTIONS = ['reads?', 'needs?', 'configur\\w+|options', 'example|output', 'limits?'];

/** What a plugin folder lacks, by name. */
async function missingParts(folder: string): Promise<string[]> {
  const has = (path: string): boolean => existsSync(join(folder, path));
  const missing = ['package.json', 'README.md', 'sample.config.yaml', 'src', 'cases'].filter((path) => !has(path));
  if (missing.includes('package.json')) return missing;
  const entries = (await findPlugins([folder])).filter((entry) => entry.folder === folder);
  if (entries.length === 0) missing.push('an entry point in package.json, below "nephometer"');
  const sources = has('src') ? readdirSync(join(folder, 'src')) : [];
  if (!sources.some((name) => /\.test\.[jt]s$/.test(name))) missing.push('a test in src');
  if (has('cases') && readdirSync(join(folder, 'cases')).length === 0) missing.push('a case in cases');
  if (has('README.md')) missing.push(...missingSections(readFileSync(join(folder, 'README.md'), 'utf8')));
  for (const entry of entries) {
    const plugin = await importPlugin(entry).catch((cause: Error) => cause);
    if (plugin instanceof Error) {
      missing.push(plugin.message);
      continue;
    }
    if (plugin.name !== entry.name)
      missing.push(`one name: ${entry.name} in package.json, ${plugin.name} in the source`);
    if (has('sample.config.yaml')) missing.push(...(await sampleProblems(folder, entry.name, plugin.options)));
  }
  return missing;
}

function missingSections(readme: string): string[] {
  return README_SECTIONS.filter((title) => !new RegExp(`^##+ .*\\b(${title})\\b`, 'im').test(readme)).map(
    (title) => `a heading of README.md with ${title}`,
  );
}

/** The sample must be accepted as it stands, and name every option, commented out or not. */
async function sampleProblems(
  folder: string,
  name: string,
  schema: Parameters<typeof checkOptions>[0],
): Promise<string[]> {
  const text = readFileSync(join(folder, 'sample.config.yaml'), 'utf8');
  const config = parse(text) as { plugins?: Record<string, unknown> } | null;
  const checked = await checkOptions(schema, config?.plugins?.[name] ?? {});
  const refused = 'problems' in checked ? checked.problems.map(({ message }) => `a valid sample: ${message}`) : [];
  const known = schema as { shape?: object; in?: { shape?: object } } | undefined;
  const shape = known?.shape ?? known?.in?.shape ?? {};
  const unnamed = Object.keys(shape).filter((option) => !new RegExp(`^[\\s#]*${option}:`, 'm').test(text));
  return [...refused, ...unnamed.map((option) => `the option ${option} in sample.config.yaml`)];
}

t.test('every shipped plugin has all parts', async (t) => {
  const names = await readdir(join(ROOT, 'plugins'));
  t.not(names.length, 0);
  for (const name of names.sort()) t.same(await missingParts(join(ROOT, 'plugins', name)), [], name);
});

t.test('a folder without its parts is told so', async (t) => {
  const empty = await mkdtemp(join(tmpdir(), 'plugin-'));
  t.teardown(() => rm(empty, { recursive: true }));
  t.same(await missingParts(empty), ['package.json', 'README.md', 'sample.config.yaml', 'src', 'cases']);
});

const run = promisify(execFile);

t.test('a new plugin is complete and green at once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'new-plugin-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const script = join(ROOT, 'scripts/new-plugin.mjs');
  for (const kind of ['pollster', 'discovery', 'listener']) {
    const plugin = join(folder, `my-${kind}`);
    await run(process.execPath, [script, `my-${kind}`, '--kind', kind, '--dir', folder]);
    await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: plugin });
    const { stdout } = await run('npm', ['test'], {
      cwd: plugin,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' },
    });
    t.match(stdout, /pass 3\b[\s\S]*fail 0\b/, kind);
    t.same(await missingParts(plugin), [], `${kind}: parts`);
  }
  const refusal = (...args: string[]): Promise<string> =>
    run(process.execPath, [script, ...args, '--dir', folder]).then(
      () => 'made',
      ({ stderr }: { stderr: string }) => stderr,
    );
  t.match(await refusal('my-pollster'), /is there already/);
  t.match(await refusal('My Plugin'), /is no plugin name/);
  t.match(await refusal('x', '--kind', 'pump'), /"pump" is no kind of plugin/);
});

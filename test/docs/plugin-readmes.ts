import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPlugins, importPlugin } from '@nephometer/core';
import type { AnyPlugin } from '@nephometer/core';
import { z } from 'zod';
import type { SchemaNode } from 'nephometer';
import { typeText } from './config-page.ts';
import { markdownTable } from './page.ts';
import type { Page } from './page.ts';

/** READMEs of the shipped plugins, with the tables between their markers written anew. */
export async function pluginReadmes(root: string): Promise<Page[]> {
  const folders = readdirSync(join(root, 'plugins')).sort();
  const pages = await Promise.all(folders.map((name) => pluginReadme(root, `plugins/${name}`)));
  return pages.filter((page) => page !== null);
}

async function pluginReadme(root: string, folder: string): Promise<Page | null> {
  const path = `${folder}/README.md`;
  const entries = (await findPlugins([join(root, folder)])).filter((entry) => entry.folder === join(root, folder));
  if (!existsSync(join(root, path)) || entries[0] === undefined) return null;
  const plugin = await importPlugin(entries[0]);
  const before = readFileSync(join(root, path), 'utf8');
  return { path, text: fill(fill(before, 'meters', metersTable(plugin)), 'options', optionsTable(plugin)) };
}

/** Replaces what stands between `<!-- name -->` and the next `<!-- /name -->`. */
function fill(text: string, name: string, table: string | null): string {
  if (table === null) return text;
  const between = new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`);
  return text.replace(between, (_all, open: string, close: string) => `${open}\n\n${table}\n\n${close}`);
}

function metersTable(plugin: AnyPlugin): string | null {
  if (plugin.kind !== 'pollster' || plugin.meters === 'dynamic') return null;
  const rows = Object.entries(plugin.meters).map(([meter, { unit, type, description }]) => [
    `\`${meter}\``,
    type,
    unit,
    description,
  ]);
  return markdownTable(['meter', 'type', 'unit', 'what it is'], rows);
}

function optionsTable(plugin: AnyPlugin): string | null {
  if (plugin.options === undefined) return 'None.';
  if (plugin.options['~standard'].vendor !== 'zod') return null;
  const schema = z.toJSONSchema(plugin.options as unknown as z.ZodType, {
    io: 'input',
    unrepresentable: 'any',
  }) as SchemaNode;
  const rows = Object.entries(schema.properties ?? {}).map(([key, node]) => [
    `\`${key}\``,
    typeText(node),
    node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``,
    node.description ?? '',
  ]);
  return rows.length === 0 ? 'None.' : markdownTable(['option', 'type', 'default', 'meaning'], rows);
}

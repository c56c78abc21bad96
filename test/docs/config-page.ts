import { ENVIRONMENT } from '@nephometer/core';
import { configSchema, isSection } from 'nephometer';
import type { SchemaNode } from 'nephometer';
import { GENERATED_NOTE, markdownTable } from './page.ts';

/** Reference of the configuration, from the schema that checks it. */
export function configPage(): string {
  const keys = rowsOf(configSchema(), '');
  const environment = Object.entries(ENVIRONMENT).map(([name, means]) => [`\`${name}\``, means]);
  return `${GENERATED_NOTE}

# Configuration

One YAML file for every role. Every key is optional. \`nephometer config init\` writes a file with all of them,
\`nephometer config check\` says what is wrong with one, \`nephometer config show\` shows it with every default.
Durations carry a unit (\`90s\`, \`10m\`, \`PT1H\`), sizes too (\`64KiB\`, \`1GB\`).

${markdownTable(['key', 'type', 'default', 'meaning'], keys)}

## Environment

Flags win over the environment, the environment over the file.

${markdownTable(['variable', 'stands for'], environment)}
`;
}

function rowsOf(node: SchemaNode, prefix: string): string[][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, below]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (isSection(below)) return rowsOf(below, path);
    const items = below.items !== undefined && isSection(below.items) ? rowsOf(below.items, `${path}[]`) : [];
    return [rowOf(path, below), ...items];
  });
}

function rowOf(path: string, node: SchemaNode): string[] {
  const value = node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``;
  return [`\`${path}\``, typeText(node), value, node.description ?? ''];
}

export function typeText(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.type === 'array') return `list of ${node.items === undefined ? 'anything' : typeText(node.items)}`;
  const types: unknown = node.type;
  if (Array.isArray(types)) return types.map((type) => typeText({ ...node, type: String(type) })).join(' or ');
  return { object: 'mapping', integer: 'whole number', string: 'text' }[node.type ?? ''] ?? node.type ?? 'anything';
}

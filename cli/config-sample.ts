import { stringify } from 'yaml';
import { configSchema, isSection } from './schema-walk.ts';
import type { SchemaNode } from './schema-walk.ts';

const HEAD = `# Configuration of Nephometer. Every key is optional; what is commented out shows the default.
# Check it with: nephometer config check --config FILE
`;

/** A configuration file that names every key, commented out, with its default and meaning. */
export function sampleConfig(): string {
  return `${HEAD}\n${sectionText(configSchema(), 0)}`;
}

function sectionText(section: SchemaNode, depth: number): string {
  return Object.entries(section.properties ?? {})
    .map(([key, node]) => (isSection(node) ? subsection(key, node, depth) : keyText(key, node, depth)))
    .join('\n');
}

function subsection(key: string, node: SchemaNode, depth: number): string {
  return `${comment(node, depth)}${line(depth, `${key}:`)}${sectionText(node, depth + 1)}`;
}

function keyText(key: string, node: SchemaNode, depth: number): string {
  const value =
    node.default === undefined
      ? ''
      : stringify({ [key]: node.default })
          .trimEnd()
          .slice(key.length + 1);
  const [first = '', ...rest] = value.split('\n');
  const text = `${line(depth, `${key}:${first}`)}${rest.map((below) => line(depth, below)).join('')}`;
  return comment(node, depth) + text;
}

function comment(node: SchemaNode, depth: number): string {
  const choices = node.enum === undefined ? '' : ` One of: ${node.enum.join(', ')}.`;
  const text = `${node.description ?? ''}${choices}`.trim();
  return text === '' ? '' : `${'  '.repeat(depth)}# ${text}\n`;
}

function line(depth: number, text: string): string {
  return `#${'  '.repeat(depth)}${text}\n`;
}

import { Config } from '@nephometer/core';
import { z } from 'zod';

/** The parts of a JSON Schema that the reference and the sample file show. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The schema of the configuration as a user writes it. */
export function configSchema(): SchemaNode {
  return z.toJSONSchema(Config, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
}

/** A section has keys of its own; everything else is a value. */
export function isSection(node: SchemaNode): boolean {
  return node.properties !== undefined;
}

/** Every default, as a user would write it. */
export function schemaDefaults(section: SchemaNode): Record<string, unknown> {
  const entries = Object.entries(section.properties ?? {}).map(([key, node]): [string, unknown] => [
    key,
    isSection(node) ? schemaDefaults(node) : node.default,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, YAMLMap } from 'yaml';
import { JsonNumber } from '@nephometer/core/plugin';
import { DefinitionError, LOOKUP_FIELDS, TYPES } from './definition.ts';
import type { Field, LookupField, MetadataPart, MeterDefinition, VolumeSource } from './definition.ts';
import { parseExpression } from './jsonpath.ts';
import type { Expression } from './jsonpath.ts';

const REQUIRED = ['name', 'event_type', 'type', 'unit', 'volume', 'resource_id'];
const KEYS = [...REQUIRED, 'user_id', 'project_id', 'timestamp', 'metadata', 'user_metadata', 'lookup'];

/** Reads the definitions of one meters.yaml text, in its order. @throws DefinitionError for the first thing that is wrong */
export function readDefinitions(text: string, file: string): MeterDefinition[] {
  return new FileReader(text, file).read();
}

class FileReader {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  /** Name of the definition being read, for messages. */
  #definition = '';

  constructor(text: string, file: string) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines });
  }

  read(): MeterDefinition[] {
    const [broken] = this.#document.errors;
    if (broken !== undefined) this.#failAt(broken.linePos?.[0].line ?? 1, '', broken.message.split('\n', 1)[0] ?? '');
    const root = this.#document.contents;
    if (!isMap(root)) return this.#fail(root, '', 'must be a map with the key metric');
    const metric = this.#members(root).get('metric');
    if (!isSeq(metric)) return this.#fail(metric ?? root, 'metric', 'must be a list of definitions');
    return metric.items.map((item) => {
      const node = this.#resolved(asNode(item));
      this.#definition = '';
      return isMap(node) ? this.#one(node) : this.#fail(node, 'metric', 'must hold maps only, one a definition');
    });
  }

  #one(node: YAMLMap): MeterDefinition {
    const members = this.#members(node);
    this.#definition = scalarText(members.get('name')) ?? '';
    for (const key of members.keys()) {
      if (!KEYS.includes(key)) this.#fail(members.get(key), key, `is not known; known are ${KEYS.join(', ')}`);
    }
    for (const key of REQUIRED) if (isNothing(members.get(key))) this.#fail(node, key, 'is missing');
    const expression = (key: string): Expression | null =>
      isNothing(members.get(key)) ? null : this.#expression(members.get(key), key);
    const owner = (key: string): Expression | null | undefined => (members.has(key) ? expression(key) : undefined);
    const lookup = this.#lookup(members.get('lookup'));
    return {
      place: `${this.#file}:${this.#lineOf(node)}`,
      name: this.#field(members.get('name'), 'name'),
      eventTypes: this.#texts(members.get('event_type'), 'event_type').map(([one, at]) => this.#eventType(one, at)),
      type: this.#type(members.get('type'), lookup),
      unit: this.#field(members.get('unit'), 'unit'),
      volume: this.#volume(members.get('volume')),
      resourceId: this.#expression(members.get('resource_id'), 'resource_id'),
      userId: owner('user_id'),
      projectId: owner('project_id'),
      timestamp: expression('timestamp'),
      metadata: this.#metadata(members.get('metadata')),
      userMetadata: expression('user_metadata'),
      lookup,
    };
  }

  /** Members by name, those that `<<` brings in too. */
  #members(node: YAMLMap): Map<string, Node> {
    const members = new Map<string, Node>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (name !== '<<') {
        members.set(name, this.#resolved(asNode(value)) ?? node);
        continue;
      }
      for (const merged of sequence(this.#resolved(asNode(value)))) {
        const below = this.#resolved(merged);
        if (!isMap(below)) this.#fail(node, '<<', 'must be a map, or a list of maps');
        else for (const [inner, one] of this.#members(below)) if (!members.has(inner)) members.set(inner, one);
      }
    }
    return members;
  }

  /** What an alias stands for. */
  #resolved(node: Node | undefined): Node | undefined {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  #lookup(node: Node | undefined): ReadonlySet<LookupField> {
    if (isNothing(node)) return new Set();
    const fields = this.#texts(node, 'lookup').map(([text, at]) => {
      const field = LOOKUP_FIELDS.find((known) => known === text);
      return field ?? this.#fail(at, 'lookup', `names ${text}; possible are ${LOOKUP_FIELDS.join(', ')}`);
    });
    return new Set(fields);
  }

  #type(node: Node | undefined, lookup: ReadonlySet<LookupField>): Field {
    const field = this.#field(node, 'type');
    if (lookup.has('type') || TYPES.some((type) => type === field.literal)) return field;
    return this.#fail(node, 'type', `is ${field.literal}; it must be ${TYPES.join(', ')}, or stand in lookup`);
  }

  #eventType(source: string, node: Node): RegExp {
    try {
      return new RegExp(`^(?:${source})`, 's');
    } catch (cause) {
      return this.#fail(node, 'event_type', `is no regular expression: ${textOf(cause)}`);
    }
  }

  #volume(node: Node | undefined): VolumeSource {
    if (!isMap(node)) return { expression: this.#expression(node, 'volume'), plugin: null };
    const members = this.#members(node);
    for (const key of members.keys()) {
      if (key !== 'fields' && key !== 'plugin')
        this.#fail(members.get(key), `volume.${key}`, 'is not known; known are fields, plugin');
    }
    const expression = this.#expression(members.get('fields'), 'volume.fields');
    const plugin = members.get('plugin');
    if (isNothing(plugin)) return { expression, plugin: null };
    const name = scalarText(plugin) ?? scalarText(isMap(plugin) ? this.#members(plugin).get('name') : undefined);
    if (name === 'timedelta') return { expression, plugin: name };
    return this.#fail(plugin, 'volume.plugin', `is ${name ?? 'no name'}; only timedelta is known here`);
  }

  /** A map of names; or, to take objects as they are, a path or a list of paths and maps. */
  #metadata(node: Node | undefined): MetadataPart[] {
    if (isNothing(node)) return [];
    return sequence(node).map((one): MetadataPart => {
      const part = this.#resolved(one);
      if (!isMap(part)) return { kind: 'object', expression: this.#expression(part, 'metadata') };
      const fields = [...this.#members(part)].map(([name, value]) => {
        return [name, this.#expression(value, `metadata.${name}`)] as const;
      });
      return { kind: 'named', fields: new Map(fields) };
    });
  }

  /** A text that may be a plain word. */
  #field(node: Node | undefined, key: string): Field {
    const literal = scalarText(node);
    if (literal === null) return this.#fail(node, key, 'must be a text');
    if (literal.includes('$')) return { literal, expression: this.#expression(node, key) };
    try {
      return { literal, expression: parseExpression(literal) };
    } catch {
      return { literal, expression: null };
    }
  }

  /** A path, a number, or a list of paths of which the first that finds something counts. */
  #expression(node: Node | undefined, key: string): Expression {
    if (isSeq(node)) {
      const each = node.items.map((item) => this.#expression(this.#resolved(asNode(item)), key));
      const [first, ...rest] = each;
      if (first === undefined) return this.#fail(node, key, 'is an empty list; name at least one path');
      return rest.reduce((left, right) => ({ kind: 'union', left, right }), first);
    }
    if (isScalar(node) && typeof node.value === 'number') {
      return { kind: 'literal', value: new JsonNumber(node.source ?? String(node.value)) };
    }
    const text = scalarText(node);
    if (text === null) return this.#fail(node, key, 'must be a JSONPath, a number or a list of JSONPaths');
    try {
      return parseExpression(text);
    } catch (cause) {
      return this.#fail(node, key, textOf(cause));
    }
  }

  #texts(node: Node | undefined, key: string): [text: string, node: Node][] {
    return sequence(node).map((one) => {
      const part = this.#resolved(one) ?? one;
      return [scalarText(part) ?? this.#fail(part, key, 'must be a text or a list of texts'), part];
    });
  }

  #lineOf(node: Node | null | undefined): number {
    return this.#lines.linePos(node?.range?.[0] ?? 0).line;
  }

  #fail(node: Node | null | undefined, key: string, message: string): never {
    return this.#failAt(this.#lineOf(node), key, message);
  }

  #failAt(line: number, key: string, message: string): never {
    const definition = this.#definition === '' ? '' : ` definition ${this.#definition}:`;
    const subject = key === '' ? '' : ` ${key}`;
    throw new DefinitionError(`${this.#file}:${line}:${definition}${subject} ${message}`);
  }
}

function asNode(value: unknown): Node | undefined {
  return isNode(value) ? value : undefined;
}

function isNothing(node: Node | undefined): boolean {
  return node === undefined || (isScalar(node) && (node.value === null || node.value === ''));
}

/** The items of a list, or the one thing that stands in its place. */
function sequence(node: Node | undefined): Node[] {
  if (isSeq(node)) return node.items.flatMap((item) => asNode(item) ?? []);
  return node === undefined ? [] : [node];
}

function scalarText(node: Node | undefined): string | null {
  return isScalar(node) && typeof node.value === 'string' ? node.value : null;
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

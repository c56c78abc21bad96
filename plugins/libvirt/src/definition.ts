import { XMLParser } from 'fast-xml-parser';

/** What Nova wrote into the definition of a guest. */
export interface NovaMetadata {
  readonly displayName: string | null;
  readonly projectId: string | null;
  readonly userId: string | null;
  readonly imageId: string | null;
  /** Memory in MiB, disks and swap as Nova has them: GiB, GiB and MiB. */
  readonly flavor: {
    readonly id: string;
    readonly name: string;
    readonly vcpus: number;
    readonly ram: number;
    readonly disk: number;
    readonly ephemeral: number;
    readonly swap: number;
  } | null;
}

export interface InterfaceDefinition {
  readonly mac: string | null;
  /** Name of the network filter. */
  readonly filter: string | null;
  /** Of the filter; `interfaceid` (the port) and `bridge` beside them. */
  readonly parameters: Readonly<Record<string, string | null>>;
}

/** The parts of a guest's definition that samples tell of. */
export interface Definition {
  readonly uuid: string;
  readonly title: string | null;
  readonly osType: string | null;
  readonly architecture: string | null;
  readonly nova: NovaMetadata | null;
  /** Devices of disks that hold something: a CD-ROM drive without a medium does not. */
  readonly disks: ReadonlySet<string>;
  readonly interfaces: ReadonlyMap<string, InterfaceDefinition>;
}

const LISTS = new Set([
  'domain.devices.disk',
  'domain.devices.interface',
  'domain.devices.interface.filterref.parameter',
]);

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (_name, path) => LISTS.has(String(path)),
});

/** Concatenated output of several `virsh dumpxml`: one text a guest. */
export function splitDefinitions(text: string): readonly string[] {
  return text.match(/<domain[\s>].*?<\/domain>/gs) ?? [];
}

/** @throws Error when the text is not the definition of a guest */
export function parseDefinition(xml: string): Definition {
  const domain = at(parser.parse(xml) as unknown, 'domain');
  const uuid = textAt(domain, 'uuid');
  if (uuid === null) throw new Error('the definition has no uuid');
  // The parser drops namespaces, and with them what tells Nova's `instance` from another's.
  const isNova = /xmlns(?::\w+)?=["']http:\/\/openstack\.org\/xmlns\/libvirt\/nova\//.test(xml);
  const instance = isNova ? at(domain, 'metadata', 'instance') : undefined;
  return {
    uuid,
    title: textAt(domain, 'title'),
    osType: textAt(domain, 'os', 'type'),
    architecture: textAt(domain, 'os', 'type', '@arch'),
    nova: instance === undefined ? null : novaMetadata(instance),
    disks: new Set(diskNames(domain)),
    interfaces: new Map(interfaces(domain)),
  };
}

function novaMetadata(instance: unknown): NovaMetadata {
  const flavor = at(instance, 'flavor');
  const name = textAt(flavor, '@name');
  const number = (key: string): number => Number(textAt(flavor, key) ?? '0') || 0;
  return {
    displayName: textAt(instance, 'name'),
    projectId: textAt(instance, 'owner', 'project', '@uuid'),
    userId: textAt(instance, 'owner', 'user', '@uuid'),
    imageId: textAt(instance, 'root', '@type') === 'image' ? textAt(instance, 'root', '@uuid') : null,
    flavor:
      name === null
        ? null
        : {
            id: textAt(flavor, '@id') ?? name,
            name,
            vcpus: number('vcpus'),
            ram: number('memory'),
            disk: number('disk'),
            ephemeral: number('ephemeral'),
            swap: number('swap'),
          },
  };
}

function diskNames(domain: unknown): string[] {
  return listAt(domain, 'devices', 'disk').flatMap((disk) => {
    const name = textAt(disk, 'target', '@dev');
    return name === null || at(disk, 'source') === undefined ? [] : [name];
  });
}

function interfaces(domain: unknown): [string, InterfaceDefinition][] {
  return listAt(domain, 'devices', 'interface').flatMap((one) => {
    const name = textAt(one, 'target', '@dev');
    if (name === null) return [];
    const parameters = listAt(one, 'filterref', 'parameter').map((parameter) => [
      (textAt(parameter, '@name') ?? '').toLowerCase(),
      textAt(parameter, '@value'),
    ]);
    const definition: InterfaceDefinition = {
      mac: textAt(one, 'mac', '@address'),
      filter: textAt(one, 'filterref', '@filter'),
      parameters: {
        ...(Object.fromEntries(parameters) as Record<string, string | null>),
        interfaceid: textAt(one, 'virtualport', 'parameters', '@interfaceid'),
        bridge: textAt(one, 'source', '@bridge'),
      },
    };
    return [[name, definition]];
  });
}

/** What stands at a path of the parsed text; undefined without it. */
function at(node: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined,
    node,
  );
}

function listAt(node: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = at(node, ...path);
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** Text of an element (with or without attributes) or of an attribute; null without one. */
function textAt(node: unknown, ...path: readonly string[]): string | null {
  const value = at(node, ...path);
  const text = typeof value === 'object' && value !== null ? at(value, '#text') : value;
  return typeof text === 'string' && text !== '' ? text : null;
}

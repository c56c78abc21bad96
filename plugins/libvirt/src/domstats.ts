/** Statistics of one guest, by their names in `virsh domstats` (`cpu.time`, `block.0.name`), digit for digit. */
export type Stats = ReadonlyMap<string, string>;

/** A line of `virsh list --all --uuid --name --id`. */
export interface ListedGuest {
  readonly uuid: string;
  readonly name: string;
  /** Changes with each start; null while it is off, or where virsh does not tell. */
  readonly domainId: string | null;
}

export interface Listing {
  readonly guests: readonly ListedGuest[];
  /** By the guest's name, which is unique at one moment. */
  readonly stats: ReadonlyMap<string, Stats>;
}

const LISTED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) +(.*)$/;
const LISTED_WITH_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) +(\d+|-) +(.*)$/;

/** Output of `list`, then of `domstats --raw`. Lines of another form are left alone: statistics come and go. */
export function parseListing(text: string, hasIds: boolean): Listing {
  const guests: ListedGuest[] = [];
  const stats = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.split('\n')) {
    const name = /^Domain: '(.*)'$/.exec(line)?.[1];
    if (name !== undefined) stats.set(name, (current = new Map()));
    else if (current === undefined) guests.push(...parseListed(line, hasIds));
    else {
      const [, key, value] = /^ {2}([\w.-]+)=(.*)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) current.set(key, value);
    }
  }
  return { guests, stats };
}

function parseListed(line: string, hasIds: boolean): ListedGuest[] {
  const [, uuid, ...rest] = (hasIds ? LISTED_WITH_ID : LISTED).exec(line.trimEnd()) ?? [];
  const name = rest.at(-1);
  if (uuid === undefined || name === undefined) return [];
  const id = hasIds ? rest[0] : undefined;
  return [{ uuid, name, domainId: id === undefined || id === '-' ? null : id }];
}

/** One disk or interface: its statistics without the `block.0.` in front. */
export interface Device {
  readonly name: string;
  readonly get: (field: string) => string | undefined;
}

/** Disks (`block`) or interfaces (`net`) of a guest, in libvirt's order. */
export function devicesOf(stats: Stats, kind: 'block' | 'net'): readonly Device[] {
  const count = Number(stats.get(`${kind}.count`) ?? '0');
  const devices = Array.from({ length: count }, (_, index) => {
    const get = (field: string): string | undefined => stats.get(`${kind}.${index}.${field}`);
    return { name: get('name') ?? '', get };
  });
  return devices.filter(({ name }) => name !== '');
}

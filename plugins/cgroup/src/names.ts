import type { Kind } from './config.ts';

/** What the path of a control group says of it. */
export interface Identity {
  readonly kind: Kind;
  readonly name: string;
  readonly containerId?: string;
  readonly podUid?: string;
  readonly runtime?: string;
  /** Of a pod: `guaranteed`, `burstable`, `besteffort`. */
  readonly qos?: string;
  readonly uid?: number;
}

const ID = '[0-9a-f]{64}';
const POD_UID = '[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12}';

/** By the prefix that a runtime puts before the id. */
const RUNTIMES: Readonly<Record<string, string>> = {
  docker: 'docker',
  libpod: 'podman',
  'libpod-payload': 'podman',
  crio: 'cri-o',
  'cri-containerd': 'containerd',
  nerdctl: 'containerd',
};

const NAMED_CONTAINER = new RegExp(`^(docker|libpod|libpod-payload|crio|cri-containerd|nerdctl)-(${ID})(?:\\.scope)?$`);
const PLAIN_CONTAINER = new RegExp(`^${ID}$`);
/** What a containerd that does not know of systemd makes of the path that a kubelet with systemd asks for. */
const COLON_CONTAINER = new RegExp(`^.*pod(${POD_UID})\\.slice:([\\w-]+):(${ID})$`);
const POD_SLICE = new RegExp(`^(?:\\S+-)?kubepods(?:-(besteffort|burstable))?-pod(${POD_UID})\\.slice$`);
const POD_FOLDER = new RegExp(`^pod(${POD_UID})$`);
const PODMAN_POD = new RegExp(`^(?:\\S+-)?libpod_pod_(${ID})\\.slice$`);

type Rule = (segment: string, parents: readonly string[]) => Identity | null;

/** The first that knows a name counts; parents are the segments before it, the root's first. */
const RULES: readonly Rule[] = [podOf, containerOf, lxcOf, machineOf, userOf, unitOf];

/** What the group at this path is; one that nobody knows is of the kind `other`. */
export function identify(segments: readonly string[]): Identity {
  const segment = segments.at(-1) ?? '';
  const parents = segments.slice(0, -1);
  for (const rule of RULES) {
    const identity = rule(segment, parents);
    if (identity !== null) return identity;
  }
  return { kind: 'other', name: segment };
}

function podOf(segment: string, parents: readonly string[]): Identity | null {
  const [, qos, sliceUid] = POD_SLICE.exec(segment) ?? [];
  if (sliceUid !== undefined) return pod(sliceUid, qos ?? 'guaranteed');
  const folderUid = POD_FOLDER.exec(segment)?.[1];
  if (folderUid !== undefined && parents.some((one) => one.startsWith('kubepods'))) {
    const parent = parents.at(-1) ?? '';
    return pod(folderUid, ['besteffort', 'burstable'].includes(parent) ? parent : 'guaranteed');
  }
  const podman = PODMAN_POD.exec(segment)?.[1];
  return podman === undefined ? null : { kind: 'pod', name: podman.slice(0, 12), podUid: podman, runtime: 'podman' };
}

function pod(text: string, qos: string): Identity {
  const podUid = text.replaceAll('_', '-');
  return { kind: 'pod', name: podUid, podUid, qos };
}

function containerOf(segment: string, parents: readonly string[]): Identity | null {
  const [, prefix, id] = NAMED_CONTAINER.exec(segment) ?? [];
  if (prefix !== undefined && id !== undefined) return container(id, RUNTIMES[prefix], podUidOf(parents));
  const [, podUid, runtime = '', colonId] = COLON_CONTAINER.exec(segment) ?? [];
  if (colonId !== undefined) return container(colonId, RUNTIMES[runtime], podUid?.replaceAll('_', '-'));
  if (!PLAIN_CONTAINER.test(segment)) return null;
  const parent = parents.at(-1) ?? '';
  return container(segment, parent === 'docker' ? 'docker' : undefined, podUidOf(parents));
}

function container(containerId: string, runtime: string | undefined, podUid: string | undefined): Identity {
  return {
    kind: 'container',
    name: containerId.slice(0, 12),
    containerId,
    ...(runtime === undefined ? {} : { runtime }),
    ...(podUid === undefined ? {} : { podUid }),
  };
}

function podUidOf(parents: readonly string[]): string | undefined {
  const parent = parents.at(-1);
  return parent === undefined ? undefined : podOf(parent, parents.slice(0, -1))?.podUid;
}

/** `lxc/NAME`, `lxc.payload/NAME`, `lxc.payload.NAME`. What watches over a container is none (`lxc.monitor.NAME`). */
function lxcOf(segment: string, parents: readonly string[]): Identity | null {
  const parent = parents.at(-1) ?? '';
  const name = /^lxc\.payload\.(.+)$/.exec(segment)?.[1] ?? (/^lxc(?:\.payload)?$/.test(parent) ? segment : undefined);
  return name === undefined ? null : { kind: 'container', name, runtime: 'lxc' };
}

/** Virtual machines and containers that systemd or libvirt started. */
function machineOf(segment: string, parents: readonly string[]): Identity | null {
  const scope = /^machine-(.+)\.scope$/.exec(segment)?.[1];
  const libvirt = parents.at(-1) === 'machine' ? /^(.+)\.libvirt-(?:qemu|lxc)$/.exec(segment)?.[1] : undefined;
  const nspawn = /^systemd-nspawn@(.+)\.service$/.exec(segment)?.[1];
  const name = unescapeUnit(scope ?? libvirt ?? nspawn ?? '');
  if (name === '') return null;
  if (name.startsWith('qemu-')) return { kind: 'machine', name, runtime: 'qemu' };
  const isLxc = name.startsWith('lxc-') && nspawn === undefined;
  return { kind: 'container', name, runtime: isLxc ? 'libvirt-lxc' : 'systemd-nspawn' };
}

function userOf(segment: string): Identity | null {
  const uid = /^user-(\d+)\.slice$/.exec(segment)?.[1];
  return uid === undefined ? null : { kind: 'user', name: segment, uid: Number(uid) };
}

function unitOf(segment: string): Identity | null {
  const kind = /\.(service|slice|scope)$/.exec(segment)?.[1];
  return kind === undefined ? null : { kind: kind as 'service' | 'slice' | 'scope', name: unescapeUnit(segment) };
}

/** systemd writes bytes that a unit's name may not have as `\x2d`. */
function unescapeUnit(name: string): string {
  return name.replace(/(?:\\x[0-9a-f]{2})+/g, (escaped) => {
    const bytes = escaped.match(/[0-9a-f]{2}/g) ?? [];
    return Buffer.from(bytes.join(''), 'hex').toString('utf8');
  });
}

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';

/** A running guest and what Nova's metadata say of it. */
export interface Guest {
  readonly name: string;
  readonly uuid: string;
  /** Of its QEMU process. */
  readonly pid: number;
  readonly displayName: string;
  readonly projectId: string;
  readonly userId: string;
  readonly imageId: string;
  readonly flavor: {
    readonly name: string;
    readonly memoryMiB: number;
    readonly vcpus: number;
    readonly diskGiB: number;
  };
}

const SECTOR = 512;

/**
 * A 1 MiB disk whose boot sector does, at every tick of the PC's timer (18.2 times a second): read sector 2, write
 * sector 3. So CPU time and disk counters of the guest grow without an operating system.
 */
export function tickingBootDisk(): Buffer {
  const code = machineCode(`
    31 c0     xor ax, ax
    8e d8     mov ds, ax
    8e c0     mov es, ax
    8e d0     mov ss, ax
    bc 00 7c  mov sp, 0x7c00
    fb        sti
              tick:           ; dl is the boot drive all along
    f4        hlt
    b1 02     mov cl, 2       ; sector
    b8 01 02  mov ax, 0x0201  ; read one
    e8 0a 00  call disk
    b1 03     mov cl, 3
    b8 01 03  mov ax, 0x0301  ; write one
    e8 02 00  call disk
    eb ed     jmp tick
              disk:
    b5 00     mov ch, 0       ; cylinder
    b6 00     mov dh, 0       ; head
    bb 00 80  mov bx, 0x8000  ; buffer
    cd 13     int 0x13
    c3        ret
  `);
  const disk = Buffer.alloc(1024 * 1024);
  disk.set(code);
  disk.set([0x55, 0xaa], SECTOR - 2); // what makes a sector bootable
  return disk;
}

/** The bytes of an assembler's listing: two hexadecimal digits each, at the beginning of its lines. */
function machineCode(listing: string): Buffer {
  const columns = listing.split('\n').map((line) => /^ {4}((?:[0-9a-f]{2} )+)/.exec(line)?.[1] ?? '');
  return Buffer.from(columns.join('').replaceAll(' ', ''), 'hex');
}

/** The definition of a guest as Nova 2024 writes it, with a name and ids of its own. */
export function domainXml({ index, disk }: { index: number; disk: string }): Omit<Guest, 'pid'> & { xml: string } {
  const uuid = randomUUID();
  const name = `instance-${uuid.slice(0, 8)}`;
  const guest = {
    name,
    uuid,
    displayName: `guest ${index} & co`,
    projectId: randomUUID().replaceAll('-', ''),
    userId: randomUUID().replaceAll('-', ''),
    imageId: randomUUID(),
    flavor: { name: 'm1.nano', memoryMiB: 16, vcpus: 1, diskGiB: 1 },
  };
  const { flavor } = guest;
  const xml = `
<domain type="qemu">
  <name>${name}</name>
  <uuid>${uuid}</uuid>
  <metadata>
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:package version="29.0.1"/>
      <nova:name>${guest.displayName.replaceAll('&', '&amp;')}</nova:name>
      <nova:creationTime>2026-01-01 00:00:00</nova:creationTime>
      <nova:flavor name="${flavor.name}">
        <nova:memory>${flavor.memoryMiB}</nova:memory>
        <nova:disk>${flavor.diskGiB}</nova:disk>
        <nova:swap>0</nova:swap>
        <nova:ephemeral>0</nova:ephemeral>
        <nova:vcpus>${flavor.vcpus}</nova:vcpus>
      </nova:flavor>
      <nova:owner>
        <nova:user uuid="${guest.userId}">demo</nova:user>
        <nova:project uuid="${guest.projectId}">demo</nova:project>
      </nova:owner>
      <nova:root type="image" uuid="${guest.imageId}"/>
    </nova:instance>
  </metadata>
  <memory unit="MiB">${flavor.memoryMiB}</memory>
  <vcpu>${flavor.vcpus}</vcpu>
  <os>
    <type arch="x86_64" machine="pc">hvm</type>
    <boot dev="hd"/>
  </os>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type="file" device="disk">
      <driver name="qemu" type="raw" cache="writeback"/>
      <source file="${disk}"/>
      <target dev="vda" bus="virtio"/>
    </disk>
    ${networkInterface(uuid)}
    <memballoon model="virtio"><stats period="5"/></memballoon>
  </devices>
  <seclabel type="none"/>
</domain>
`;
  return { ...guest, xml };
}

/** A tap device, where the kernel has them; its name and address come from the guest's uuid. */
function networkInterface(uuid: string): string {
  if (!existsSync('/dev/net/tun')) return '';
  const mac = ['fa', '16', '3e', ...[0, 2, 4].map((at) => uuid.slice(at, at + 2))].join(':');
  return `<interface type="ethernet">
      <mac address="${mac}"/>
      <target dev="tap${uuid.slice(0, 8)}"/>
      <model type="e1000"/>
    </interface>`;
}

import t from 'tap';
import { identify } from './names.ts';

const ID = 'ab'.repeat(32);
const UID = '5f3c2c1e-52b5-4b0d-9d2b-6a6a1f3f8b10';

/** Path, then kind, name and runtime; ID and UID stand for a container's and a pod's. */
const TABLE = `
  /docker/ID                                                     container  ID12              docker
  /system.slice/docker-ID.scope                                  container  ID12              docker
  /custom/parent/ID                                              container  ID12              -
  /machine.slice/libpod-ID.scope                                 container  ID12              podman
  /libpod_parent/libpod-ID                                       container  ID12              podman
  /system.slice/web.service/libpod-payload-ID                    container  ID12              podman
  /machine.slice/libpod-conmon-ID.scope                          scope      libpod-conmon-ID.scope  -
  /system.slice/nerdctl-ID.scope                                 container  ID12              containerd
  /k8s.io/ID                                                     container  ID12              -
  /kubepods/burstable/podUID/crio-ID                             container  ID12              cri-o
  /kubepods.slice/x.slice/crio-conmon-ID.scope                   scope      crio-conmon-ID.scope    -
  /kubepods/podUID                                               pod        UID               -
  /kubelet/kubepods/besteffort/podUID                            pod        UID               -
  /podUID                                                        other      podUID            -
  /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_ID.slice  pod  UID         -
  /kubelet.slice/kubelet-kubepods-podU_ID.slice                  pod        UID               -
  /kubepods.slice                                                slice      kubepods.slice    -
  /lxc/web                                                       container  web               lxc
  /lxc.payload/web                                               container  web               lxc
  /lxc.payload.web                                               container  web               lxc
  /lxc.monitor.web                                               other      lxc.monitor.web   -
  /machine.slice/machine-qemu\\x2d1\\x2dinstance\\x2d00000001.scope  machine  qemu-1-instance-00000001  qemu
  /machine/qemu-1-instance-00000001.libvirt-qemu                 machine    qemu-1-instance-00000001  qemu
  /machine.slice/machine-build.scope                             container  build             systemd-nspawn
  /system.slice/systemd-nspawn@build.service                     container  build             systemd-nspawn
  /system.slice/ssh.service                                      service    ssh.service       -
  /system.slice/dev-disk\\x2dby.service                          service    dev-disk-by.service  -
  /system.slice/caf\\xc3\\xa9.service                            service    café.service      -
  /user.slice/user-1000.slice                                    user       user-1000.slice   -
  /user.slice                                                    slice      user.slice        -
  /user.slice/user-1000.slice/session-3.scope                    scope      session-3.scope   -
  /docker                                                        other      docker            -
  /docker/buildx                                                 other      buildx            -
  /init.scope                                                    scope      init.scope        -
`;

t.test('the path of a group tells what it is', (t) => {
  const rows = TABLE.trim().split('\n');
  for (const row of rows) {
    const spelled = row
      .replaceAll('ID12', ID.slice(0, 12))
      .replaceAll('U_ID', UID.replaceAll('-', '_'))
      .replaceAll('UID', UID)
      .replaceAll('ID', ID);
    const [path = '', kind, name, runtime] = spelled.trim().split(/ {2,}/);
    const found = identify(path.slice(1).split('/'));
    t.same([found.kind, found.name, found.runtime ?? '-'], [kind, name, runtime], row.trim());
  }
  t.end();
});

t.test('a container knows its pod, and a pod its class', (t) => {
  const pod = `kubepods-besteffort-pod${UID.replaceAll('-', '_')}.slice`;
  t.match(identify(['kubepods.slice', pod]), { podUid: UID, qos: 'besteffort' });
  t.match(identify(['kubepods.slice', pod, `cri-containerd-${ID}.scope`]), { containerId: ID, podUid: UID });
  t.match(identify(['kubepods', `pod${UID}`, ID]), { containerId: ID, podUid: UID });
  t.match(identify(['kubepods', `pod${UID}`]), { qos: 'guaranteed' });
  const mixed = `kubepods-pod${UID.replaceAll('-', '_')}.slice:cri-containerd:${ID}`;
  t.match(identify(['system.slice', 'containerd.service', mixed]), {
    containerId: ID,
    podUid: UID,
    runtime: 'containerd',
  });
  t.end();
});

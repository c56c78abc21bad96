import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '@nephometer/core';
import t from 'tap';
import { freePort, makeAuthority, startRabbit } from '../servers/index.ts';
import { makeBus } from './bus.amqp-kit.ts';
import { eventually, makePlace, message, rest, text } from './bus.kit.ts';

/** A broker that speaks TLS and takes only clients that its authority vouches for, and a second authority that it knows not. */
const folder = mkdtempSync(join(tmpdir(), 'nephometer-tls-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const authority = await makeAuthority(folder, 'authority');
const stranger = await makeAuthority(folder, 'stranger');
const broker = await authority.issue('broker', 'DNS:localhost,IP:127.0.0.1');
const ours = await authority.issue('agent');
const theirs = await stranger.issue('intruder');
const port = await freePort();
const rabbit = await startRabbit({
  config: `
listeners.ssl.1 = 127.0.0.1:${port}
ssl_options.cacertfile = ${authority.cert}
ssl_options.certfile = ${broker.cert}
ssl_options.keyfile = ${broker.key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true`,
});
t.teardown(() => rabbit.stop());

const url = `amqps://guest:guest@127.0.0.1:${port}`;
const tls = { ca_file: authority.cert, cert_file: ours.cert, key_file: ours.key };

t.test('messages go and come over TLS, each end knowing the other', async (t) => {
  const { exchange, queue, topology } = makePlace();
  const { bus } = makeBus(t, url, { tls });
  await bus.declare(topology);
  await bus.connect();
  await bus.publish(message(exchange, 'a.b', 'sealed'));
  t.same((await rest(bus, queue)).map(text), ['sealed']);
  t.match(await rabbit.ctl('list_connections', 'ssl', 'peer_cert_subject'), /true\s+CN=agent/);
});

const REFUSED: Record<string, { tls: NonNullable<ConfigInput['bus']>['tls']; says: RegExp }> = {
  'an authority that Node does not know': {
    tls: { cert_file: ours.cert, key_file: ours.key },
    says: /no authority that Node knows; name the right one in bus\.tls\.ca_file/,
  },
  'another authority than the one named': {
    tls: { ...tls, ca_file: stranger.cert },
    says: /none of the authorities in .*stranger\.pem; name the right one in bus\.tls\.ca_file/,
  },
  'another name than its certificate has': {
    tls: { ...tls, server_name: 'elsewhere.example.net' },
    says: /or that name in bus\.tls\.server_name/,
  },
  'no certificate of ours where it asks for one': {
    tls: { ca_file: authority.cert },
    says: /name ours in bus\.tls\.cert_file/,
  },
  'a certificate of ours that it does not trust': {
    tls: { ca_file: authority.cert, cert_file: theirs.cert, key_file: theirs.key },
    says: /Compare the certificates on both sides/,
  },
};

for (const [what, { tls, says }] of Object.entries(REFUSED)) {
  t.test(`no connection, and a line that says what to do: ${what}`, async (t) => {
    const { bus, lines } = makeBus(t, url, { tls });
    const connecting = bus.connect().catch((cause: unknown) => cause);
    await eventually(() => lines.some((line) => says.test(line)));
    t.equal(bus.status().state, 'connecting');
    await bus.close();
    await connecting;
  });
}

t.test('a certificate file that is not there ends the start and names the key', async (t) => {
  const { bus } = makeBus(t, url, { tls: { ...tls, key_file: join(folder, 'missing.key') } });
  await t.rejects(bus.connect(), { code: 'MTR_CONFIG', message: /bus\.tls\.key_file/ });
});

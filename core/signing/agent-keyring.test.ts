import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { defaultConfig } from '../config.ts';
import type { ConfigInput } from '../config.ts';
import { deriveAgentKey, generationOf } from './derived-key.ts';
import { assertVerifies, loadKeyring } from './keyring-file.ts';

const MASTER = '0123456789abcdef0123456789abcdef';

interface Test {
  testdir(content: Record<string, string>): string;
}

async function keyringOf(t: Test, files: Record<string, string>, signing: (folder: string) => ConfigInput['signing']) {
  const folder = t.testdir(files);
  return loadKeyring(defaultConfig({ signing: signing(folder) }), {});
}

t.test('a derived key is a function of master, agent and generation, and of nothing else', (t) => {
  const master = Buffer.from(MASTER);
  const hex = (agent: string, generation: number): string =>
    Buffer.from(deriveAgentKey(master, agent, generation)).toString('hex');
  // Worked out by another implementation of RFC 5869: salt `nephometer agent key 1`, info `6:node-11:1`.
  t.equal(hex('node-1', 1), 'c6f77d0ae1b7d4749c713192b8d5d6e1d99a66f67a6a168fe61041d51638a212');
  const all = [hex('node-1', 1), hex('node-1', 2), hex('node-11', 1), hex('node-', 11), hex('node-2', 1)];
  t.equal(new Set(all).size, all.length);
  t.same(
    [generationOf('m1'), generationOf('m12'), generationOf('m0'), generationOf('m01'), generationOf('x')],
    [1, 12, null, null, null],
  );
  t.end();
});

t.test('with a master key every agent has its own, and the shared secret signs for none', async (t) => {
  const keyring = await keyringOf(t, { master: `${MASTER}\n`, secret: 'telemetry' }, (folder) => {
    return { master_key_file: join(folder, 'master'), secret_file: join(folder, 'secret') };
  });
  t.ok(keyring.hasAgentKeys);
  t.match(keyring.signingKey('node-1'), { keyId: 'm1', agentId: 'node-1' });
  t.not(keyring.find('m1', 'node-1')?.secret, keyring.find('m1', 'node-2')?.secret);
  t.equal(keyring.find('shared', 'node-1'), null);
  t.equal(keyring.find('other', 'node-1'), null);
  t.equal(keyring.sharedKeys().length, 1);
});

t.test('while agents change over, the shared secret may still sign for them', async (t) => {
  const keyring = await keyringOf(t, { master: MASTER, secret: 'telemetry' }, (folder) => {
    const files = { master_key_file: join(folder, 'master'), secret_file: join(folder, 'secret') };
    return { ...files, accept_shared_batches: true };
  });
  t.match(keyring.find('shared', 'node-1'), { keyId: 'shared', agentId: null });
});

t.test('a listed key is found by its id and belongs to its agent; the newest that is valid signs', async (t) => {
  const files = { one: 'first secret', two: 'second secret', collectors: 'third secret' };
  const keyring = await keyringOf(t, files, (folder) => ({
    keys: [
      { key_id: 'a', agent_id: 'node-1', secret_file: join(folder, 'one'), valid_until: '2020-01-01T00:00:00Z' },
      { key_id: 'b', agent_id: 'node-1', secret_file: join(folder, 'two'), valid_from: '2019-12-01T00:00:00Z' },
      { key_id: 'c', agent_id: 'collector', secret_file: join(folder, 'collectors') },
    ],
  }));
  t.match(keyring.signingKey('node-1'), { keyId: 'b' });
  t.match(keyring.find('a', 'node-2'), { agentId: 'node-1' }, 'found, so that the refusal can say whose it is');
  t.match(keyring.signingKey('collector.host.1f'), { keyId: 'c', agentId: 'collector.host.1f' });
  t.throws(() => keyring.signingKey('node-2'), { code: 'MTR_KEY_MISSING', message: /node-2/ });
});

t.test('a key file signs for its agent alone, and knows the key before', async (t) => {
  const key = {
    key_id: 'm2',
    agent_id: 'node-1',
    secret: 'ab'.repeat(32),
    previous: { key_id: 'm1', secret: 'cd'.repeat(32) },
  };
  const keyring = await keyringOf(t, { key: JSON.stringify(key) }, (folder) => ({ key_file: join(folder, 'key') }));
  t.match(keyring.signingKey('node-1'), { keyId: 'm2' });
  t.equal(Buffer.from(keyring.find('m1', 'node-1')?.secret ?? []).toString('hex'), 'cd'.repeat(32));
  t.equal(keyring.find('m2', 'node-2'), null);
  t.throws(() => keyring.signingKey('node-2'), { message: /issued for agent node-1; this agent is node-2/ });
});

t.test('what is no key is refused without showing it', async (t) => {
  const folder = t.testdir({});
  const refused = async (name: string, content: string, key: 'key_file' | 'master_key_file', message: RegExp) => {
    const path = join(folder, name);
    await writeFile(path, content);
    await t.rejects(loadKeyring(defaultConfig({ signing: { [key]: path } }), {}), { code: 'MTR_KEY_MISSING', message });
  };
  await refused('short', 'short', 'master_key_file', /has 5 bytes; 32 or more/);
  await refused('text', 'no json', 'key_file', /is not JSON/);
  const wrong = loadKeyring(defaultConfig({ signing: { key_file: join(folder, 'wrong') } }), {});
  await writeFile(join(folder, 'wrong'), JSON.stringify({ key_id: 'm1', agent_id: 'a', secret: 'TopSecret' }));
  const message = await wrong.then(
    () => '',
    (cause: Error) => cause.message,
  );
  t.notMatch(message, /TopSecret/);
  t.throws(() => assertVerifies(defaultConfig({ signing: { key_file: 'x' } }), {}), /A collector must know/);
});

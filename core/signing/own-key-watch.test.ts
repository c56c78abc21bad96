import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { defaultConfig } from '../config.ts';
import { createLogger } from '../log.ts';
import { systemClock } from '../ports/clock.ts';
import { loadKeyring } from './keyring-file.ts';
import { OwnKeyWatch, ReplaceableKeyring } from './own-key-watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'own-key-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'node-1.key');

function write(content: object | string): void {
  writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
const keyOf = (generation: number, agent = 'node-1') => {
  return { key_id: `m${generation}`, agent_id: agent, secret: String(generation).repeat(64) };
};

async function watching() {
  write(keyOf(1));
  const config = defaultConfig({ signing: { key_file: file } });
  const load = () => loadKeyring(config, {});
  const keyring = new ReplaceableKeyring(await load());
  const lines: string[] = [];
  const log = createLogger({ level: 'info', format: 'json', write: (line) => void lines.push(line) });
  const watch = new OwnKeyWatch({ file, agentId: 'node-1', keyring, load, clock: systemClock, log });
  await watch.start();
  return { watch, keyring, lines, signing: () => keyring.signingKey('node-1').keyId };
}

void t.test(
  'a key file that was replaced signs from then on; receipts of the key before are still believed',
  async (t) => {
    const { watch, keyring, lines, signing } = await watching();
    await watch.look();
    t.same(lines, [], 'nothing changed');
    write(keyOf(2));
    await watch.look();
    t.equal(signing(), 'm2');
    t.ok(keyring.find('m1', 'node-1'), 'the key before');
    t.equal(keyring.find('m1', 'node-2'), null);
    t.match(lines, [/was replaced.*"before":"m1","key":"m2"/]);
    t.notMatch(lines.join(''), '2222', 'no secret in the log');
    await watch.stop();
  },
);

void t.test(
  'what is no key of this agent changes nothing, is told once, and a right one is taken up after it',
  async (t) => {
    const { watch, lines, signing } = await watching();
    for (const wrong of ['{', keyOf(3, 'node-9'), '']) {
      write(wrong);
      await watch.look();
      await watch.look();
      t.equal(signing(), 'm1');
    }
    rmSync(file);
    await watch.look();
    t.equal(signing(), 'm1');
    t.equal(lines.length, 3, 'each once');
    t.match(lines[1], /cannot be used.*issued for agent node-9/);
    write(keyOf(4));
    await watch.look();
    t.equal(signing(), 'm4');
    await watch.stop();
  },
);

void t.test('it is taken up by itself, and at once on SIGHUP', async (t) => {
  const listeners = process.listenerCount('SIGHUP');
  const { watch, signing } = await watching();
  const until = async (wanted: string, within: number): Promise<number> => {
    const since = performance.now();
    while (signing() !== wanted && performance.now() - since < within)
      await new Promise((next) => setTimeout(next, 20));
    return performance.now() - since;
  };
  write(keyOf(2));
  process.kill(process.pid, 'SIGHUP');
  t.ok((await until('m2', 4_000)) < 4_000, 'on SIGHUP');
  write(keyOf(3));
  t.ok((await until('m3', 15_000)) < 15_000, 'by itself');
  await watch.stop();
  t.equal(process.listenerCount('SIGHUP'), listeners);
});

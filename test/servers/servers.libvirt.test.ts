import t from 'tap';
import { startLibvirt, until } from './index.ts';

t.test('guests compute, read and write while they run, and are gone after stop', async (t) => {
  const host = await startLibvirt({ guests: 2 });
  t.teardown(() => host.stop());
  const [guest, other] = host.guests;
  if (!guest || !other) throw new Error('two guests were asked for');
  t.not(guest.uuid, other.uuid);
  t.match(await host.virsh('dumpxml', guest.uuid), guest.projectId);

  const reading = async (name: string): Promise<bigint> => {
    const stats = await host.virsh('domstats', guest.name, '--cpu-total', '--block');
    return BigInt(new RegExp(`${name}=(\\d+)`).exec(stats)?.[1] ?? '0');
  };
  for (const name of ['cpu.time', 'block.0.rd.bytes', 'block.0.wr.bytes']) {
    const before = await reading(name);
    const hasGrown = async (): Promise<boolean> => (await reading(name)) > before;
    await until(hasGrown, { timeoutMs: 30_000, describe: () => `${name} of ${guest.name} does not grow` });
    t.pass(`${name} grows`);
  }

  await host.stop();
  for (const { pid } of host.guests) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

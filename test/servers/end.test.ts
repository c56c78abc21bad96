import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import t from 'tap';
import { until } from './index.ts';

const SERVERS = new URL('./index.js', import.meta.url);
const START = `
  import { startInflux, startRabbit } from ${JSON.stringify(SERVERS)};
  const influx = await startInflux();
  const rabbit = await startRabbit();
  rabbit.pause();
  console.log(JSON.stringify([influx, rabbit].map(({ pid, dataDir }) => ({ pid, dataDir }))));
`;

interface Started {
  readonly pid: number;
  readonly dataDir: string;
}

/** A zombie, which waits for a parent that may never ask, has ended. */
function isThere(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Starts servers in a process of its own, ends that in some way, and says which servers outlived it. */
async function serversAfter(code: string, end?: NodeJS.Signals): Promise<Started[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', START + code], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const started = JSON.parse(line) as Started[];
  if (end) child.kill(end);
  await exited;
  const allGone = (): boolean => !started.some(({ pid }) => isThere(pid));
  await until(allGone, { timeoutMs: 10_000, describe: () => `servers of a process that ended with ${end} still run` });
  return started;
}

const WAIT = 'setInterval(() => undefined, 1000);';

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} ends the servers, a paused one too, and removes their data`, async (t) => {
    for (const { dataDir } of await serversAfter(WAIT, signal)) t.notOk(existsSync(dataDir), dataDir);
  });
}

t.test('an uncaught error ends the servers and removes their data', async (t) => {
  const started = await serversAfter('setTimeout(() => { throw new Error("boom") }, 200);');
  for (const { dataDir } of started) t.notOk(existsSync(dataDir), dataDir);
});

t.test('a test that forgets its servers ends all the same, and so do they', async (t) => {
  for (const { dataDir } of await serversAfter('')) t.notOk(existsSync(dataDir), dataDir);
});

t.test('SIGKILL of the process that started them ends the servers', async (t) => {
  t.equal((await serversAfter(WAIT, 'SIGKILL')).length, 2);
});

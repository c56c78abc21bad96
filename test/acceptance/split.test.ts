import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { influxUrl, rabbitmqUrl, temporaryFolder, uniqueName } from '../servers/index.ts';
import { ask, askUntil, startDaemon } from './nephometer.ts';
import type { Answer, Daemon } from './nephometer.ts';

const AGENT = fileURLToPath(new URL('../../../agents/dist/main.js', import.meta.url));

const folder = temporaryFolder('nephometer-split');
const secretFile = join(folder, 'secret');
const tokenFile = join(folder, 'token');
const token = randomBytes(24).toString('base64url');
writeFileSync(secretFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
writeFileSync(tokenFile, token, { mode: 0o600 });

const namespace = uniqueName('split');
const influx = new URL(await influxUrl());
const env = {
  NEPHOMETER_BUS_URL: await rabbitmqUrl(),
  NEPHOMETER_STORE_URL: `influxdb://${influx.host}/${uniqueName('split')}`,
  NEPHOMETER_SECRET_FILE: secretFile,
};

function configOf(host: string): string {
  return [
    `host: ${host}`,
    'interval: 1s',
    `bus: {namespace: ${namespace}}`,
    'agent: {spread: 0s}',
    `api: {tokens: [{name: test, role: admin, file: ${tokenFile}}]}`,
    'disabled_plugins: [users, cgroup, libvirt]',
  ].join('\n');
}

const start = (host: string, args: string[], main?: string): Promise<Daemon> =>
  startDaemon({ args, env, config: configOf(host), ...(main === undefined ? {} : { main }) });

const collectors = [await start('collector-1', ['run', 'collector']), await start('collector-2', ['run', 'collector'])];
const apis = [await start('api-1', ['run', 'api']), await start('api-2', ['run', 'api'])];
const agent = await start('node-1', ['run', 'compute'], AGENT);
t.teardown(async () => {
  await Promise.all([agent, ...collectors, ...apis].map(({ process }) => process.end()));
});

const METER = 'hardware.memory.total';

interface Sample {
  readonly timestamp: string;
  readonly message_id: string;
}

const samplesOf = (api: Daemon | undefined): Promise<Answer> =>
  ask(api?.url ?? '', token, `/v2/meters/${METER}?limit=10000`);
const seconds = (rows: readonly Sample[]): number[] =>
  rows.map(({ timestamp }) => Math.floor(Date.parse(`${timestamp}Z`) / 1000));

void t.test('five processes: what the agent measures, both API servers answer alike', async (t) => {
  await askUntil(
    () => samplesOf(apis[0]),
    ({ body }) => (body as Sample[]).length >= 3,
    'no samples arrive',
    60_000,
  );
  const upTo = new Date(Date.now() - 3000).toISOString().slice(0, 19);
  const question = `/v2/meters/${METER}/statistics?q.field=timestamp&q.op=lt&q.value=${upTo}`;
  const answers = await Promise.all(apis.map(({ url }) => ask(url, token, question)));
  t.equal(answers[0]?.status, 200);
  t.same(answers[0]?.body, answers[1]?.body);
});

void t.test('a collector and an API server stop for a while: no client sees it, no sample is lost', async (t) => {
  const stopped = [collectors[0], apis[0]];
  for (const daemon of stopped) daemon?.process.signal('SIGSTOP');
  const answered: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    answered.push((await samplesOf(apis[1])).status);
    await sleep(1000);
  }
  for (const daemon of stopped) daemon?.process.signal('SIGCONT');
  t.ok(
    answered.every((status) => status === 200),
    'the other API server answered all the time',
  );

  await t.test('then one of each ends for good', async (t) => {
    await collectors[0]?.process.end();
    await apis[0]?.process.kill();
    const { body: before } = await samplesOf(apis[1]);
    const { body: rows } = await askUntil(
      () => samplesOf(apis[1]),
      ({ body }) => (body as Sample[]).length >= (before as Sample[]).length + 5,
      'the other collector does not take over',
      60_000,
    );
    t.equal(new Set((rows as Sample[]).map((row) => row.message_id)).size, (rows as Sample[]).length, 'nothing twice');
  });

  // What was with the collector that stood still comes back to the queue, so give the last seconds time to arrive.
  const complete = (answer: Answer): boolean => missing(seconds(answer.body as Sample[])).length === 0;
  const { body } = await askUntil(() => samplesOf(apis[1]), complete, 'some seconds stay missing', 90_000).catch(
    async () => await samplesOf(apis[1]),
  );
  t.same(missing(seconds(body as Sample[])), [], 'every second from the first to the last has its sample');
});

/** Seconds between the first and the last but two that have no sample; a poll may start a moment late, not never. */
function missing(times: readonly number[]): number[] {
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  const [first = 0] = sorted;
  const last = sorted[sorted.length - 3] ?? first;
  const have = new Set(sorted);
  return Array.from({ length: last - first }, (_, index) => first + index).filter((second) => !have.has(second));
}

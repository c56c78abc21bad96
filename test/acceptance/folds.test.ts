import t from 'tap';
import { until } from '../servers/index.ts';
import { adminToken, ask, startDaemon } from './nephometer.ts';
import type { Daemon } from './nephometer.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const METER = 'volume.size';

const start = (folds: string, dataDir?: string): Promise<Daemon> =>
  startDaemon({
    args: ['up', '--no-agents'],
    config: `folds: { ${folds} }\n`,
    ...(dataDir === undefined ? {} : { dataDir }),
  });

const iso = (at: number): string => new Date(at).toISOString();

async function post(up: Daemon, times: readonly number[], volume: (at: number) => number): Promise<void> {
  const samples = times.flatMap((at) =>
    ['v1', 'v2'].map((resource) => ({
      counter_name: METER,
      counter_type: 'gauge',
      counter_unit: 'GiB',
      counter_volume: volume(at),
      resource_id: resource,
      project_id: 'p1',
      user_id: 'u1',
      timestamp: iso(at),
      resource_metadata: {},
    })),
  );
  const body = JSON.stringify(samples);
  const path = `/v2/meters/${METER}?direct=True`;
  const answer = await ask(up.url, adminToken(up.dataDir), path, { method: 'POST', body });
  if (answer.status >= 300) throw new Error(JSON.stringify(answer));
}

async function usage(up: Daemon, asOf: string): Promise<string> {
  const period = `from=${iso(TODAY - 9 * DAY_MS)}&to=${iso(TODAY - DAY_MS)}&as_of=${asOf}`;
  const asked = `meter=${METER}&kind=integral&window=day&group_by=resource_id,project_id&gaps=true&${period}`;
  const { status, body } = await ask(up.url, adminToken(up.dataDir), `/v1/usage?${asked}`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return JSON.stringify(body);
}

async function metric(up: Daemon, name: string): Promise<number> {
  const text = await (await fetch(`${up.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length));
}

const reaches = (up: Daemon, name: string, least: number): Promise<void> =>
  until(async () => (await metric(up, name)) >= least, {
    timeoutMs: 90_000,
    everyMs: 200,
    describe: () => `${name} does not reach ${least}`,
  });

void t.test('a daemon folds what it has, answers from that, and folds late samples anew', async (t) => {
  const hours = Array.from({ length: 10 * 24 }, (_, i) => TODAY - 10 * DAY_MS + i * HOUR_MS);
  const first = await start('every: 1s');
  t.teardown(() => first.process.end());
  const onTime = hours.filter((at) => at < TODAY - 5 * DAY_MS || at >= TODAY - 5 * DAY_MS + 6 * HOUR_MS);
  await post(first, onTime, (at) => 10 + ((at / HOUR_MS) % 7));
  await reaches(first, 'nephometer_fold_lines_total{cause="folded"}', 2 * 9);
  await until(async () => (await metric(first, 'nephometer_fold_waiting_days')) === 0, {
    timeoutMs: 60_000,
    everyMs: 200,
    describe: () => 'days are still waiting',
  });
  const asOf = iso(Date.now());
  const before = await usage(first, asOf);
  t.ok((await metric(first, 'nephometer_fold_answers_total{source="folds"}')) >= 1, 'answered from fold lines');
  await post(
    first,
    hours.filter((at) => !onTime.includes(at)),
    () => 100,
  );
  await reaches(first, 'nephometer_fold_lines_total{cause="refolded"}', 2);
  const later = iso(Date.now());
  const after = await usage(first, later);
  t.not(after, before);
  t.equal(await usage(first, asOf), before, 'as of the moment before the late samples');
  await first.process.end();

  const second = await start('enabled: false', first.dataDir);
  t.teardown(() => second.process.end());
  t.equal(await usage(second, asOf), before, 'the samples answer the same');
  t.equal(await usage(second, later), after);
  t.equal(await metric(second, 'nephometer_fold_answers_total{source="folds"}'), 0);
});

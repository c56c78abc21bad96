import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { influxUrl, rabbitmqUrl, temporaryFolder, uniqueName, until } from '../servers/index.ts';
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
    'interval: 2s',
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

/** As long as the minute that an operator may need, where it is run by hand; CI shows the same in less. */
const STANDSTILL_SECONDS = Number(process.env['NEPHOMETER_TEST_STANDSTILL'] ?? 20);

const METER = 'hardware.memory.total';

interface Sample {
  readonly timestamp: string;
  readonly message_id: string;
}

interface LedgerRow {
  readonly digest: string;
  readonly agent_id: string | null;
  readonly epoch: string;
  readonly seq: number;
  readonly samples: number;
  readonly header: { readonly samples: number } | null;
}

const samplesOf = (api: Daemon | undefined): Promise<Answer> =>
  ask(api?.url ?? '', token, `/v2/meters/${METER}?limit=10000`);

/** Every ledger row of agents, page by page. */
async function ledgerOf(api: Daemon | undefined): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (let next: string | null = ''; next !== null;) {
    const { body } = await ask(
      api?.url ?? '',
      token,
      `/v1/ledger?headers=true&limit=100${next === '' ? '' : `&after=${next}`}`,
    );
    const page = body as { batches: LedgerRow[]; next: string | null };
    rows.push(...page.batches);
    next = page.next;
  }
  return rows;
}

/** Sequence numbers of the agent that the ledger has not, below the greatest one that it has. */
function missingSeqs(rows: readonly LedgerRow[]): number[] {
  const have = new Set(rows.map(({ seq }) => seq));
  return Array.from({ length: Math.max(0, ...have) }, (_, index) => index + 1).filter((seq) => !have.has(seq));
}

void t.test('five processes: what the agent measures, both API servers answer alike', async (t) => {
  await askUntil(
    () => samplesOf(apis[0]),
    ({ body }) => (body as Sample[]).length >= 3,
    'no samples arrive',
    60_000,
  );
  const upTo = new Date(Date.now() - 5000).toISOString().slice(0, 19);
  const question = `/v2/meters/${METER}/statistics?q.field=timestamp&q.op=lt&q.value=${upTo}`;
  const answers = await Promise.all(apis.map(({ url }) => ask(url, token, question)));
  t.equal(answers[0]?.status, 200);
  t.same(answers[0]?.body, answers[1]?.body);
});

void t.test('a collector and an API server stand still, then end: no client sees it, no sample is lost', async (t) => {
  const stopped = [collectors[0], apis[0]];
  for (const daemon of stopped) daemon?.process.signal('SIGSTOP');
  const answered: number[] = [];
  for (let i = 0; i < STANDSTILL_SECONDS; i += 1) {
    answered.push((await samplesOf(apis[1])).status);
    await sleep(1000);
  }
  for (const daemon of stopped) daemon?.process.signal('SIGCONT');
  t.ok(
    answered.every((status) => status === 200),
    'the other API server answered all the time',
  );

  await collectors[0]?.process.end();
  await apis[0]?.process.kill();
  const before = Math.max(...(await ledgerOf(apis[1])).map(({ seq }) => seq));
  let rows: LedgerRow[] = [];
  await until(
    async () => {
      rows = await ledgerOf(apis[1]);
      return Math.max(...rows.map(({ seq }) => seq)) >= before + 3 && missingSeqs(rows).length === 0;
    },
    {
      timeoutMs: 60_000,
      everyMs: 500,
      describe: () => `batches stay missing: ${missingSeqs(rows).join(', ')} of ${rows.length}`,
    },
  );
  t.equal(new Set(rows.map(({ epoch }) => epoch)).size, 1, 'the agent ran all the time');
  t.equal(new Set(rows.map(({ digest }) => digest)).size, rows.length, 'no batch twice');
  for (const row of rows) t.equal(row.samples, row.header?.samples, `every sample of batch ${row.seq} is stored`);
  const { body } = await samplesOf(apis[1]);
  const ids = (body as Sample[]).map((row) => row.message_id);
  t.equal(new Set(ids).size, ids.length, 'no sample twice');
});

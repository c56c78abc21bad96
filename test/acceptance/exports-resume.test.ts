import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HOUR, ManualClock } from '@nephometer/core';
import t from 'tap';
import { ADMIN, startApi } from '../usage/api.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import { at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';
import { NEPHOMETER } from './nephometer.ts';
import { contents, runNephometer, scratch } from './exports.ts';

t.setTimeout(600_000);

const RESOURCES = 40;
const agent = {
  id: 'node-1',
  meters: ['vcpus'],
  readings: () =>
    Array.from({ length: RESOURCES }, (_, i) => ({
      meter: 'vcpus',
      type: 'gauge' as const,
      unit: 'vcpu',
      volume: String(1 + (i % 8)),
      resource: `instance-${i}`,
      project: `p${i % 5}`,
    })),
};

const clock = new ManualClock(at('2026-02-27'));
const store = await (await STORES['duckdb']?.())?.open(clock);
if (store === undefined) throw new Error('There is no DuckDB store.');
const month = { from: at('2026-02-28T22:00:00'), to: at('2026-04-01T02:00:00'), interval: HOUR, batchEvery: 24 * HOUR };
await recordArrivals(store, clock, arrivalsOf({ ...month, agents: [agent] }));
const api = await startApi(store, clock);
t.teardown(async () => {
  await api.stop();
  await store.close();
});

const QUESTION = ['-d', 'vcpu_hours', '--from', '2026-03-01', '--to', '2026-04-01', '-w', 'hour', '-g', 'resource_id'];
const args = (out: string, ...more: string[]): string[] => ['export', 'usage', ...QUESTION, '-o', out, ...more];

/** Kills the command when so many partitions are there. */
async function killedAfter(partitions: number, out: string, signal: NodeJS.Signals): Promise<number | null> {
  const env = { ...process.env, NEPHOMETER_TOKEN: ADMIN, NEPHOMETER_URL: api.url };
  const child = spawn(process.execPath, [NEPHOMETER, ...args(out, '--json')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const line of createInterface(child.stdout)) {
    const { event, done } = JSON.parse(line) as { event: string; done?: number };
    if (event === 'partition' && done === partitions) child.kill(signal);
  }
  return ended;
}

await t.test('a long export, killed and gone on with, has the bytes of one that was not', async (t) => {
  const out = scratch(t);
  t.equal(await killedAfter(7, out, 'SIGKILL'), null);
  t.notOk(existsSync(join(out, 'manifest.json')), 'what is not finished has no manifest');
  t.ok(existsSync(join(out, 'export.progress.ndjson')));
  // Hours later it is still as of the same moment. What a crash may leave: a cut line, half a file.
  clock.jump(3 * HOUR);
  const journal = join(out, 'export.progress.ndjson');
  writeFileSync(journal, `${readFileSync(journal, 'utf8')}{"name":"2026-03-`);
  writeFileSync(join(out, '.2026-03-09.0001.csv.1.part'), 'definition,fr');
  t.equal(await killedAfter(19, out, 'SIGINT'), 130, 'stopped by ^C it says so');
  t.notOk(existsSync(join(out, 'manifest.json')));
  const resumed = await runNephometer(api.url, args(out));
  t.match(resumed, { code: 0, stderr: '' });
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as {
    rows: number;
    as_of: string;
    totals: unknown;
  };
  t.equal(manifest.rows, RESOURCES * 31 * 24);
  const whole = scratch(t);
  t.match(await runNephometer(api.url, args(whole, '--as-of', manifest.as_of)), { code: 0 });
  t.strictSame(contents(out), contents(whole));
  t.notOk(
    readdirSync(out).some((name) => name.startsWith('.') || name.includes('progress')),
    'nothing is left over',
  );
});

/** Passes requests on to the API, as long as it may. */
async function proxy(isCut: (path: string) => boolean) {
  const pass = async (
    { method = 'GET', url = '/', headers, ...rest }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    void rest;
    const token = { 'x-auth-token': String(headers['x-auth-token']), 'content-type': 'application/json' };
    const body = method === 'POST' ? { body: await text(response.req) } : {};
    const answer = await fetch(api.url + url, { method, headers: token, ...body });
    const bytes = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { 'content-length': bytes.length });
    if (!isCut(url)) {
      response.end(bytes);
      return;
    }
    // Half of it, and the connection is gone.
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, close };
}

async function text(request: IncomingMessage): Promise<string> {
  let all = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) all += chunk;
  return all;
}

await t.test('a server that breaks off is asked again; one that is gone leaves a folder to go on with', async (t) => {
  let cuts = 0;
  let isGone = false;
  const between = await proxy((path) => isGone || (/parts\/2026-03-0[23]/.test(path) && ++cuts % 2 === 1));
  t.teardown(() => between.close());
  const [out, whole] = [scratch(t), scratch(t)];
  const asOf = ['--as-of', '2026-04-01T00:00:00Z'];
  const few = (folder: string): string[] => [
    ...args(folder, ...asOf),
    '--to',
    '2026-03-05',
    '-w',
    'day',
    '--retry-for',
    '20s',
  ];
  t.match(await runNephometer(between.url, few(out)), { code: 0 });
  t.equal(cuts, 4, 'two files were cut once each');
  t.match(await runNephometer(api.url, few(whole)), { code: 0 });
  t.strictSame(contents(out), contents(whole));

  const later = scratch(t);
  cuts = 0;
  isGone = true;
  const gone = await runNephometer(between.url, [...few(later), '--retry-for', '1s']);
  t.match(gone, { code: 69, stderr: /broke off[^]*the same command goes on/ });
  t.notOk(existsSync(join(later, 'manifest.json')));
  isGone = false;
  t.match(await runNephometer(between.url, few(later)), { code: 0 });
  t.strictSame(contents(later), contents(whole));
});

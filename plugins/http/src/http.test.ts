import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { toPlain } from '@nephometer/core/plugin';
import { checkPollster, goldenCases, openPollster, pollPlugin, recordLog } from '@nephometer/core/plugin/testing';
import type { PreparedCase } from '@nephometer/core/plugin/testing';
import { HttpConfig } from './config.ts';
import { byPath, startServer } from './fake-server.ts';
import type { FakeServer } from './fake-server.ts';
import http from './index.ts';
import { parseXml } from './xml.ts';

interface Canned {
  readonly status?: number;
  readonly file?: string;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds before the answer. */
  readonly delay?: number;
}

/** Serves what server.json of a case says. */
async function serve(input: string): Promise<FakeServer> {
  const file = join(input, 'server.json');
  const canned = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Canned>) : {};
  return startServer((request, response, { url }) => {
    const { status = 200, file, text, headers = {}, delay = 0 } = canned[request.url ?? ''] ?? { status: 404 };
    const body = file === undefined ? (text ?? '') : readFileSync(join(input, 'answers', file), 'utf8');
    const send = (): void => void response.writeHead(status, headers).end(body.replaceAll('${url}', url));
    if (delay === 0) send();
    else setTimeout(send, delay).unref();
  });
}

async function prepare(input: string): Promise<PreparedCase> {
  const server = await serve(input);
  return { variables: { url: server.url }, close: () => server.close() };
}

void t.test('golden cases', async (t) => {
  for (const { name, check } of await goldenCases(http, new URL('../cases/', import.meta.url), { prepare })) {
    await t.resolves(check(), name);
  }
});

const LEVEL = { sample_type: 'gauge', unit: 'x', value_attribute: 'level' };

async function serverOf(t: { teardown(end: () => unknown): void }, paths: Record<string, string | number>) {
  const server = await startServer(byPath(paths));
  t.teardown(() => server.close());
  return server;
}

void t.test('the contract is kept', async (t) => {
  const { url } = await serverOf(t, { '/': '[{"id": "a", "level": 1}, {"id": "b", "level": 2}]' });
  await checkPollster(http, { options: { pollsters: [{ ...LEVEL, name: 'l', url_path: `${url}/` }] } });
});

void t.test('a page is asked for once in a poll, however many definitions read it', async (t) => {
  const server = await serverOf(t, {
    '/a?n=1': '{"items": [{"id": "a", "level": 1, "depth": 2}], "next": "?n=2"}',
    '/a?n=2': '{"items": [{"id": "b", "level": 3, "depth": 4}]}',
  });
  const one = { ...LEVEL, url_path: `${server.url}/a?n=1` };
  const pollsters = [
    { ...one, name: 'level', next_sample_url_attribute: 'next' },
    { ...one, name: 'depth', value_attribute: 'depth', next_sample_url_attribute: "next | value or ''" },
    { ...one, name: 'first.only' },
    { ...one, name: 'versioned', headers: { 'x-version': '2.0' } },
  ];
  const { readings, failed } = await pollPlugin(http, { pollsters });
  t.same(failed, []);
  t.same(
    readings.map(({ meter, resource_id: id, volume }) => `${meter} ${id} ${volume}`),
    ['depth a 2', 'depth b 4', 'first.only a 1', 'level a 1', 'level b 3', 'versioned a 1'],
  );
  t.same(server.asked.sort(), ['GET /a?n=1', 'GET /a?n=1', 'GET /a?n=2'], 'once, and once with other headers');
});

void t.test('secrets come from files, and go to the server that was asked only', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'http-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const got: Record<string, string | undefined>[] = [];
  const other = await startServer((request, response) => {
    got.push({ url: 'other', token: request.headers.authorization });
    response.end('[{"id": "elsewhere", "level": 9}]');
  });
  const server = await startServer((request, response) => {
    const { authorization, 'x-key': key } = request.headers;
    got.push({ url: request.url, authorization, key: String(key) });
    if (request.url === '/moved') response.writeHead(302, { location: `${other.url}/` }).end();
    else response.end('[{"id": "a", "level": 1}]');
  });
  t.teardown(async () => Promise.all([server.close(), other.close()]));
  const token = await file('token', 'first\n');
  const options = {
    auth: {
      bearer: { kind: 'bearer', token_file: token },
      basic: { kind: 'basic', username: 'ada', password_file: await file('password', 'p:w\n') },
      keys: { kind: 'headers', files: { 'x-key': await file('key', 'k1\n') } },
      s3: { kind: 's3', access_key_file: await file('access', 'AK\n'), secret_key_file: await file('secret', 'SK\n') },
      missing: { kind: 'bearer', token_file: join(folder, 'none') },
      empty: { kind: 'bearer', token_file: await file('empty', '\n') },
    },
    endpoints: { e: { url: server.url, auth: 'bearer' } },
    pollsters: [
      { ...LEVEL, name: 'of.endpoint', endpoint_type: 'e', url_path: 'endpoint' },
      { ...LEVEL, name: 'of.definition', endpoint_type: 'e', url_path: 'definition', auth: 'keys' },
      { ...LEVEL, name: 'external', url_path: `${server.url}/external`, auth: 'basic' },
      { ...LEVEL, name: 'signed', url_path: `${server.url}/signed`, auth: 's3' },
      { ...LEVEL, name: 'moved', url_path: `${server.url}/moved?api_key=hidden`, auth: 'bearer' },
      { ...LEVEL, name: 'away', url_path: `${server.url}/moved`, auth: 'bearer' },
      { ...LEVEL, name: 'missing', url_path: `${server.url}/x`, auth: 'missing' },
      { ...LEVEL, name: 'empty', url_path: `${server.url}/x`, auth: 'empty' },
    ],
  };
  const open = await openPollster(http, options);
  const { failed } = await open.poll();
  const sent = (url: string) => got.find((one) => one['url'] === url);
  t.equal(sent('/endpoint')?.['authorization'], 'Bearer first');
  t.match(sent('/definition'), { authorization: undefined, key: 'k1' });
  t.equal(sent('/external')?.['authorization'], `Basic ${Buffer.from('ada:p:w').toString('base64')}`);
  t.match(sent('/signed')?.['authorization'], /^AWS4-HMAC-SHA256 Credential=AK\/\d{8}\/us-east-1\/s3\/aws4_request,/);
  t.equal(sent('other'), undefined, 'a redirect to another server is not followed');
  const reasons = failed.map(({ reason }) => reason).join('\n');
  t.match(
    reasons,
    /away: .*\/moved redirects to http.*; list it in plugins.http.other_origins if it is to be asked too/,
  );
  t.match(reasons, /missing: the secret in .*none cannot be read: ENOENT/);
  t.match(reasons, /empty: the secret in .*empty must be one line that is not empty/);
  t.notMatch(reasons, /hidden/);
  await file('token', 'second\n');
  await open.poll();
  t.equal(got.filter(({ url }) => url === '/endpoint').at(-1)?.['authorization'], 'Bearer second', 'rotated');
  const listed = await pollPlugin(http, { ...options, other_origins: [other.url] });
  t.equal(listed.readings.find(({ meter }) => meter === 'away')?.volume, '9', 'an origin that is listed is asked');
});

void t.test('host commands run only where they are allowed, bounded in time and size', async (t) => {
  const command = (name: string, host_command: string) => ({ ...LEVEL, name, host_command, timeout: 0.5 });
  const options = {
    allow_host_commands: true,
    max_size: 1024,
    pollsters: [
      command('good', `echo '[{"id": "c", "level": 1.10}]'`),
      command('fails', 'echo oh no >&2; exit 3'),
      command('endless', 'sleep 60 & sleep 60'),
      command('large', 'yes'),
    ],
  };
  const { readings, failed } = await pollPlugin(http, options);
  t.match(readings, [{ meter: 'good', resource_id: 'c', volume: '1.10' }]);
  t.same(failed.map(({ reason }) => reason).sort(), [
    'endless: host_command: did not end within 0.5 s (timeout)',
    'fails: host_command: ended with 3: oh no',
    'large: host_command: gives more than max_size, 1024 bytes',
  ]);
});

void t.test('values are mapped and skipped by what they are', async (t) => {
  const levels = ['1.0', '"1"', 'true', 'null', '""', '"x"', '2', '"2"', '[1]'];
  const entries = levels.map((level, index) => `{"id": "e${index}", "level": ${level}}`);
  const { url } = await serverOf(t, { '/': `[${entries.join()}]` });
  const value_mapping = { 1: 10, true: 20, null: '30.50', x: 40 };
  const pollster = { ...LEVEL, name: 'l', url_path: `${url}/`, value_mapping, skip_sample_values: [2] };
  const { readings } = await pollPlugin(http, { pollsters: [pollster] });
  t.same(
    readings.map(({ resource_id: id, volume }) => `${id} ${volume}`),
    ['e0 10', 'e1 10', 'e2 20', 'e3 30.50', 'e4 -1', 'e5 40', 'e8 -1'],
  );
});

void t.test('what XML is, and is not', (t) => {
  const read = (xml: string): unknown => toPlain(parseXml(xml));
  t.same(read('<a x="1&lt;" y=\'&#65;\'><b/><b>2</b> t </a>'), {
    a: { '@x': '1<', '@y': 'A', b: [null, '2'], '#text': 't' },
  });
  t.throws(() => read('<a><b></a>'), /expected the end of b; found at offset 6: "<\/a>"/);
  t.throws(() => read('<a>'), /a has no end/);
  t.throws(() => read('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'), /what is not taken at offset 0/);
  t.throws(() => read('<a/><b/>'), /a second root/);
  t.throws(() => read('no xml'), /one root element/);
  t.throws(() => read('<a>'.repeat(70)), /more than 64 levels/);
  t.end();
});

void t.test('the sample names every option', (t) => {
  const sample = readFileSync(new URL('../sample.config.yaml', import.meta.url), 'utf8');
  for (const name of Object.keys(HttpConfig.in.shape)) t.match(sample, new RegExp(`^[\\s#]*${name}:`, 'm'), name);
  t.end();
});

void t.test('a value without a mapping is told once a poll', async (t) => {
  const { url } = await serverOf(t, { '/': '[{"id": "a", "level": "odd"}, {"id": "b", "level": "odd"}]' });
  const log = recordLog();
  const pollster = { ...LEVEL, name: 'l', url_path: `${url}/`, value_mapping: { even: 2 }, default_value: 7 };
  const { readings } = await pollPlugin(http, { pollsters: [pollster] }, { log });
  t.same(
    readings.map(({ volume }) => volume),
    ['7', '7'],
  );
  t.match(log.lines, [{ level: 'warn', fields: { definition: 'l', value: '"odd"', default_value: '7' } }]);
});

void t.test('an endpoint that is down, and a poll whose time is over', async (t) => {
  const silent = await startServer(() => undefined);
  t.teardown(() => silent.close());
  const down = await pollPlugin(http, { pollsters: [{ ...LEVEL, name: 'l', url_path: 'http://127.0.0.1:1/' }] });
  t.match(down.failed, [{ resource_id: 'http://127.0.0.1:1', reason: /cannot be reached: .*(ECONNREFUSED|bad port)/ }]);
  const pollsters = [{ ...LEVEL, name: 'l', url_path: `${silent.url}/` }];
  const late = await pollPlugin(http, { pollsters }, { signal: AbortSignal.timeout(200) });
  t.match(late.failed, [{ reason: /the poll's time was over/ }]);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openPollster, pollPlugin } from '@nephometer/core/plugin/testing';
import { startServer } from './fake-server.ts';
import type { FakeServer } from './fake-server.ts';
import http from './index.ts';

interface FakeKeystone extends FakeServer {
  /** Bodies of the requests for a token. */
  readonly logins: unknown[];
  /** Tokens that services take. */
  readonly valid: Set<string>;
  lifeMs: number;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** A Keystone and, on the same port, a load balancer and a second region of it. */
async function startKeystone(): Promise<FakeKeystone> {
  const state = { logins: [] as unknown[], valid: new Set<string>(), lifeMs: 3_600_000 };
  const server = await startServer((request, response, { url }) => {
    if (request.url !== '/v3/auth/tokens') {
      const isKnown = state.valid.has(String(request.headers['x-auth-token']));
      const [, place] = (request.url ?? '').split('/');
      return void response.writeHead(isKnown ? 200 : 401).end(`{"lbs": [{"id": "lb-${place}", "level": 1}]}`);
    }
    void textOf(request).then((text) => {
      const login: unknown = JSON.parse(text);
      state.logins.push(login);
      if (text.includes('wrong')) return response.writeHead(401).end('{"error": {"message": "bad credentials"}}');
      const token = `token-${state.logins.length}`;
      state.valid.add(token);
      const endpoint = (kind: string, region: string) => ({
        interface: kind,
        region,
        url: `${url}/${region}-${kind}/`,
      });
      const endpoints = [endpoint('public', 'east'), endpoint('internal', 'east'), endpoint('public', 'west')];
      const catalog = [
        { type: 'load-balancer', endpoints },
        { type: 'image', endpoints: [] },
      ];
      const expires = new Date(Date.now() + state.lifeMs).toISOString();
      return response
        .writeHead(201, { 'x-subject-token': token })
        .end(JSON.stringify({ token: { catalog, expires_at: expires } }));
    });
  });
  return Object.assign(state, server);
}

async function setting(t: { teardown(end: () => unknown): void }, secret = 's3cret') {
  const keystone = await startKeystone();
  const folder = await mkdtemp(join(tmpdir(), 'keystone-'));
  t.teardown(async () => Promise.all([keystone.close(), rm(folder, { recursive: true })]));
  const password = join(folder, 'password');
  await writeFile(password, `${secret}\n`);
  const one = { sample_type: 'gauge', unit: 'x', value_attribute: 'level', url_path: '/v2/lbs' };
  const pollsters = [
    { ...one, name: 'a', endpoint_type: 'load-balancer' },
    { ...one, name: 'b', endpoint_type: 'load-balancer', url_path: 'v2/others' },
  ];
  const auth = { kind: 'keystone', url: keystone.url, username: 'meter', password_file: password, project: 'service' };
  return { keystone, password, pollsters, auth, one };
}

void t.test('a token is fetched once, its catalogue finds the endpoints, and it is kept', async (t) => {
  const { keystone, pollsters, auth } = await setting(t);
  const open = await openPollster(http, { pollsters, auth: { cloud: auth } });
  const first = await open.poll();
  t.same(first.failed, []);
  t.same(
    first.readings.map(({ meter, resource_id: id }) => `${meter} ${id}`),
    ['a lb-east-public', 'a lb-west-public', 'b lb-east-public', 'b lb-west-public'],
  );
  await open.poll();
  t.same(keystone.logins, [
    {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'meter', domain: { name: 'Default' }, password: 's3cret' } },
        },
        scope: { project: { name: 'service', domain: { name: 'Default' } } },
      },
    },
  ]);
});

void t.test('a token is renewed when it is refused, and before it ends', async (t) => {
  const { keystone, pollsters, auth } = await setting(t);
  const options = { pollsters, auth: { cloud: { ...auth, region: 'east', interface: 'internal' } } };
  const open = await openPollster(http, options);
  await open.poll();
  keystone.valid.clear();
  const { readings, failed } = await open.poll();
  t.same(failed, []);
  t.same(
    readings.map(({ resource_id: id }) => id),
    ['lb-east-internal', 'lb-east-internal'],
  );
  t.equal(keystone.logins.length, 2, 'once for all who were refused');
  keystone.valid.clear();
  keystone.lifeMs = 30_000;
  await open.poll();
  await open.poll();
  t.ok(keystone.logins.length >= 4, 'a token that ends soon is not used again');
});

void t.test('an application credential', async (t) => {
  const { keystone, pollsters, password } = await setting(t);
  const auth = {
    kind: 'keystone',
    url: `${keystone.url}/v3/`,
    application_credential_id: 'cred-1',
    application_credential_secret_file: password,
    region: 'west',
  };
  const { readings } = await pollPlugin(http, { pollsters, auth: { cloud: auth } });
  t.equal(readings.length, 2);
  const credential = { id: 'cred-1', secret: 's3cret' };
  t.same(keystone.logins, [
    { auth: { identity: { methods: ['application_credential'], application_credential: credential } } },
  ]);
});

void t.test('what goes wrong is told', async (t) => {
  const { keystone, pollsters, auth, one } = await setting(t);
  const other = { ...one, name: 'c', endpoint_type: 'volumev3' };
  const mixed = await pollPlugin(http, { pollsters: [...pollsters, other], auth: { cloud: auth } });
  t.equal(mixed.readings.length, 4, 'the others are read');
  t.match(mixed.failed, [
    {
      resource_id: 'volumev3',
      reason: `c: the catalogue of ${keystone.url} has no public endpoint of the type volumev3; it has load-balancer, image`,
    },
  ]);
  const nowhere = await pollPlugin(http, { pollsters, auth: { cloud: { ...auth, region: 'south' } } });
  t.match(nowhere.failed[0]?.reason, /no public endpoint of the type load-balancer in region south/);
  const refused = await setting(t, 'wrong');
  const wrong = await pollPlugin(http, { pollsters: refused.pollsters, auth: { cloud: refused.auth } });
  t.match(wrong.failed[0]?.reason, /^a: .*\/v3\/auth\/tokens answered 401 Unauthorized: .*bad credentials/);
  t.equal(refused.keystone.logins.length, 1, 'one attempt for all definitions');
});

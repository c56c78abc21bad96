import { NephometerClient, NephometerError, OPERATIONS } from '@nephometer/client';
import type { Problem, SampleAnswer } from '@nephometer/client';
import { QuarantinedMessage } from '@nephometer/core';
import type { MessageIngest } from '@nephometer/core';
import t from 'tap';
import { sampleOf, startApi, TOKENS } from './kit.test.fixture.ts';
import type { KitOptions, Who } from './kit.test.fixture.ts';
import { v1Document } from './openapi/v1.ts';

/** The client of a running server. */
async function clientOf(t: Parameters<typeof startApi>[0], options: KitOptions = {}, who: Who = 'admin') {
  const kit = await startApi(t, options);
  return { ...kit, client: new NephometerClient({ url: `${kit.api.url}/`, token: TOKENS[who] }) };
}

const SAMPLES = Array.from({ length: 7 }, (_, i) =>
  sampleOf({ id: `s${i}`, volume: '0.10', at: `10:00:0${i}`, metadata: { n: i, flavor: { id: `f${i % 2}` } } }),
);

async function refused(call: Promise<unknown>): Promise<NephometerError> {
  const cause: unknown = await call.then(
    () => new Error('It was answered.'),
    (error: unknown) => error,
  );
  if (cause instanceof NephometerError) return cause;
  throw cause;
}

t.test('every operation of the document has its method', (t) => {
  const ids = Object.values(v1Document().paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  t.strictSame(Object.keys(OPERATIONS).sort(), ids.sort(), '`npm run docs` writes the client');
  const client = new NephometerClient({ url: 'http://127.0.0.1:1', token: 'x' }) as unknown as Record<string, unknown>;
  for (const id of ids) t.type(client[id], 'function', id);
  t.end();
});

t.test('a page is typed, and a loop gives every row of all pages once', async (t) => {
  const { client } = await clientOf(t, { samples: SAMPLES });
  const page = await client.listSamples({ limit: 3, order: 'oldest' });
  const first: SampleAnswer | undefined = page.samples[0];
  t.match(first, { message_id: 's0', counter_volume: '0.1', counter_type: 'gauge' });
  t.type(page.next, 'string');
  const ids: string[] = [];
  for await (const { message_id: id } of client.eachSample({ limit: 3, order: 'oldest' })) ids.push(id);
  t.strictSame(ids, ['s0', 's1', 's2', 's3', 's4', 's5', 's6']);
  // @ts-expect-error: there is no such order
  t.equal((await refused(client.listSamples({ order: 'random' }))).status, 400);
});

t.test('a loop that is left asks for no more pages', async (t) => {
  const { api } = await startApi(t, { samples: SAMPLES });
  let requests = 0;
  const counted: typeof fetch = (...given) => {
    requests += 1;
    return fetch(...given);
  };
  const client = new NephometerClient({ url: api.url, token: async () => TOKENS.admin, fetch: counted });
  for await (const sample of client.eachSample({ limit: 2 })) if (sample.message_id === 's4') break;
  t.equal(requests, 2);
});

t.test('lists with other cursors go on too', async (t) => {
  const { client, store } = await clientOf(t, { samples: SAMPLES });
  const digests = new Set<string>();
  for await (const { digest } of client.eachBatch({ limit: 2 })) digests.add(digest);
  t.equal(digests.size, SAMPLES.length);
  for (const id of ['a', 'b', 'c']) await store.appendEntry({ kind: 'quarantine', id, body: JSON.stringify(REFUSED) });
  const found: string[] = [];
  for await (const { id, reason } of client.eachQuarantined({ limit: 1 })) found.push(`${id} ${reason}`);
  t.strictSame(found, ['c signature', 'b signature', 'a signature']);
});

const REFUSED: QuarantinedMessage = QuarantinedMessage.parse({
  reason: 'signature',
  detail: 'It does not match.',
  transport: 'http',
  sender: 'x',
  agent_id: null,
  message_id: null,
  from: null,
  to: null,
  samples: 1,
  received: 1_772_000_000_000_000,
  size: 1,
  bytes: 'eA==',
  state: 'refused',
});

t.test('parameters reach the server as they are meant', async (t) => {
  const { client } = await clientOf(t, { samples: SAMPLES });
  const ids = async (parameters: Parameters<typeof client.listSamples>[0]) =>
    (await client.listSamples({ order: 'oldest', ...parameters })).samples.map((one) => one.message_id).join(' ');
  t.equal(await ids({ metadata: { 'flavor.id': 'f1' } }), 's1 s3 s5');
  t.equal(await ids({ metadata: { 'flavor.id': 'f1', n: '3' } }), 's3');
  t.equal(await ids({ project_id: ['p1', 'p9'], limit: 1 }), 's0');
  t.equal(await ids({ from: new Date('2026-03-01T10:00:05Z') }), 's5 s6', 'a date is an instant');
  t.equal(await ids({ meter: 'a&b=c #/ü' }), '', 'whatever a name holds');
  t.equal(await ids({ meter: undefined, limit: 1 }), 's0', 'undefined is left out');
  const evidence = await client.showEvidence({ message_id: 's2' });
  t.match(JSON.parse(evidence.text), { message_id: 's2' });
});

t.test('an error has the status, the problem and its code', async (t) => {
  const { client, api } = await clientOf(t);
  const missing = await refused(client.showEvidence({ message_id: 'a/b c' }));
  const problem: Problem | null = missing.problem;
  t.match(problem, { status: 404, code: 'MTR_NOT_FOUND', detail: 'There is no sample a/b c.' });
  t.match(missing, { status: 404, code: 'MTR_NOT_FOUND', message: /^MTR_NOT_FOUND: There is no/, retryAfter: null });
  const stranger = new NephometerClient({ url: api.url, token: 'nobody' });
  t.match(await refused(stranger.whoAmI()), { status: 401, code: 'MTR_UNAUTHENTICATED' });
  const reader = new NephometerClient({ url: api.url, token: TOKENS.reader });
  t.match(await refused(reader.listTokens()), { status: 403, code: 'MTR_FORBIDDEN' });
  const loop = async (): Promise<void> => {
    for await (const _row of reader.eachBatch()) t.fail('a reader sees no batch');
  };
  t.match(await refused(loop()), { status: 403 });
});

t.test('an answer of something between is an error too', async (t) => {
  const between: typeof fetch = async () =>
    new Response('<h1>Bad Gateway</h1>', { status: 502, headers: { 'Retry-After': '7' } });
  const client = new NephometerClient({ url: 'http://127.0.0.1:1', token: 'x', fetch: between });
  t.match(await refused(client.whoAmI()), {
    status: 502,
    problem: null,
    code: null,
    retryAfter: 7,
    message: /Bad Gateway/,
  });
  const away = new NephometerClient({ url: 'http://127.0.0.1:1', token: 'x' });
  await t.rejects(away.whoAmI(), TypeError, 'what fetch throws');
  await t.rejects(away.whoAmI({ signal: AbortSignal.abort() }), { name: 'AbortError' });
});

t.test('bodies are sent, and an empty answer is none', async (t) => {
  const ingest: MessageIngest = {
    async ingest(body) {
      return (JSON.parse(body.toString()) as { message_id: string }[]).map(({ message_id }) => {
        return { message_id, outcome: 'accepted' };
      });
    },
  };
  const { client, api } = await clientOf(t, { ingest });
  const made = await client.createToken({ body: { name: 'billing', role: 'reader', projects: ['p1'] } });
  const made2 = new NephometerClient({ url: api.url, token: made.token });
  t.strictSame(await made2.whoAmI(), { name: 'billing', role: 'reader', projects: ['p1'], user_id: null });
  t.equal(await client.revokeToken({ id: made.id }), undefined);
  t.equal((await refused(made2.whoAmI())).status, 401);
  t.match((await refused(client.createToken({ body: { name: 'x', role: 'reader' } }))).problem?.detail, /projects/);
  // What goes over the wire is the text of a message as it was signed.
  const message = JSON.parse(sampleOf({ id: 'm1' }).samples[0]?.text ?? '') as never;
  t.strictSame((await client.postMessages({ body: [message] })).results, [{ message_id: 'm1', outcome: 'accepted' }]);
});

t.test('another media type comes as a response', async (t) => {
  const { client } = await clientOf(t, { samples: SAMPLES });
  const response = await client.request(OPERATIONS.listSamples, { limit: 1 });
  t.match(response.headers.get('content-type'), /^application\/json/);
  t.match(await response.json(), { samples: [{ message_id: 's6' }] });
});

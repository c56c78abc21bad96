import { createMemoryBus } from '@nephometer/bus-memory';
import {
  headerDigest,
  merkleRoot,
  readMessage,
  Refusal,
  signHeader,
  signSample,
  verifyMerkleProof,
} from '@nephometer/core';
import type { BatchRecord, MessageIngest } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import type { ZodType } from 'zod';
import { counterOf, sampleOf, SECRET, startApi } from '../kit.test.fixture.ts';
import type { Answer, SampleSpec } from '../kit.test.fixture.ts';
import {
  ConflictsAnswer,
  EvidenceAnswer,
  IdentityAnswer,
  LedgerAnswer,
  MessagesAnswer,
  NewTokenAnswer,
  QuarantineAnswer,
  QuarantineMessageAnswer,
  ReplayAnswer,
  SamplesAnswer,
  TokensAnswer,
} from './answers.ts';

/** The answer, which must have the documented shape. */
function read<T>(answer: Answer, schema: ZodType<T>): T {
  return schema.parse(answer.json);
}

/** A batch of an agent, signed. */
function batchOf(specs: readonly SampleSpec[], seq = 1): BatchRecord {
  const texts = specs.map((spec, i) => {
    const identity = { messageId: spec.id ?? `batch${seq}-${i}`, source: 'openstack' };
    return signSample(counterOf(spec), identity, SECRET).text;
  });
  const cycles = [cycleOf(['r-of-somebody'])];
  const names = {
    version: 1,
    agent_id: 'node-1',
    epoch: '0123456789abcdef',
    seq,
    previous: null,
    key_id: 'shared',
  } as const;
  const runs = [{ source: 'default', slot: 1_767_225_600_000_000, samples: texts.length }];
  const header = signHeader(
    { ...names, created: 1_767_225_600_000_000, samples: texts.length, merkle_root: merkleRoot(texts), runs, cycles },
    SECRET,
  );
  const samples = texts.map((text) => ({ ...readMessage(text).sample, text, slot: 1_767_225_600_000_000 }));
  const digest = headerDigest(header);
  return { digest, header, headerText: JSON.stringify(header), keyId: 'shared', transport: 'bus', samples };
}

function cycleOf(failed: readonly string[]) {
  const outcome = { name: 'disk', asked: 9, answered: 8, readings: 8, error: null };
  const pollsters = [{ ...outcome, failed: failed.map((resource_id) => ({ resource_id, reason: 'gone' })) }];
  const times = { interval: 1, scheduled: 1, started: 1, finished: 1 };
  const rest = { meters: [], discovery_complete: true, pollsters, dropped: [] };
  return { source: 'default', ...times, outcome: 'ran' as const, ...rest };
}

t.test('samples come with exact volumes and typed metadata, and are paged without loss', async (t) => {
  const samples = Array.from({ length: 7 }, (_, i) => {
    const metadata = { n: i, exact: 1.5, flavor: { id: '1' } };
    return sampleOf({
      id: `s${i}`,
      volume: i === 6 ? '9007199254740993' : '0.10',
      at: i < 5 ? '10:00:00' : '11:00:00',
      metadata,
    });
  });
  const { get } = await startApi(t, { samples });
  const ids: string[] = [];
  for (let cursor = '', pages = 0; pages < 5; pages++) {
    const page = read(await get(`/v1/samples?limit=3${cursor}`), SamplesAnswer);
    ids.push(...page.samples.map(({ message_id: id }) => id));
    if (page.next === null) break;
    cursor = `&cursor=${page.next}`;
  }
  t.strictSame(ids, ['s5', 's6', 's0', 's1', 's2', 's3', 's4']);
  const oldest = read(await get('/v1/samples?order=oldest&limit=1'), SamplesAnswer);
  t.match(oldest.samples[0], {
    message_id: 's0',
    counter_volume: '0.1',
    timestamp: '2026-03-01T10:00:00Z',
    resource_metadata: { n: 0, exact: 1.5, flavor: { id: '1' } },
    slot: null,
    key_id: 'shared',
  });
  const only = async (query: string) =>
    read(await get(`/v1/samples?${query}`), SamplesAnswer)
      .samples.map(({ message_id: id }) => id)
      .join(' ');
  t.match((await get('/v1/samples?message_id=s6')).text, '"counter_volume":"9007199254740993"');
  t.equal(await only('metadata.n=2'), 's2');
  t.equal(await only('metadata.n=%222%22'), '', 'a text is not a number');
  t.equal(await only('metadata.flavor.id=%221%22&metadata.n=3'), 's3');
  t.equal(await only('from=2026-03-01T10:00:00Z&to=2026-03-01T11:00:00Z&order=oldest'), 's0 s1 s2 s3 s4');
  t.equal(await only('project_id=p1&project_id=p9&message_id=s1'), 's1');
  t.equal(await only('as_of=2026-01-01T00:00:00Z'), '');
});

t.test('no condition is dropped, whatever its name', async (t) => {
  const { get } = await startApi(t);
  for (const query of ['metadata.__proto__=x', 'metadata.n=1&metadata.n=2', '__proto__=x', 'metadata.=x&metadata.=y']) {
    const answer = await get(`/v1/samples?${query}`);
    t.equal(answer.status, 400, query);
    t.match(answer.text, query.split('=')[0] ?? query, 'names the parameter');
  }
  t.equal((await get('/v1/samples?metadata.constructor=x&metadata.a.__proto__.b=y')).status, 200, 'mere paths');
});

t.test('what a question says wrongly is named', async (t) => {
  const { get } = await startApi(t);
  const wrong: [string, RegExp][] = [
    ['/v1/samples?colour=blue', /colour/],
    ['/v1/samples?limit=0', /limit/],
    ['/v1/samples?limit=999999999', /limit: found 999999999; at most 100000/],
    ['/v1/samples?from=yesterday', /Found the timestamp "yesterday"/],
    ['/v1/samples?order=random', /order/],
    ['/v1/samples?meter=a&meter=b', /meter: given twice/],
    ['/v1/samples?cursor=xyz', /cursor: found "xyz"/],
    ['/v1/samples/x?a=1', /^a: is not known here/],
    ['/v1/quarantine?reason=odd', /reason/],
  ];
  for (const [path, detail] of wrong) {
    const answer = await get(path);
    t.match(
      answer,
      { status: 400, json: { type: 'about:blank', title: 'Bad Request', status: 400, code: 'MTR_BAD_REQUEST' } },
      path,
    );
    t.match((answer.json as { detail: string }).detail, detail);
    t.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  }
});

t.test('evidence leads from the text as received up to the signed header', async (t) => {
  const batch = batchOf([{ volume: '1.0' }, { volume: '2', project: 'p2' }, { volume: '3' }]);
  const { get } = await startApi(t, { samples: [batch] });
  const evidence = read(await get('/v1/samples/batch1-2'), EvidenceAnswer);
  t.equal(evidence.text, batch.samples[2]?.text);
  t.match(evidence, {
    key_id: 'shared',
    slot: '2026-01-01T00:00:00Z',
    batch: { index: 2, agent_id: 'node-1', seq: 1, samples: 3 },
  });
  t.equal(evidence.batch.header_text, batch.headerText);
  const { proof, merkle_root: root } = evidence.batch;
  t.ok(verifyMerkleProof(evidence.text, 2, 3, proof ?? [], root ?? ''));
  const reader = read(await get('/v1/samples/batch1-0', 'reader'), EvidenceAnswer);
  t.match(reader.batch, { header: null, header_text: null, merkle_root: root });
  t.notMatch(JSON.stringify(reader), /r-of-somebody|p2/, 'a reader sees no cycle report');
  t.ok(verifyMerkleProof(reader.text, 0, 3, reader.batch.proof ?? [], root ?? ''));
});

t.test('where a sample of the batch is not stored there is no proof, and it says so', async (t) => {
  const first = sampleOf({ id: 'batch1-1', volume: '2' });
  const { get } = await startApi(t, { samples: [first, batchOf([{ volume: '1.0' }, { volume: '2' }])] });
  const { batch } = read(await get('/v1/samples/batch1-0'), EvidenceAnswer);
  t.match(batch, { proof: null, samples: 2 });
});

t.test(
  'the proof stands also where samples lie far from their slot, in conflict, or retention has been at work',
  async (t) => {
    const far = batchOf([{ id: 'near' }, { id: 'far', at: '2020-01-01T00:00:00' }, { id: 'twice', volume: '5' }]);
    const samples = [
      far,
      sampleOf({ id: 'twice', volume: '6' }),
      sampleOf({ meter: 'gone', at: '2025-12-31T00:00:00' }),
    ];
    const { get, store } = await startApi(t, { samples });
    await store.retain([{ meters: ['gone'], keepFrom: 1_767_300_000_000_000 }]);
    const { batch, text } = read(await get('/v1/samples/near'), EvidenceAnswer);
    t.ok(verifyMerkleProof(text, 0, 3, batch.proof ?? [], batch.merkle_root ?? ''));
  },
);

t.test('the ledger is paged in order of recording', async (t) => {
  const batches = [1, 2, 3, 4, 5].map((seq) => batchOf([{ volume: `${seq}` }], seq));
  const { get } = await startApi(t, { samples: [...batches, sampleOf({})] });
  const seqs: (number | null)[] = [];
  let after = '';
  for (;;) {
    const page = read(await get(`/v1/ledger?limit=2${after}`), LedgerAnswer);
    seqs.push(...page.batches.map(({ seq }) => seq));
    if (page.next === null) break;
    after = `&after=${page.next}`;
  }
  t.strictSame(seqs, [1, 2, 3, 4, 5, null]);
  const ofAgent = read(await get('/v1/ledger?agent_id=node-1&epoch=0123456789abcdef&headers=true'), LedgerAnswer);
  t.equal(ofAgent.batches.length, 5);
  t.match(ofAgent.batches[0], {
    header: { agent_id: 'node-1', cycles: [{ source: 'default' }] },
    samples: 1,
    duplicates: 0,
  });
});

t.test('conflicts show every version', async (t) => {
  const samples = ['a', 'b', 'c'].flatMap((id) => ['1', '2'].map((volume) => sampleOf({ id, volume })));
  const { get } = await startApi(t, { samples });
  const all = read(await get('/v1/conflicts'), ConflictsAnswer);
  t.strictSame(
    all.conflicts.map(({ message_id: id, versions }) => [id, versions.map((v) => v.counter_volume)]),
    ['a', 'b', 'c'].map((id) => [id, ['1', '2']]),
  );
  const first = read(await get('/v1/conflicts?limit=2'), ConflictsAnswer);
  const second = read(await get(`/v1/conflicts?limit=2&cursor=${first.next}`), ConflictsAnswer);
  t.strictSame(
    second.conflicts.map(({ message_id: id }) => id),
    ['c'],
  );
  t.equal(second.next, null);
});

t.test('tokens are shown once, work at once, and not after they were revoked', async (t) => {
  const { get, send } = await startApi(t, { samples: [sampleOf({ id: 'mine' })] });
  const made = await send('POST', '/v1/tokens', { name: 'biller', role: 'reader', projects: ['p1'], user_id: null });
  t.equal(made.status, 201);
  const { id, token } = read(made, NewTokenAnswer);
  const asked = await get('/v1/whoami', null, { 'X-Auth-Token': token });
  t.strictSame(read(asked, IdentityAnswer), { name: 'biller', role: 'reader', projects: ['p1'], user_id: null });
  const list = await get('/v1/tokens');
  t.ok(read(list, TokensAnswer).tokens.some((known) => known.id === id && !known.revoked));
  t.notMatch(list.text, token);
  t.notMatch(list.text, /sha256/);
  t.equal((await send('DELETE', `/v1/tokens/${id}`)).status, 204);
  t.equal((await get('/v1/whoami', null, { 'X-Auth-Token': token })).status, 401);
  t.equal((await send('DELETE', `/v1/tokens/${id}`)).status, 404);
  t.match(await send('DELETE', '/v1/tokens/config:admin'), { status: 409, json: { code: 'MTR_TOKEN_DECLARED' } });
  t.match(await send('POST', '/v1/tokens', { name: 'x', role: 'reader' }), {
    status: 400,
    json: { detail: /at least one/ },
  });
  t.equal((await send('POST', '/v1/tokens', { name: 'x', role: 'king' })).status, 400);
});

const BYTES = Buffer.from('{"counter_name":"cpu"}');

function quarantined(changes: Record<string, unknown> = {}): string {
  const times = { from: 1_767_225_600_000_000, to: null, received: 1_767_225_600_000_000 };
  const names = { agent_id: null, message_id: null, sender: 'nephometer/metering.sample', transport: 'bus' };
  const body = { size: BYTES.length, bytes: BYTES.toString('base64'), samples: 1, state: 'refused' };
  return JSON.stringify({ reason: 'signature', detail: 'It does not match.', ...names, ...times, ...body, ...changes });
}

t.test('the quarantine is listed newest first, by reason and page, without bytes', async (t) => {
  const { get, store } = await startApi(t);
  for (const id of ['q1', 'q2', 'q3']) await store.appendEntry({ kind: 'quarantine', id, body: quarantined() });
  await store.appendEntry({ kind: 'quarantine', id: 'q4', body: quarantined({ reason: 'future' }) });
  await store.appendEntry({ kind: 'quarantine', id: 'q1', body: quarantined({ state: 'replayed' }) });
  const all = read(await get('/v1/quarantine'), QuarantineAnswer);
  t.strictSame(
    all.quarantine.map(({ id, state }) => `${id} ${state}`),
    ['q1 replayed', 'q4 refused', 'q3 refused', 'q2 refused'],
  );
  const first = read(await get('/v1/quarantine?reason=signature&limit=2'), QuarantineAnswer);
  t.strictSame(
    first.quarantine.map(({ id }) => id),
    ['q1', 'q3'],
  );
  const second = read(await get(`/v1/quarantine?reason=signature&limit=2&before=${first.next}`), QuarantineAnswer);
  t.strictSame(
    second.quarantine.map(({ id }) => id),
    ['q2'],
    'the older state of q1 is not a message of its own',
  );
  const one = read(await get('/v1/quarantine/q2'), QuarantineMessageAnswer);
  t.match(one, { id: 'q2', bytes: BYTES.toString('base64'), from: '2026-01-01T00:00:00Z', to: null });
  t.equal((await get('/v1/quarantine/q9')).status, 404);
});

t.test('a replay by the collector of this process tells what became of it', async (t) => {
  const store = createMemoryStore();
  for (const id of ['good', 'bad'])
    await store.appendEntry({ kind: 'quarantine', id, body: quarantined({ detail: id }) });
  await store.appendEntry({ kind: 'quarantine', id: 'cut', body: quarantined({ size: 1_000_000 }) });
  const seen: { text: string; sender: string }[] = [];
  let isBad = false;
  const ingest: MessageIngest = {
    async ingest(body, sender) {
      seen.push({ text: Buffer.from(body).toString(), sender });
      return [
        isBad ? { message_id: 'm', outcome: 'refused', reason: 'signature' } : { message_id: 'm', outcome: 'accepted' },
      ];
    },
  };
  const { send, get } = await startApi(t, { store, ingest });
  const good = read(await send('POST', '/v1/quarantine/good/replay'), ReplayAnswer);
  t.match(good, { state: 'replayed', via: 'ingest', results: [{ outcome: 'accepted' }] });
  t.strictSame(seen, [{ text: BYTES.toString(), sender: 'replay@admin' }]);
  t.match((await get('/v1/quarantine/good')).json, {
    state: 'replayed',
    detail: /^good Replayed 2026-03-01T12:00:00Z by admin\.$/,
  });
  isBad = true;
  t.match(read(await send('POST', '/v1/quarantine/bad/replay'), ReplayAnswer), { state: 'refused' });
  t.match((await get('/v1/quarantine/bad')).json, { state: 'refused' });
  t.match(await send('POST', '/v1/quarantine/cut/replay'), { status: 409, json: { code: 'MTR_QUARANTINE_CUT' } });
});

t.test('a replay without a collector puts the original bytes back where they came from', async (t) => {
  const bus = createMemoryBus();
  t.teardown(() => bus.close());
  await bus.declare({
    exchanges: [{ name: 'nova', type: 'topic', durable: true }],
    queues: [{ name: 'q', type: 'classic', durable: true }],
    bindings: [{ queue: 'q', exchange: 'nova', routingKey: 'notifications.info' }],
  });
  const { send, store, get } = await startApi(t, { bus });
  const body = quarantined({ transport: 'notification', sender: 'nova/notifications.info' });
  await store.appendEntry({ kind: 'quarantine', id: 'n', body });
  t.match(read(await send('POST', '/v1/quarantine/n/replay'), ReplayAnswer), {
    state: 'replayed',
    via: 'bus',
    results: null,
  });
  const received = new Promise<string>((resolve, reject) => {
    bus
      .consume('q', { prefetch: 1 }, (delivery) => {
        delivery.ack();
        resolve(Buffer.from(delivery.body).toString());
      })
      .catch(reject);
  });
  t.equal(await received, BYTES.toString());
  const lost = quarantined({ sender: 'nowhere/x' });
  await store.appendEntry({ kind: 'quarantine', id: 'lost', body: lost });
  t.equal((await send('POST', '/v1/quarantine/lost/replay')).status, 503);
  t.match((await get('/v1/quarantine/lost')).json, { state: 'refused' });
  const posted = quarantined({ transport: 'http', sender: 'writer@127.0.0.1' });
  await store.appendEntry({ kind: 'quarantine', id: 'posted', body: posted });
  const answer = await send('POST', '/v1/quarantine/posted/replay');
  t.match(answer, { status: 501, json: { code: 'MTR_NO_COLLECTOR', detail: /post its bytes/ } });
  t.match((await get('/v1/quarantine/posted')).json, { state: 'refused' });
});

t.test('metering messages are posted whole, where a collector takes them', async (t) => {
  const got: string[] = [];
  const ingest: MessageIngest = {
    async ingest(body, sender) {
      got.push(sender);
      if (body.length < 3) throw new Refusal('malformed', 'Nothing in it.');
      return [{ message_id: 'm', outcome: 'accepted' }];
    },
  };
  const { send } = await startApi(t, { ingest });
  const answer = await send('POST', '/v1/messages', [{ counter_name: 'cpu' }], 'writer');
  t.strictSame(read(answer, MessagesAnswer), { results: [{ message_id: 'm', outcome: 'accepted' }] });
  t.match(got, [/^writer@(::ffff:)?127\.0\.0\.1$/]);
  t.match(await send('POST', '/v1/messages', [], 'writer'), {
    status: 400,
    json: { code: 'MTR_REFUSED', detail: /malformed/ },
  });
  const without = await startApi(t);
  t.equal((await without.send('POST', '/v1/messages', [])).status, 404);
});

t.test('posts beyond those that are being recorded are asked to come back', async (t) => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const ingest: MessageIngest = { ingest: () => held.then(() => []) };
  const { send } = await startApi(t, { ingest });
  const posts = Array.from({ length: 9 }, () => send('POST', '/v1/messages', [{}], 'writer'));
  // Eight are held, so the first answer is that of the ninth to arrive, whichever it was.
  t.match(await Promise.race(posts), { status: 503, json: { code: 'MTR_BUSY' } });
  release();
  const statuses = (await Promise.all(posts)).map(({ status }) => status);
  t.same(
    statuses.sort((a, b) => a - b),
    [...Array.from({ length: 8 }, () => 200), 503],
  );
  t.equal((await send('POST', '/v1/messages', [{}], 'writer')).status, 200, 'a place is free again');
});

import { AgentKeyring, MINUTE, sha256, signHeader, merkleRoot, headerDigest } from '@nephometer/core';
import type { BatchRecord, Store } from '@nephometer/core';
import t from 'tap';
import type { ZodType } from 'zod';
import { sampleOf, SECRET, startApi } from '../kit.test.fixture.ts';
import type { Answer } from '../kit.test.fixture.ts';
import { AgentsAnswer, ConflictsAnswer, KeyChangeAnswer, KeysAnswer, ResolutionAnswer } from './answers.ts';

const read = <T>({ json }: Answer, schema: ZodType<T>): T => schema.parse(json);
const FIRST = Date.parse('2026-03-01T11:59:00Z') * 1000;

function keyring(): AgentKeyring {
  const master = Buffer.alloc(32, 1);
  return new AgentKeyring({ shared: SECRET, master, listed: [], own: [], generation: 1, acceptShared: false });
}

function batch(seq: number, keyId = 'm1', agent = 'node-1'): BatchRecord {
  const header = signHeader(
    {
      version: 1,
      agent_id: agent,
      epoch: '00000000000000aa',
      seq,
      created: FIRST,
      samples: 0,
      merkle_root: merkleRoot([]),
      previous: seq === 1 ? null : sha256('before'),
      runs: [],
      cycles: [],
      key_id: keyId,
    },
    SECRET,
  );
  const digest = headerDigest(header);
  return { digest, header, headerText: JSON.stringify(header), keyId, transport: 'bus', samples: [] };
}

async function quarantined(store: Store, agent: string): Promise<void> {
  const times = { from: null, to: null, received: FIRST };
  const of = { reason: 'signature', detail: '', transport: 'bus', sender: 'x/y', agent_id: agent, message_id: null };
  const body = JSON.stringify({ ...of, ...times, samples: 1, size: 0, bytes: '', state: 'refused' });
  await store.appendEntry({ kind: 'quarantine', id: 'q1', body });
}

t.test('agents: last batch, missing numbers, lag, refusals, and those never seen', async (t) => {
  const { get, store } = await startApi(t, { samples: [batch(1), batch(4)], config: { expected_agents: ['node-2'] } });
  await quarantined(store, 'node-1');
  const { agents } = read(await get('/v1/agents'), AgentsAnswer);
  t.match(agents, [
    {
      agent_id: 'node-1',
      state: 'ok',
      expected: false,
      last_batch: { seq: 4, key_id: 'm1' },
      lag: 60.000001,
      missing: 2,
      quarantined: 1,
      epochs: [{ last_seq: 4, missing_seqs: [[2, 3]] }],
    },
    { agent_id: 'node-2', state: 'never-seen', expected: true, last_batch: null },
  ]);
  t.equal(read(await get('/v1/agents?state=never-seen'), AgentsAnswer).agents.length, 1);
  t.equal((await get('/v1/agents?state=gone')).status, 400);
});

t.test('keys: rotated with an overlap, revoked, listed without a secret', async (t) => {
  const { get, send, clock } = await startApi(t, { samples: [batch(1)], keyring: keyring() });
  const rotated = await send('POST', '/v1/keys', { agent_id: 'node-1', retire_after: '1h', why: 'yearly' });
  t.equal(rotated.status, 201);
  t.match(read(rotated, KeyChangeAnswer), {
    action: 'rotate',
    key_id: 'm1',
    next_key_id: 'm2',
    valid_until: '2026-03-01T13:00:00Z',
    by: 'admin',
  });
  t.match(read(await get('/v1/keys'), KeysAnswer).keys, [
    { key_id: 'shared', agent_id: null, kind: 'shared', state: 'valid' },
    { key_id: 'm1', agent_id: 'node-1', kind: 'derived', state: 'retiring', why: 'yearly' },
  ]);
  const revoked = await send('POST', '/v1/keys/m1/revoke', { agent_id: 'node-1' });
  t.match(read(revoked, KeyChangeAnswer), { action: 'revoke', valid_until: '2026-03-01T12:00:00Z' });
  await clock.advance(MINUTE);
  t.match(read(await get('/v1/keys'), KeysAnswer).keys[1], { state: 'revoked', valid_until: '2026-03-01T12:00:00Z' });
  t.notMatch((await get('/v1/keys')).text, SECRET.toString());
});

t.test('what cannot be changed is refused with the remedy', async (t) => {
  const { send } = await startApi(t, { samples: [batch(1, 'k7', 'node-7')], keyring: keyring() });
  const refused = async (path: string, body: object, status: number, detail: RegExp): Promise<void> => {
    const answer = await send('POST', path, body);
    t.equal(answer.status, status, path);
    t.match(answer.text, detail);
  };
  await refused('/v1/keys', { agent_id: 'node-7' }, 409, /listed or shared/);
  await refused('/v1/keys', { agent_id: 'node-1', retire_after: 'soon' }, 400, /24h/);
  await refused('/v1/keys/m1/revoke', {}, 400, /name the agent/);
  await refused('/v1/keys/m1/revoke', { agent_id: 'a', at: '2026-01-01T00:00:00Z' }, 400, /has passed/);
  await refused('/v1/keys/typo/revoke', {}, 404, /no key typo/);
  for (const path of ['/v1/keys', '/v1/keys/m1/revoke', '/v1/conflicts/x/resolve']) {
    t.equal((await send('POST', path, {}, 'reader')).status, 403, path);
  }
});

t.test('a conflict is resolved for one version, by whom and why; then reads show it', async (t) => {
  const samples = [sampleOf({ id: 'one', volume: '1' }), sampleOf({ id: 'one', volume: '2' })];
  const { get, send, store } = await startApi(t, { samples });
  const { conflicts } = read(await get('/v1/conflicts'), ConflictsAnswer);
  const digests = conflicts[0]?.versions.map(({ batch_digest: digest }) => digest);
  t.same(digests, samples.map(({ digest }) => digest)); // prettier-ignore
  t.equal((await send('POST', '/v1/conflicts/one/resolve', { keep: 'f'.repeat(64) })).status, 400);
  t.equal((await send('POST', '/v1/conflicts/two/resolve', { keep: null })).status, 404);
  t.equal((await send('POST', '/v1/conflicts/one/resolve', {})).status, 400, 'keep must be said');
  const body = { keep: digests?.[1] ?? '', why: 'the first was a test' };
  const done = read(await send('POST', '/v1/conflicts/one/resolve', body), ResolutionAnswer);
  t.match(done, { message_id: 'one', by: 'admin', ...body });
  t.match((await get('/v1/samples')).json, { samples: [{ counter_volume: '2' }] });
  t.match((await get(`/v1/samples?as_of=${done.recorded_at}`)).json, { samples: [{ counter_volume: '2' }] });
  t.same(read(await get('/v1/conflicts'), ConflictsAnswer).conflicts, []);
  t.equal((await send('POST', '/v1/conflicts/one/resolve', body)).status, 404, 'it is resolved');
  const [entry] = await store.entries({ kind: 'resolution' });
  t.match(JSON.parse(entry?.body ?? ''), { by: 'admin', why: body.why });
});

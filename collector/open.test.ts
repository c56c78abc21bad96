import { AgentKeyring, BATCH_KEY, MetricRegistry, SharedSecretKeyring } from '@nephometer/core';
import type { ConfigInput, Keyring } from '@nephometer/core';
import t from 'tap';
import { batchOf, counter, messageOf, SECRET, surroundings } from './fixture.ts';
import { collectorMetrics } from './metrics.ts';
import { openAll } from './open.ts';
import type { Inbound } from './open.ts';

const message = Buffer.from(`[${messageOf(counter('memory', 1), 'id-1')}]`);
const byHttp: Inbound = { body: message, transport: 'http', sender: 'somebody', foreign: true };
const byCeilometer: Inbound = { body: message, transport: 'bus', sender: 'ceilometer/metering.sample', foreign: true };
const byOurs: Inbound = { body: message, transport: 'bus', sender: 'nephometer/metering.sample', foreign: false };

function agentKeys(shared: Uint8Array | null): Keyring {
  return new AgentKeyring({
    shared,
    master: Buffer.alloc(32),
    listed: [],
    own: [],
    generation: 1,
    acceptShared: false,
  });
}

async function verdictOf(inbound: Inbound, keyring: Keyring, signing: ConfigInput['signing'] = {}): Promise<string> {
  const { config, clock } = surroundings({ signing });
  const metrics = collectorMetrics(new MetricRegistry());
  const [opened] = await openAll([inbound], { config, keyring, clock, metrics });
  if (opened?.kind === 'stripped') return opened.refusal.reason;
  if (opened?.kind !== 'headerless') return opened?.kind ?? 'nothing';
  const [judged] = opened.messages;
  return judged?.verdict.accepted === false ? judged.verdict.refusal.reason : 'accepted';
}

t.test('messages without a batch header: who may send them, and by which way', async (t) => {
  const shared = new SharedSecretKeyring(SECRET);
  const [both, own] = [agentKeys(SECRET), agentKeys(null)];
  t.equal(await verdictOf(byHttp, shared), 'accepted');
  t.equal(await verdictOf(byCeilometer, shared), 'accepted');
  t.equal(await verdictOf(byOurs, shared), 'headerless');
  t.equal(await verdictOf(byHttp, both), 'accepted');
  t.equal(await verdictOf(byCeilometer, both), 'headerless', 'on the bus anybody with the old secret could pose');
  t.equal(await verdictOf(byCeilometer, both, { accept_headerless: true }), 'accepted');
  t.equal(await verdictOf(byOurs, both, { accept_headerless: true }), 'headerless');
  t.equal(await verdictOf(byHttp, both, { accept_headerless: false }), 'headerless');
  t.equal(await verdictOf(byHttp, own), 'headerless');
  t.equal(await verdictOf(byHttp, own, { accept_headerless: true }), 'headerless', 'there is no secret to check it by');
});

t.test("an agent's message stripped of its header is refused by every way", async (t) => {
  const stripped = JSON.parse(batchOf([counter('memory', 1)]).body.toString()) as Record<string, unknown>;
  delete stripped[BATCH_KEY];
  const body = Buffer.from(JSON.stringify(stripped));
  for (const way of [byHttp, byCeilometer, byOurs]) {
    t.equal(await verdictOf({ ...way, body }, new SharedSecretKeyring(SECRET)), 'headerless', way.sender);
  }
});

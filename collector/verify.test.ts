import { createMemoryStore } from '@nephometer/store-memory';
import {
  DAY,
  encodeBatch,
  merkleRoot,
  MINUTE,
  readMeteringEnvelope,
  SECOND,
  SharedSecretKeyring,
  signHeader,
} from '@nephometer/core';
import type { Keyring, RefusalReason, SigningKey, Store } from '@nephometer/core';
import t from 'tap';
import { AGENT, batchOf, collect, counter, messageOf, SECRET, START, surroundings } from './fixture.ts';
import type { BatchOf } from './fixture.ts';
import { createCollector } from './index.ts';
import { verifyBatch, verifyHeaderless } from './verify.ts';
import type { VerifyContext } from './verify.ts';

const counters = [counter('memory', 512), counter('vcpus', 2), counter('cpu', 3, 'vm-2')];
const context: VerifyContext = {
  keyring: new SharedSecretKeyring(SECRET),
  signing: surroundings().config.signing,
  now: START,
  transport: 'bus',
};

/** A key for each agent, as a collector with agent keys knows them. */
function agentKeys(...keys: Partial<SigningKey>[]): Keyring {
  const known = keys.map((key): SigningKey => {
    return { keyId: 'k1', secret: SECRET, agentId: AGENT, validFrom: null, validUntil: null, ...key };
  });
  return {
    hasAgentKeys: true,
    refresh: () => Promise.resolve(),
    signingKey: (agent) => known.find(({ agentId }) => agentId === agent) ?? fail(agent),
    find: (id) => known.find(({ keyId }) => keyId === id) ?? null,
    sharedKeys: () => [],
  };
}

function fail(agent: string): never {
  throw new Error(`no key for ${agent}`);
}

function judge(of: BatchOf = {}, changes: Partial<VerifyContext> = {}, made = batchOf(counters, of)) {
  const envelope = readMeteringEnvelope(made.body);
  if (envelope.kind !== 'batch') throw new Error('not read as a batch');
  return verifyBatch(envelope, { ...context, ...changes });
}

function refused(t: Tap, reason: RefusalReason, verdict: ReturnType<typeof judge>, proven = false) {
  t.match(verdict, { accepted: false, refusal: { reason }, proven });
}
type Tap = { match(found: unknown, wanted: object): boolean };

t.test('a good batch becomes a record with the exact texts', (t) => {
  const made = batchOf(counters);
  const verdict = judge({}, {}, made);
  t.match(verdict, { accepted: true, record: { keyId: 'shared', transport: 'bus' } });
  if (verdict.accepted) {
    t.same(
      verdict.record.samples.map(({ text }) => text),
      made.texts,
    );
    t.same(
      verdict.record.samples.map(({ slot }) => slot),
      [START, START, START],
    );
  }
  t.end();
});

t.test('a batch of cycle reports alone is good', (t) => {
  t.match(judge({}, {}, batchOf([])), { accepted: true });
  t.end();
});

t.test('each fault of a batch has its own reason', (t) => {
  refused(t, 'key', judge({ keyId: 'unknown' }));
  refused(t, 'signature', judge({ secret: Buffer.from('another secret') }));
  refused(t, 'agent', judge({ agent: 'agent-2', keyId: 'k1' }, { keyring: agentKeys({}) }));
  const until = agentKeys({ validUntil: START - 1 });
  refused(t, 'revoked', judge({ keyId: 'k1' }, { keyring: until }), true);
  refused(t, 'revoked', judge({ keyId: 'k1', created: START - SECOND }, { keyring: until }), true);
  refused(t, 'revoked', judge({ keyId: 'k1' }, { keyring: agentKeys({ validFrom: START + 1 }) }), true);
  refused(t, 'signature', judge({ keyId: 'k1', secret: Buffer.from('forged') }, { keyring: until }));
  refused(t, 'agent', judge({}, { keyring: agentKeys({}) }));
  refused(t, 'merkle', judge({ header: { merkle_root: '0'.repeat(64) } }));
  refused(t, 'merkle', judge({ header: { samples: 4 } }));
  refused(t, 'merkle', judge({ header: { runs: [{ source: 'default', slot: START, samples: 2 }] } }));
  refused(t, 'message_id', judge({ ids: ['an id of somebody else'] }), true);
  refused(t, 'message_id', judge({ slot: null, ids: ['a', 'b', 'a'] }), true);
  refused(t, 'message_id', judge({ header: { runs: [{ source: 'other', slot: START, samples: 3 }] } }), true);
  t.end();
});

t.test('one sample with a wrong signature refuses the batch', (t) => {
  const made = batchOf(counters);
  const other = batchOf(counters, { secret: Buffer.from('another secret') });
  const [first = '', , third = ''] = made.texts;
  const texts = [first, other.texts[1] ?? '', third];
  const { hmac: _signed, ...header } = made.header;
  const resigned = signHeader({ ...header, merkle_root: merkleRoot(texts) }, SECRET);
  const body = Buffer.from(encodeBatch(resigned, texts));
  const verdict = judge({}, {}, { ...made, body });
  refused(t, 'signature', verdict, true);
  t.match(verdict, { refusal: { message: /^Sample 1: / } });
  t.end();
});

t.test('the clock window is judged last', (t) => {
  const ahead = START + 10 * MINUTE + 1;
  const behind = START - 90 * DAY - 1;
  refused(t, 'future', judge({ created: ahead }), true);
  refused(t, 'future', judge({ slot: ahead }), true);
  refused(t, 'past', judge({ created: behind }), true);
  refused(t, 'past', judge({ created: START - 100 * DAY, secret: SECRET }, {}), true);
  refused(t, 'future', judge({}, { now: START - 11 * MINUTE }), true);
  refused(t, 'past', judge({}, { now: START + 100 * DAY }), true);
  refused(t, 'signature', judge({ secret: Buffer.from('x'), created: ahead }, { now: START + 200 * DAY }));
  t.match(judge({}, { now: START - 10 * MINUTE }), { accepted: true });
  t.match(judge({}, { now: START + 90 * DAY }), { accepted: true });
  t.end();
});

t.test('samples made from notifications may be old', (t) => {
  const old = [counter('volume.size', 1, 'v', START - 4000 * DAY)];
  const made = batchOf(old, {
    slot: null,
    ids: ['n'],
    header: { runs: [{ source: 'notifications', slot: null, samples: 1 }] },
  });
  t.match(judge({}, {}, made), { accepted: true });
  refused(t, 'past', judge({}, {}, batchOf(old)), true);
  t.end();
});

t.test('a batch replayed under the name of another agent is refused', (t) => {
  const made = batchOf(counters);
  const renamed = { ...made.header, agent_id: 'agent-2' };
  const body = Buffer.from(encodeBatch(renamed, made.texts));
  refused(t, 'signature', judge({}, {}, { ...made, body }));
  const listed = agentKeys({ keyId: 'k1' }, { keyId: 'k2', agentId: 'agent-2', secret: Buffer.from('two') });
  const own = batchOf(counters, { keyId: 'k1' });
  const stolen = Buffer.from(encodeBatch({ ...own.header, agent_id: 'agent-2' }, own.texts));
  refused(t, 'agent', judge({}, { keyring: listed }, { ...own, body: stolen }));
  t.end();
});

t.test('messages without a header are judged one by one, by the shared secret', (t) => {
  const text = messageOf(counter('memory', 512), 'id-1');
  t.match(verifyHeaderless(text, context), { accepted: true, record: { header: null, keyId: 'shared' } });
  const reasons: [string, RefusalReason][] = [
    [text.replace('512', '513'), 'signature'],
    [messageOf(counter('memory', 512), 'id-1', Buffer.from('wrong')), 'signature'],
    [messageOf(counter('memory', 512), 'id-1', Buffer.alloc(0)), 'signature'],
    [messageOf(counter('memory', 512, 'vm', START + 11 * MINUTE), 'id-1'), 'future'],
    [text.replace('512', 'NaN'), 'volume'],
    [text.replace('512', 'null'), 'volume'],
    [text.replace('512', '1'.repeat(39)), 'volume'],
    [text.replace('"gauge"', '"level"'), 'field'],
    [text.replace('"vm-1"', '7'), 'field'],
    [text.replace('2026-01-01', '2026-13-01'), 'timestamp'],
    ['7', 'malformed'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'malformed'],
    [text.replace('"node-1"', `"${String.fromCharCode(0)}"`), 'malformed'],
  ];
  for (const [one, reason] of reasons) {
    t.match(verifyHeaderless(one, context), { accepted: false, refusal: { reason } }, `${reason}: ${one.slice(0, 60)}`);
  }
  t.match(verifyHeaderless(messageOf(counter('m', 1, 'vm', START - 4000 * DAY), 'id-2'), context), { accepted: true });
  const limited = { ...context, signing: { ...context.signing, headerless_behind: DAY } };
  t.match(verifyHeaderless(messageOf(counter('m', 1, 'vm', START - 2 * DAY), 'id-2'), limited), {
    refusal: { reason: 'past' },
  });
  t.end();
});

t.test('a captured batch with any single bit changed is refused and kept', { timeout: 120_000 }, async (t) => {
  const inner = createMemoryStore();
  const kept = new Set<string>();
  // Thousands of entries in a store that scans them all would take longer than all the rest.
  const appendEntry: Store['appendEntry'] = (entry) => {
    kept.add(entry.id);
    return Promise.resolve({ ...entry, recordedAt: START });
  };
  const store: Store = { ...inner, appendEntry, entries: () => Promise.resolve([]) };
  const collector = createCollector({ ...surroundings(), bus: null, store });
  const { body } = batchOf([counter('memory', 512)]);
  for (let bit = 0; bit < body.length * 8; bit++) {
    const changed = Buffer.from(body);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const results = await collector.ingest(changed, 'replayer').catch(reasonOf);
    const outcomes = typeof results === 'string' ? [results] : results.map(({ outcome }) => outcome);
    if (outcomes.length === 0 || outcomes.some((one) => one === 'accepted' || one === 'duplicate')) {
      t.fail(`bit ${bit} changed: ${JSON.stringify(outcomes)}`);
    }
  }
  t.same(await collect(store.samples({})), [], 'nothing was recorded');
  t.same(await collect(store.ledger({})), [], 'nothing is in the ledger');
  t.equal(kept.size, body.length * 8, 'every changed one is in quarantine');
  const [answer] = await collector.ingest(body, 'agent');
  t.equal(answer?.outcome, 'accepted', 'the batch itself is good');
});

function reasonOf(cause: unknown): string {
  if (typeof cause === 'object' && cause !== null && 'reason' in cause) return String(cause.reason);
  throw cause;
}
